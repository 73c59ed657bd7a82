"""A real server, worked on from several threads and killed at moments that nobody chose.

    python -m tests.api.siege --rounds 50       as long as you like; the test does a few rounds

Each thread is alone in changing its members, one request at a time, so what the server may hold
after a kill is known: what it acknowledged, with or without the one request that was under way.
SIGKILL leaves the operating system running; what a power cut does to a disk is not shown here.
"""

import argparse
import contextlib
import http.client
import os
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.settings import Settings
from tests.load.base import granting_base
from tests.load.people import enrolment, shot, who
from tests.load.process import Served, service
from tests.load.server import READY
from tests.load.wire import Answer, Body, Line, as_json
from visavox import characterizer
from visavox import store as stores
from visavox.characterizer import Characterizer
from visavox.perception import Perception
from visavox.service import keys, models
from visavox.service.house import Actor, House
from visavox.service.models import Models
from visavox.store import blobs
from visavox.store.keyring import Keyring
from visavox.store.records import Role
from visavox.types import Embedding

FRIDGE = "kitchen"
_CUT_OFF = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Known:
    """A member as the server acknowledged them."""

    name: str
    captures: int
    has_pin: bool
    granted: bool


Change = tuple[str, Known | None]
"""A member, and what they become; None: erased, or not there yet."""


@dataclass(slots=True)
class Thread:
    """One thread's members, and the request that it has no answer to."""

    name: str
    members: dict[str, Known] = field(default_factory=dict)
    under_way: Change | None = None
    retry: tuple[str, Body, str] | None = None  # the member, body and key of a cut-off enrolment
    made: int = 0
    decisions: list[str] = field(default_factory=list)
    acknowledged: int = 0
    trouble: str | None = None


@dataclass(slots=True)
class Seen:
    """What the siege came to."""

    rounds: int = 0
    acknowledged: int = 0
    decisions: int = 0
    cut_off: dict[str, int] = field(default_factory=dict)
    """Requests under way at a kill, by what became of them: `done` or `undone`."""
    orphans: int = 0
    records: int = 0


class Siege:
    """State, keys and people of one siege; each `round` starts, works, kills, and looks."""

    def __init__(
        self, folder: Path, nets: Characterizer, *, threads: int = 3, seed: int = 0
    ) -> None:
        self._folder, self._random = folder, random.Random(seed)
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("VISAVOX_")},
            "VISAVOX_STATE": str(folder / "state"),
            "VISAVOX_LIMITS__RATE": "1e6",
            "VISAVOX_LIMITS__BURST": "1000000",
        }
        self._admin = _prepare(Settings(state=folder / "state"), nets)
        self._shots = [shot(who(i), 0) for i in range(4)]
        self._threads = [Thread(f"t{i}") for i in range(threads)]
        self._kiosk = ""
        self.seen = Seen()

    def round(self, *, requests: int) -> None:
        """Start the server, look whether all is there, kill it at any moment after up to so many
        requests, and look into what it left."""
        stop = threading.Event()
        with self._server() as served:
            if not self._kiosk:
                self._furnish(served.host)
            self._look(served.host)
            at_work = [
                threading.Thread(
                    target=self._work,
                    args=(thread, served.host, random.Random(self._random.random()), stop),
                )
                for thread in self._threads
            ]
            for one in at_work:
                one.start()
            enough = self._done() + self._random.randint(0, requests)
            while self._done() < enough and any(one.is_alive() for one in at_work):
                time.sleep(0.002)
            time.sleep(self._random.uniform(0.0, 0.1))
            served.process.kill()
            stop.set()
            for one in at_work:
                one.join()
        for thread in self._threads:
            if thread.trouble is not None:
                raise AssertionError(thread.trouble)
        self.seen.rounds += 1
        self._tell()
        self._look_inside()

    def finish(self) -> Seen:
        """One more start, to look whether all is there."""
        with self._server() as served:
            self._look(served.host)
        self._tell()
        return self.seen

    def _tell(self) -> None:
        self.seen.acknowledged = self._done()
        self.seen.decisions = sum(len(t.decisions) for t in self._threads)

    def _done(self) -> int:
        return sum(thread.acknowledged for thread in self._threads)

    def _server(self) -> contextlib.AbstractContextManager[Served]:
        log = self._folder / f"api-{self.seen.rounds}.log"
        return service("api", ["serve"], ready=READY, log=log, environment=self._environment)

    def _furnish(self, host: str) -> None:
        with Line(host, self._admin) as line:
            _ok(line.ask("POST", "/v1/fridges", as_json({"id": FRIDGE, "name": "Kitchen"})))
            shelf = as_json({"id": "shelf", "name": "Shelf"})
            _ok(line.ask("POST", f"/v1/fridges/{FRIDGE}/compartments", shelf))
            asked = as_json({"role": "kiosk", "name": "door", "fridges": [FRIDGE]})
            self._kiosk = _ok(line.ask("POST", "/v1/keys", asked)).json()["secret"]

    # --- the work

    def _work(self, mine: Thread, host: str, chance: random.Random, stop: threading.Event) -> None:
        try:
            with Line(host, self._admin) as admin, Line(host, self._kiosk) as kiosk:
                if mine.retry is not None:
                    self._again(mine, admin)
                while not stop.is_set():
                    self._one(mine, admin, kiosk, chance)
        except _CUT_OFF:
            return  # killed, as it should be
        except Exception as error:  # noqa: BLE001 - a thread's failure must reach the test
            mine.trouble = f"{type(error).__name__}: {error}"

    def _one(self, mine: Thread, admin: Line, kiosk: Line, chance: random.Random) -> None:
        known = sorted(mine.members)
        what = chance.choice(["enrol", "enrol", "erase", "rename", "pin", "grant", "ask", "ask"])
        if what == "enrol" or not known:
            return self._enrol(mine, admin, chance)
        if what == "ask":
            return self._ask(mine, kiosk, chance)
        member = chance.choice(known)
        path = f"/v1/fridges/{FRIDGE}/members/{member}"
        now = mine.members[member]
        if what == "erase":
            return self._change(mine, admin, (member, None), "DELETE", path)
        if what == "rename":
            name = f"Name {chance.randrange(10**9)}"
            to = Known(name, now.captures, now.has_pin, now.granted)
            return self._change(mine, admin, (member, to), "PATCH", path, as_json({"name": name}))
        if what == "pin":
            to = Known(now.name, now.captures, not now.has_pin, now.granted)
            method, body = ("DELETE", None) if now.has_pin else ("PUT", as_json({"pin": "481902"}))
            return self._change(mine, admin, (member, to), method, f"{path}/pin", body)
        to = Known(now.name, now.captures, now.has_pin, not now.granted)
        method = "DELETE" if now.granted else "PUT"
        return self._change(mine, admin, (member, to), method, f"{path}/grants/shelf")

    def _enrol(self, mine: Thread, admin: Line, chance: random.Random) -> None:
        mine.made += 1
        member = f"{mine.name}-{mine.made}"
        granted = chance.random() < 0.8
        fields = [
            ("id", member), ("name", f"Member {member}"), ("consent", "true"),
            ("accept_warnings", "true"), *([("compartments", "shelf")] if granted else []),
        ]  # fmt: skip
        body = enrolment([chance.choice(self._shots)], fields)
        to = Known(f"Member {member}", 1, False, granted)
        mine.retry = (member, body, f"enrol-{member}")
        path = f"/v1/fridges/{FRIDGE}/members"
        self._change(mine, admin, (member, to), "POST", path, body, f"enrol-{member}")
        mine.retry = None

    def _again(self, mine: Thread, admin: Line) -> None:
        """The client's own way out: the cut-off enrolment once more, with its idempotency key."""
        assert mine.retry is not None
        member, body, token = mine.retry
        mine.under_way = (member, Known(f"Member {member}", 1, False, False))
        path = f"/v1/fridges/{FRIDGE}/members"
        answer = admin.ask("POST", path, body, {"Idempotency-Key": token})
        if answer.status not in {201, 409}:  # made, made before, or not known to be over yet
            raise AssertionError(f"again: {answer.status} {answer.content!r}")
        mine.retry = mine.under_way = None
        if answer.status == 201:
            said = answer.json()
            shown = admin.ask("GET", f"{path}/{member}/grants").json()["items"]
            mine.members[member] = Known(said["name"], said["captures"], False, bool(shown))

    def _change(
        self,
        mine: Thread,
        line: Line,
        change: Change,
        method: str,
        path: str,
        body: Body | None = None,
        token: str | None = None,
    ) -> None:
        mine.under_way = change
        headers = {"Idempotency-Key": token} if token else {}
        _ok(line.ask(method, path, body, headers))
        member, to = change
        if to is None:
            del mine.members[member]
        else:
            mine.members[member] = to
        mine.under_way = None
        mine.acknowledged += 1

    def _ask(self, mine: Thread, kiosk: Line, chance: random.Random) -> None:
        probe = chance.choice(self._shots).probe(FRIDGE)
        said = _ok(kiosk.ask("POST", "/v1/authentications", probe)).json()
        mine.decisions.append(said["id"])
        mine.acknowledged += 1

    # --- the looking

    def _look(self, host: str) -> None:
        """Over HTTP: everything that was acknowledged, and nothing that is half."""
        with Line(host, self._admin) as line:
            shown = {m["id"]: m for m in _all(line, f"/v1/fridges/{FRIDGE}/members")}
            for thread in self._threads:
                self._settle(thread, line, shown)
            expected = {m for thread in self._threads for m in thread.members}
            assert set(shown) == expected, set(shown) ^ expected
            for thread in self._threads:
                for decision in thread.decisions[-20:]:
                    _ok(line.ask("GET", f"/v1/decisions/{decision}"))
            verified = _ok(line.ask("GET", "/v1/audit/verification")).json()
            assert verified["valid"], verified
            assert verified["records"] >= self.seen.records
            self.seen.records = verified["records"]

    def _settle(self, thread: Thread, line: Line, shown: Mapping[str, Any]) -> None:
        change, thread.under_way = thread.under_way, None
        if change is not None:
            member, to = change
            found = self._found(line, shown, member)
            before = thread.members.get(member)
            assert found in (before, to) or (
                thread.retry is not None and found is not None and found.captures == 1
            ), f"{member} is {found}, neither {before} nor {to}"
            fate = "undone" if found == before else "done"
            self.seen.cut_off[fate] = self.seen.cut_off.get(fate, 0) + 1
            if found is None:
                thread.members.pop(member, None)
            else:
                thread.members[member] = found
        for member, known in thread.members.items():
            assert self._found(line, shown, member) == known, member

    @staticmethod
    def _found(line: Line, shown: Mapping[str, Any], member: str) -> Known | None:
        if member not in shown:
            return None
        said = shown[member]
        grants = line.ask("GET", f"/v1/fridges/{FRIDGE}/members/{member}/grants").json()["items"]
        return Known(said["name"], said["captures"], said["has_pin"], bool(grants))

    def _look_inside(self) -> None:
        """Into what the dead server left: every member whole, every part of a capture somebody's."""
        state = self._folder / "state"
        store = stores.open(
            f"sqlite:///{state}/visavox.db",
            keyring=Keyring.file(state / "development" / "master.key"),
            blobs=blobs.connect(str(state / "captures")),
        )
        try:
            swept = store.sweep(at=datetime.now(UTC), grace=timedelta(0))
            self.seen.orphans += swept.blobs
            named: set[str] = set()
            with store.read() as unit:
                members = unit.members.ids(FRIDGE) if self._kiosk else ()
                for member in members:
                    kept = unit.captures.of(FRIDGE, member)  # opens the embeddings
                    assert len(kept) == 1, f"{member} has {len(kept)} captures"
                    for capture in kept:
                        assert isinstance(capture.embeddings.face, Embedding)
                        assert set(unit.captures.raw(capture)) == {"image-0", "audio"}
                        named |= set(capture.blob)
                assert unit.audit.verify().valid
            assert {name for name, _ in store.blobs.names()} == named
        finally:
            store.close()
        with contextlib.closing(sqlite3.connect(state / "visavox.db")) as raw:
            owners = {row[0] for row in raw.execute("select owner from data_keys")}
            # An erased member's last probe lies under a key of its own, until the proof is made.
            open_receipts = raw.execute("select id from receipts where probe_sealed is not null")
            expected = {f"{FRIDGE}/{m}" for m in members}
            expected |= {f"{FRIDGE}/.{row[0]}" for row in open_receipts}
            assert {o for o in owners if not o.endswith("/")} == expected
            (whole,) = raw.execute("pragma integrity_check").fetchone()
            assert whole == "ok"
            assert raw.execute("pragma foreign_key_check").fetchall() == []


def _prepare(settings: Settings, nets: Characterizer) -> str:
    """A state folder with a base on which whoever comes is granted, and an admin's key."""
    store = settings.open()
    store.migrate()
    with Perception(nets, side_by_side=False) as perception:
        installed = Models(settings.state / "models", nets)
        house = House(store, installed, perception, settings.signer())
        with tempfile.TemporaryDirectory() as base:
            models.install_base(house, Actor.operator(), granting_base(nets, Path(base)))
        issued = keys.create(house, Actor.operator(), role=Role.ADMIN, name="admin")
    store.close()
    return issued.secret


def _ok(answer: Answer) -> Answer:
    if answer.status not in (200, 201, 204):
        raise AssertionError(f"{answer.status}: {answer.content[:500]!r}")
    return answer


def _all(line: Line, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = _ok(line.ask("GET", f"{path}?limit=200{cursor}")).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = f"&cursor={page['next_cursor']}"


def main(arguments: Sequence[str] | None = None) -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.api.siege", description=__doc__)
    asked.add_argument("--rounds", type=int, default=50)
    asked.add_argument("--requests", type=int, default=30, help="done before a kill, at most")
    asked.add_argument("--threads", type=int, default=3)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="visavox-siege-") as name:
        with contextlib.closing(characterizer.load()) as nets:
            siege = Siege(Path(name), nets, threads=given.threads, seed=given.seed)
        for i in range(given.rounds):
            siege.round(requests=given.requests)
            print(f"round {i + 1}: {siege.seen}", flush=True)  # noqa: T201
        print(siege.finish())  # noqa: T201


if __name__ == "__main__":
    main()
