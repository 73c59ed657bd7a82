"""The reference lock: opens for valid tickets, and whatever happens, it is locked afterwards."""

import http.client
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from visavox.errors import LockError, TicketExpired, TicketUsed
from visavox.lock import Command, Controller, Opened, Seen
from visavox.lock.server import serve
from visavox.tickets import Signer, Ticket, Verifier

NOW = datetime.now(UTC)


def issued(signer: Signer, *compartments: str, at: datetime | None = None) -> str:
    at = at or datetime.now(UTC)
    return signer.issue(
        fridge="cellar",
        compartments=compartments or ("top",),
        decision="dec_1",
        at=at,
        expires_at=at + timedelta(seconds=8),
    )


def ticket(name: str, *, ends_in: float = 8.0) -> Ticket:
    return Ticket(name, "cellar", (), "dec_1", None, NOW, NOW + timedelta(seconds=ends_in), "k")


class Bolt:
    """An actuator that notes what it was told, and can be made to fail."""

    def __init__(self) -> None:
        self.done: list[tuple[str, tuple[str, ...]]] = []
        self.closed = threading.Event()
        self.fail_open = self.fail_close = False

    def open(self, compartments: Sequence[str]) -> None:
        self.done.append(("open", tuple(compartments)))
        if self.fail_open:
            raise LockError("The bolt is stuck.", next_step="Oil it.")

    def close(self, compartments: Sequence[str]) -> None:
        self.done.append(("close", tuple(compartments)))
        if compartments and self.fail_close:
            self.fail_close = False
            raise OSError("no power")
        if compartments:
            self.closed.set()


@pytest.fixture
def signer() -> Signer:
    return Signer.made()


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Seen]:
    with Seen(tmp_path / "seen") as memory:
        yield memory


def controller(signer: Signer, seen: Seen, bolt: Bolt, *, seconds: float = 30.0) -> Controller:
    verifier = Verifier(signer.public_keys, fridge="cellar", seen=seen)
    return Controller(lambda: verifier, bolt, seconds=seconds)


def test_a_ticket_opens_its_compartments_and_time_locks_them(signer: Signer, seen: Seen) -> None:
    bolt = Bolt()
    with controller(signer, seen, bolt, seconds=0.05) as door:
        opened = door.handle(issued(signer, "top", "door"))
        assert bolt.closed.wait(10)
        assert opened.ticket.compartments == ("top", "door")
    assert bolt.done == [
        ("close", ()),
        ("open", ("top", "door")),
        ("close", ("top", "door")),
        ("close", ()),
    ]


def test_what_is_refused_moves_nothing(signer: Signer, seen: Seen) -> None:
    bolt = Bolt()
    with controller(signer, seen, bolt) as door:
        text = issued(signer)
        door.handle(text)
        bolt.done.clear()
        with pytest.raises(TicketUsed):
            door.handle(text)
        with pytest.raises(TicketExpired):
            door.handle(issued(signer, at=NOW - timedelta(seconds=60)))
        assert bolt.done == []


def test_everything_is_locked_when_the_controller_ends(signer: Signer, seen: Seen) -> None:
    bolt = Bolt()
    with controller(signer, seen, bolt) as door:
        door.handle(issued(signer))
        assert door.open_now == {"top"}
    assert bolt.done[-1] == ("close", ())
    with pytest.raises(LockError, match="shut down"):
        door.handle(issued(signer))


def test_a_second_ticket_keeps_the_door_open_for_longer(signer: Signer, seen: Seen) -> None:
    bolt, now = Bolt(), [0.0]
    verifier = Verifier(signer.public_keys, fridge="cellar", seen=seen)
    with Controller(lambda: verifier, bolt, seconds=8.0, clock=lambda: now[0]) as door:
        door.handle(issued(signer))
        now[0] = 5.0
        door.handle(issued(signer))
        now[0] = 9.0
        door.handle(issued(signer, "other"))  # wakes the loop
        assert "top" in door.open_now
        now[0] = 14.0
        door.handle(issued(signer, "third"))
        assert bolt.closed.wait(10)
        assert "top" not in door.open_now


def test_a_bolt_that_fails_to_open_is_locked_in_time_all_the_same(
    signer: Signer, seen: Seen
) -> None:
    bolt = Bolt()
    bolt.fail_open = True
    with controller(signer, seen, bolt, seconds=0.05) as door:
        with pytest.raises(LockError, match="stuck"):
            door.handle(issued(signer))
        assert bolt.closed.wait(10)


def test_a_bolt_that_fails_to_lock_is_told_again(signer: Signer, seen: Seen) -> None:
    bolt = Bolt()
    bolt.fail_close = True
    with controller(signer, seen, bolt, seconds=0.05) as door:
        door.handle(issued(signer))
        assert bolt.closed.wait(10)
        assert [d for d in bolt.done if d == ("close", ("top",))] == [("close", ("top",))] * 2


def test_a_used_ticket_is_remembered_through_a_restart(tmp_path: Path) -> None:
    with Seen(tmp_path / "seen") as first:
        assert first.claim(ticket("a"))
        assert not first.claim(ticket("a"))
    with Seen(tmp_path / "seen") as second:
        assert not second.claim(ticket("a"))
        assert second.claim(ticket("b"))


def test_a_line_cut_off_by_a_crash_costs_nothing_else(tmp_path: Path) -> None:
    with Seen(tmp_path / "seen") as first:
        first.claim(ticket("a"))
    with (tmp_path / "seen").open("a") as file:
        file.write("17")
    with Seen(tmp_path / "seen") as second:
        assert not second.claim(ticket("a"))
        assert second.claim(ticket("b"))
    with Seen(tmp_path / "seen") as third:
        assert not third.claim(ticket("b"))


def test_a_memory_that_was_altered_is_refused(tmp_path: Path) -> None:
    (tmp_path / "seen").write_text("not a ticket\n")
    with pytest.raises(LockError, match="altered"):
        Seen(tmp_path / "seen")


def test_two_controllers_cannot_share_a_memory(tmp_path: Path) -> None:
    with Seen(tmp_path / "seen"), pytest.raises(LockError, match="Another lock"):
        Seen(tmp_path / "seen")
    with Seen(tmp_path / "seen") as again:
        assert again.claim(ticket("a"))


def test_a_memory_that_cannot_be_written_opens_nothing(tmp_path: Path) -> None:
    memory = Seen(tmp_path / "seen")
    os.close(memory._file)
    memory._file = os.open(tmp_path / "seen", os.O_RDONLY)
    with pytest.raises(LockError, match="cannot be kept"):
        memory.claim(ticket("a"))
    assert not memory.claim(ticket("a"))  # nor is it usable afterwards
    memory.close()


def test_the_memory_stays_small_and_a_clock_set_back_opens_nothing_again(tmp_path: Path) -> None:
    clock = [NOW + timedelta(seconds=60)]
    with Seen(tmp_path / "seen", clock=lambda: clock[0]) as memory:
        for i in range(1001):
            assert memory.claim(ticket(f"old-{i}"))
        assert len(memory) == 0  # all have expired by that clock
        assert (tmp_path / "seen").stat().st_size < 100
        assert not memory.claim(ticket("old-7"))
        assert memory.claim(ticket("new", ends_in=90))
    with Seen(tmp_path / "seen", clock=lambda: NOW) as again:
        assert not again.claim(ticket("old-7"))
        assert not again.claim(ticket("new", ends_in=90))


def test_one_of_many_at_once_gets_the_ticket(tmp_path: Path) -> None:
    with Seen(tmp_path / "seen") as memory:
        got: list[bool] = []
        start = threading.Barrier(8)

        def ask() -> None:
            start.wait()
            got.append(memory.claim(ticket("a")))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert sorted(got) == [False] * 7 + [True]


def test_a_program_can_turn_the_bolt(tmp_path: Path) -> None:
    program = tmp_path / "bolt"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/said\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    bolt = Command([str(program)])
    bolt.open(("top", "door"))
    bolt.close(())
    assert (tmp_path / "said").read_text() == "open top door\nclose\n"


def test_a_program_that_fails_is_a_lock_error() -> None:
    with pytest.raises(LockError, match="failed"):
        Command(["/bin/false"]).open(("top",))
    with pytest.raises(LockError, match="failed"):
        Command(["/no/such/program"]).close(())


@contextmanager
def serving(door: Controller, *origins: str) -> Iterator[http.client.HTTPConnection]:
    server = serve(door.handle, host="127.0.0.1", port=0, origins=frozenset(origins))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    line = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    try:
        yield line
    finally:
        line.close()
        server.shutdown()
        thread.join()
        server.server_close()


def asked(
    line: http.client.HTTPConnection, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, object], dict[str, str]]:
    line.request(method, path, body, headers)
    response = line.getresponse()
    content = response.read()
    return response.status, json.loads(content or b"{}"), dict(response.getheaders())


def test_the_kiosk_beside_the_lock_opens_it_over_http(signer: Signer, seen: Seen) -> None:
    with controller(signer, seen, Bolt()) as door, serving(door) as line:
        text = issued(signer)
        assert asked(line, "GET", "/healthz")[0] == 200
        assert asked(line, "POST", "/open", text)[:2] == (200, {"opened": ["top"], "seconds": 30.0})
        status, problem, headers = asked(line, "POST", "/open", text)
        assert (status, problem["code"]) == (403, "ticket_used")
        assert headers["Content-Type"] == "application/problem+json"
        assert asked(line, "POST", "/open", "nonsense")[1]["code"] == "ticket_malformed"
        assert asked(line, "POST", "/open", "A" * 9000)[0] == 413
        assert asked(line, "POST", "/elsewhere", text)[0] == 404
        assert asked(line, "GET", "/")[0] == 404


def test_only_pages_that_were_allowed_may_open(signer: Signer, seen: Seen) -> None:
    with controller(signer, seen, Bolt()) as door, serving(door, "https://kiosk.example") as line:
        foreign = {"Origin": "https://evil.example"}
        status, _, headers = asked(line, "POST", "/open", issued(signer), **foreign)
        assert (status, "Access-Control-Allow-Origin" in headers) == (403, False)
        ours = {"Origin": "https://kiosk.example"}
        status, _, headers = asked(line, "OPTIONS", "/open", **ours)
        assert (status, headers["Access-Control-Allow-Headers"]) == (204, "Content-Type")
        as_json = json.dumps({"ticket": issued(signer)})
        status, _, headers = asked(line, "POST", "/open", as_json, **ours)
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, "https://kiosk.example")


def test_a_bolt_that_fails_is_not_reported_as_opened(signer: Signer, seen: Seen) -> None:
    bolt = Bolt()
    bolt.fail_open = True
    with controller(signer, seen, bolt) as door, serving(door) as line:
        assert asked(line, "POST", "/open", issued(signer))[0] == 503


def test_the_program_opens_refuses_remembers_and_ends_when_told(
    signer: Signer, tmp_path: Path
) -> None:
    """The real process, killed and started again between two uses of one ticket."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [k.to_json() for k in signer.public_keys]}))
    text = issued(signer)
    with _program(tmp_path, keys) as (process, line):
        assert asked(line, "POST", "/open", text)[0] == 200
        process.kill()
        process.wait(30)
    with _program(tmp_path, keys) as (process, line):
        assert asked(line, "POST", "/open", text)[1]["code"] in {"ticket_used", "ticket_expired"}
        other = Signer.made()
        assert asked(line, "POST", "/open", issued(other))[1]["code"] == "ticket_forged"
        keys.write_text(json.dumps({"keys": [k.to_json() for k in other.public_keys]}))
        assert asked(line, "POST", "/open", issued(other))[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout is not None
        said = [json.loads(s) for s in process.stdout.read().splitlines()]
        assert [s["action"] for s in said] == ["close", "open", "close"]


@contextmanager
def _program(
    folder: Path, keys: Path
) -> Iterator[tuple[subprocess.Popen[str], http.client.HTTPConnection]]:
    command = [sys.executable, "-m", "visavox.lock", "--fridge", "cellar", "--port", "0"]
    command += ["--keys", str(keys), "--seen", str(folder / "seen"), "--seconds", "60"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            found = re.search(r":(\d+)$", said.strip())
            assert found, said + process.stderr.read()
            line = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=30)
            yield process, line
            line.close()
        finally:
            process.kill()


def test_keys_that_cannot_be_read_are_said_at_the_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "visavox.lock", "--fridge", "cellar", "--keys",
         str(tmp_path / "none.json"), "--seen", str(tmp_path / "seen"), "--port", "0"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "GET /v1/tickets/keys" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_opened_shows_no_ticket_text(signer: Signer, seen: Seen) -> None:
    text = issued(signer)
    with controller(signer, seen, Bolt()) as door:
        opened = door.handle(text)
    assert isinstance(opened, Opened)
    assert text.split(".")[1] not in repr(opened)
