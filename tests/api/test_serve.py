"""The real program: two workers on one state folder, as `python -m api serve` starts them."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.load.people import Shot, enrolment
from tests.load.process import Served, service
from tests.load.wire import Answer, Line, as_json
from visavox.store.settings import StoreSettings

LINES = 10
"""Connections: each stays with one worker, and all with the same one once in 500 runs."""


@dataclass(frozen=True, slots=True)
class House:
    served: Served
    state: Path
    log: Path
    admin: str


def command(state: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "api", *words], capture_output=True, text=True, check=False,
        env={**os.environ, "VISAVOX_STATE": str(state)}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def house(base_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    state = tmp_path_factory.mktemp("served") / "state"
    log = state.with_name("log")
    assert len(command(state, "model", "base", str(base_bundle))) == 64
    admin = command(state, "key", "create", "--role", "admin", "--name", "Root")
    environment = {"VISAVOX_STATE": str(state)}
    with service(
        "api", ["serve", "--workers", "2"], ready="/readyz", log=log, environment=environment
    ) as served:
        yield House(served, state, log, admin)


def ok(answer: Answer, status: int = 200) -> Answer:
    assert answer.status == status, answer.content
    return answer


def test_a_member_deleted_through_one_worker_is_granted_by_none(
    house: House, ada: tuple[Shot, ...]
) -> None:
    with Line(house.served.host, house.admin) as admin, contextlib.ExitStack() as open_lines:
        ok(admin.ask("POST", "/v1/fridges", as_json({"id": "kitchen", "name": "Kitchen"})), 201)
        path = "/v1/fridges/kitchen"
        ok(admin.ask("POST", f"{path}/compartments", as_json({"id": "top", "name": "Top"})), 201)
        made = {"role": "kiosk", "name": "Door", "fridges": ["kitchen"]}
        kiosk = ok(admin.ask("POST", "/v1/keys", as_json(made)), 201).json()["secret"]
        lines = [open_lines.enter_context(Line(house.served.host, kiosk)) for _ in range(LINES)]
        probe = ada[2].probe("kitchen")
        for n in range(2):  # twice: also what was remembered of the first is forgotten
            member = f"ada-{n}"
            fields = [("id", member), ("name", "Ada"), ("consent", "true"), ("compartments", "top")]
            ok(admin.ask("POST", f"{path}/members", enrolment(ada[:2], fields)), 201)
            for line in lines:
                said = ok(line.ask("POST", "/v1/authentications", probe)).json()
                assert (said["outcome"], said["member"]["id"]) == ("granted", member)
            ok(admin.ask("DELETE", f"{path}/members/{member}"))
            for line in lines[:3]:  # fewer than lock the kiosk
                said = ok(line.ask("POST", "/v1/authentications", probe)).json()
                assert (said["outcome"], said["member"]) == ("refused", None)
        counts = ok(admin.ask("GET", "/metrics")).content.decode()
    workers = {p.name.rsplit("_", 1)[1] for p in house.state.glob("metrics/*/counter_*.db")}
    assert len(workers) == 2
    granted = 'visavox_decisions_total{fridge="kitchen",method="biometric",outcome="granted"}'
    assert f"{granted} {2 * LINES:.1f}" in counts
    assert "visavox_stage_seconds_count{" in counts


def test_what_is_kept_and_logged_gives_nobody_away(house: House) -> None:
    lines = [json.loads(line) for line in house.log.read_text("utf-8").splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert {"request_id", "key", "route", "status", "ms", "method"} <= set(requests[0])
    text = json.dumps(lines)
    assert "Ada" not in text
    assert house.admin.rsplit("_", 1)[1] not in text
    ours = [
        house.state,
        *house.state.glob("*"),
        *house.state.rglob("*.key"),
        *house.state.rglob("*.db*"),
    ]
    assert len(ours) > 6
    for path in ours:
        assert path.stat().st_mode & 0o077 == 0, path
    assert house.admin.rsplit("_", 1)[1].encode() not in (house.state / "visavox.db").read_bytes()


def test_a_stream_tells_what_another_process_writes_and_does_not_hold_up_the_end(
    house: House,
) -> None:
    """The last of this file: it ends the service."""
    path = "/v1/fridges/kitchen/retrainings/events"
    host = urlsplit(house.served.host)
    line = http.client.HTTPConnection(str(host.hostname), host.port, timeout=60)
    line.request("GET", path, headers={"Authorization": f"Bearer {house.admin}"})
    answer = line.getresponse()
    assert answer.status == 200
    assert answer.readline() == b"retry: 2000\n"
    store = StoreSettings(state=house.state).open()
    try:
        with store.begin() as unit:
            at = datetime.now(UTC)
            run = unit.runs.begin("retrain", ["kitchen"], reason="test", at=at)
            unit.progress.add(run.id, "kitchen", "train", "done", at=at)
    finally:
        store.close()
    heard = [answer.readline() for _ in range(4)]
    assert heard[2] == b"event: progress\n"
    assert json.loads(heard[3].removeprefix(b"data: "))["run"] == run.id
    house.served.process.terminate()
    began = time.monotonic()
    answer.read()
    house.served.process.wait(30)
    assert time.monotonic() - began < 14  # uvicorn gives answers 15 s, and cuts them then
    line.close()
