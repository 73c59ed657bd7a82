"""Enrolments and deletions over HTTP, while the API, the worker and the flow are killed at random.

    python -m tests.flows.siege --kills 50 --changes 50

Afterwards the live model must know exactly the members that were acknowledged, by exactly their
captures: what is missing is lost, and what is there besides should not be. SIGKILL leaves the
operating system running; what a power cut does to a disk is not shown here.
"""

import argparse
import contextlib
import dataclasses
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests import cohort
from tests.flows.workplace import HOME, Workplace, latest, until
from tests.load.people import Shot, enrolment, shot, who
from tests.load.process import free_port
from tests.load.wire import Answer, Body, Line, as_json
from visavox import characterizer
from visavox.characterizer import Characterizer
from visavox.service import keys
from visavox.service.house import Actor
from visavox.store import Store
from visavox.store.records import Role, RunState
from visavox.training.production.engine import Engine

FRIDGE = "kitchen"
TARGETS = ("flow", "worker", "api")
_CUT_OFF = (OSError, http.client.HTTPException)
_BUSY = {503, 409}
"""What a client asks again after: the gate is full, or the first try is under way still."""


@dataclass(slots=True)
class Seen:
    """What the siege came to."""

    kills: dict[str, int] = field(default_factory=dict)
    enrolled: int = 0
    erased: int = 0
    runs: int = 0
    resumed: int = 0
    given_up: int = 0
    lost: int = 0
    """Acknowledged changes that are not in the live model."""
    foreign: int = 0
    """What is in the live model, and was not acknowledged."""
    settled_s: float = 0.0
    """From the last change to a champion that knows them all."""


class Program:
    """A program that is killed, and started again."""

    def __init__(self, words: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._command = [sys.executable, "-m", *words]
        self._environment, self._log = environment, log
        self._process = self._started()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = self._started()

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _started(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as out:
            return subprocess.Popen(
                self._command,
                cwd=HOME,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )


class Siege:
    """A house under siege; `run` does all of it once."""

    def __init__(
        self, folder: Path, nets: Characterizer, base_bundle: Path, *, seed: int = 0
    ) -> None:
        self.place = Workplace.made(folder, nets, base_bundle)
        self._lenient()
        self._folder, self._random = folder, random.Random(seed)
        self._admin = self._key()
        self._port = free_port()
        self.engine = Engine(HOME / "flows" / "retrain.py", HOME, self.place.places)
        self._members: dict[str, set[str]] = {}
        self._changed = time.monotonic()
        self._trouble: list[Exception] = []
        self.seen = Seen()

    def run(
        self,
        *,
        kills: int,
        changes: int,
        people: int = 6,
        pause_s: float = 6.0,
        inside: Callable[[Store], None] = lambda _: None,
    ) -> Seen:
        """So many changes, and kills between them; then wait until all is quiet, and look.

        `inside` is called then, while the programs are still there.
        """
        shots = [tuple(shot(who(i), k) for k in range(2)) for i in range(people)]
        environment = {**self.place.environment, "VISAVOX_LIMITS__RATE": "1e6"}
        with self.place.open() as store, contextlib.ExitStack() as stack:
            serve = ["api", "serve", "--port", str(self._port)]
            programs = {
                "api": Program(serve, environment, self._folder / "api.log"),
                "worker": Program(["flows", "worker"], environment, self._folder / "worker.log"),
            }
            for program in programs.values():
                stack.callback(program.end)
            self._ask("POST", "/v1/fridges", as_json({"id": FRIDGE, "name": "Kitchen"}))
            changing = threading.Thread(target=self._changes, args=(changes, shots))
            changing.start()
            done = 0
            while done < kills:
                time.sleep(self._random.uniform(0.2, 2 * pause_s))
                done += self._kill(TARGETS[done % len(TARGETS)], programs, store)
            changing.join()
            if self._trouble:
                raise self._trouble[0]
            self._settle(store)
            self._look(store)
            inside(store)
        return self.seen

    # --- the changes

    def _changes(self, count: int, shots: Sequence[tuple[Shot, ...]]) -> None:
        try:
            for number in range(count):
                if len(self._members) > 3 and self._random.random() < 0.45:
                    self._erase(self._random.choice(sorted(self._members)))
                else:
                    self._enrol(f"m{number}", shots[number % len(shots)])
                self._changed = time.monotonic()
                time.sleep(self._random.uniform(0.0, 4.0))
        except Exception as error:  # noqa: BLE001 (a thread's failure must reach the test)
            self._trouble.append(error)

    def _enrol(self, member: str, shots: Sequence[Shot]) -> None:
        fields = [
            ("id", member), ("name", f"Member {member}"), ("consent", "true"),
            ("accept_warnings", "true"),
        ]  # fmt: skip
        path = f"/v1/fridges/{FRIDGE}/members"
        body = enrolment(shots, fields)
        self._ask("POST", path, body, token=f"enrol-{member}")
        listed = self._ask("GET", f"{path}/{member}/captures").json()
        items = listed["items"] if isinstance(listed, dict) else listed
        self._members[member] = {capture["id"] for capture in items}
        self.seen.enrolled += 1

    def _erase(self, member: str) -> None:
        # Asked again after a cut, it may be gone already.
        self._ask("DELETE", f"/v1/fridges/{FRIDGE}/members/{member}", gone=True)
        del self._members[member]
        self.seen.erased += 1

    def _ask(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        token: str | None = None,
        gone: bool = False,
    ) -> Answer:
        """Until there is an answer, as a client does that wants its change done once."""
        headers = {} if token is None else {"Idempotency-Key": token}
        end = time.monotonic() + 300
        while True:
            with (
                contextlib.suppress(*_CUT_OFF),
                Line(f"http://127.0.0.1:{self._port}", self._admin) as line,
            ):
                answer = line.ask(method, path, body, headers)
                if answer.status < 300 or (gone and answer.status == 404):
                    return answer
                if answer.status == 409 and token is None:
                    return answer  # it was done before the cut
                if answer.status not in _BUSY:
                    raise AssertionError(f"{method} {path}: {answer.status} {answer.content!r}")
            if time.monotonic() > end:
                raise AssertionError(f"{method} {path} was never answered")
            time.sleep(0.2)

    # --- the kills

    def _kill(self, target: str, programs: dict[str, Program], store: Store) -> int:
        if target == "flow":
            run = latest(store)
            process = None if run is None else self.engine._process(run.id)
            if process is None or not process.alive:
                return 0  # none is at work: another moment
            victims = [process.pid]
            if self._random.random() < 0.5:
                victims = self._tasks(process.pid) or victims
            victim = self._random.choice(victims)
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
            target = "flow" if victim == process.pid else "task"
        else:
            programs[target].kill()
        self.seen.kills[target] = self.seen.kills.get(target, 0) + 1
        return 1

    @staticmethod
    def _tasks(group: int) -> list[int]:
        found = []
        for place in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = place.joinpath("stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == group and int(place.name) != group:
                    found.append(int(place.name))
        return found

    # --- the looking

    def _settle(self, store: Store) -> None:
        """Until nothing waits and nothing runs."""

        def quiet() -> bool:
            with store.read() as unit:
                return not unit.retraining.pending() and not unit.runs.at_work("retrain")

        until(quiet, 1800.0)
        self.seen.settled_s = round(time.monotonic() - self._changed, 1)

    def _look(self, store: Store) -> None:
        live = self._ask("GET", f"/v1/fridges/{FRIDGE}/model").json()
        with store.read() as unit:
            slot = self.place.house(store).models.slot(FRIDGE)
            parcel = slot.open(unit, str(live["bundle"]))
            there = set(unit.members.ids(FRIDGE))
            runs = unit.runs.page(flow="retrain", limit=200).items
            self.seen.given_up = len(unit.events.page(kind="retraining_given_up").items)
        model = parcel.bundle(parcel.characterizer)
        known = set(model.discriminator.members)
        learned = set(model.lineage["captures"])
        wanted = set(self._members)
        captures = {capture for of in self._members.values() for capture in of}
        self.seen.lost = len(wanted - known) + len(captures - learned) + len(wanted - there)
        self.seen.foreign = len(known - wanted) + len(learned - captures) + len(there - wanted)
        self.seen.runs = len(runs)
        self.seen.resumed = sum(self.engine.resumed(run.id) for run in runs)
        assert live["problem"] is None, live["problem"]
        assert live["provisional"] == 0, live
        assert all(run.state is not RunState.RUNNING for run in runs)

    # --- the making

    def _lenient(self) -> None:
        """What is put to the proof is that nothing is lost, not whether so few prove a model good."""
        recipe = yaml.safe_load(self.place.recipe.read_text(encoding="utf-8"))
        recipe["gate"] = {"limits": [{"metric": "served.fpir", "at_most": 1.0}], "margins": []}
        recipe["families"] = ["plda"]
        self.place.recipe.write_text(yaml.safe_dump(recipe), encoding="utf-8")

    def _key(self) -> str:
        with self.place.open() as store:
            house = self.place.house(store)
            issued = keys.create(house, Actor.operator(), role=Role.ADMIN, name="siege")
        return issued.secret


@contextlib.contextmanager
def _base(nets: Characterizer) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield cohort.base_bundle(Path(folder), nets)


def main(arguments: Sequence[str] | None = None) -> None:
    asked = argparse.ArgumentParser(prog="tests.flows.siege", description=__doc__)
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--changes", type=int, default=50)
    asked.add_argument("--pause", type=float, default=6.0, help="seconds between kills, on average")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--keep", type=Path, help="a folder to leave everything in")
    given = asked.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="visavox-siege-") as name,
        contextlib.closing(characterizer.load()) as nets,
        _base(nets) as base,
    ):
        siege = Siege(given.keep or Path(name), nets, base, seed=given.seed)
        seen = siege.run(kills=given.kills, changes=given.changes, pause_s=given.pause)
    said: dict[str, Any] = dataclasses.asdict(seen)
    print(json.dumps(said, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
