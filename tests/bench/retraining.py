"""Retraining through the whole flow, as it is in production: `python -m tests.bench retraining`.

API and worker run as an operator starts them. What is timed is what people wait for: from the
answer to an enrolment until the champion that knows the newcomer serves. Its parts may be measured
alone: `python -m tests.bench.retraining member fridges siege swap replay`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench import retraining_replay, retraining_swap
from tests.bench.report import ROOT, record
from tests.flows.siege import Program, Siege
from tests.flows.workplace import Workplace, latest, until
from tests.load.base import cohort_base
from tests.load.people import enrolment, shot, who
from tests.load.process import free_port
from tests.load.wire import Line
from tests.training.production import ground, household
from visavox import characterizer
from visavox.characterizer import Characterizer
from visavox.service import keys, models
from visavox.service.house import Actor, utc_now
from visavox.store import Store
from visavox.store.records import Role, Run, RunState
from visavox.training.production import settings
from visavox.training.production.backgrounds import Cohort
from visavox.types import Embeddings

REPORT = ROOT / "reports" / "retraining.json"
SIZES = (20, 200)
FRIDGES, MEMBERS = 100, 20
SOME = 25
"""Of them, changed alone: whether the cost is linear shows between one, these and all."""
CAPTURES = 5  # as tests.bench.retrain; of three, too many of 200 members are turned away
TURNS = 2
_ASIDE = 220
"""People of the cohort who are members here, and taught nobody."""

Figures = tuple[dict[str, Any], dict[str, Any]]


def run() -> None:
    measured: dict[str, Any] = {}
    trials: dict[str, Any] = {}
    for name in PARTS:
        figures, how = PARTS[name]()
        measured |= figures
        trials |= how
        record(f"retraining.{name}", figures, trials=how, path=REPORT)


def member() -> Figures:
    """One more member in fridges of several sizes."""
    figures: dict[str, Any] = {}
    spent: dict[int, list[float]] = {}
    for size in SIZES:
        with _house() as house:
            house.fill("kitchen", size - TURNS)
            house.settled()
            spent[size] = [house.joined("kitchen", size - TURNS + i + 1, i) for i in range(TURNS)]
        figures[f"member_{size}_s"] = round(max(spent[size]), 1)
    how = {"turns": TURNS, "cohort_people": house.cohort, "captures_per_member": CAPTURES}
    return figures, how | {f"member_{size}_all_s": spent[size] for size in SIZES}


def fridges() -> Figures:
    """Many fridges at once, then some of them, then one: what each costs, and what a run costs."""
    with _house() as house:
        names = [f"f{i:03d}" for i in range(FRIDGES)]
        for name in names:
            house.fill(name, MEMBERS)
        first = house.settled()
        house.warm(names[0])
        took = {count: _seconds(house.changed(names[:count])) for count in (1, SOME, FRIDGES)}
    alone = took[1]
    figures = {
        "fridges_100_s": round(took[FRIDGES], 1),
        "fridges_100_s_per_fridge": round((took[FRIDGES] - alone) / (FRIDGES - 1), 2),
        "fridges_25_s_per_fridge": round((took[SOME] - alone) / (SOME - 1), 2),
        "fridges_fixed_s": round(alone, 1),
        "fridges_first_s_per_fridge": round((_seconds(first) - alone) / (FRIDGES - 1), 2),
    }
    return figures, {"fridges": FRIDGES, "members": MEMBERS, "cohort_people": house.cohort}


def siege() -> Figures:
    """Fifty kills during fifty enrolments and deletions."""
    with (
        tempfile.TemporaryDirectory(prefix="visavox-siege-") as name,
        closing(characterizer.load()) as nets,
    ):
        seen = Siege(Path(name), nets, cohort_base(), seed=1).run(kills=50, changes=50)
    figures = {"kills": sum(seen.kills.values()), "lost": seen.lost, "foreign": seen.foreign}
    how = {
        "changes": seen.enrolled + seen.erased,
        "killed": dict(sorted(seen.kills.items())),
        "runs": seen.runs,
        "resumed": seen.resumed,
        "given_up": seen.given_up,
    }
    return figures, how


def swap() -> Figures:
    return retraining_swap.figures()


def replay() -> Figures:
    return retraining_replay.figures(_house)


PARTS = {"member": member, "fridges": fridges, "siege": siege, "swap": swap, "replay": replay}


class House:
    """API, worker and people who may become members."""

    def __init__(
        self,
        place: Workplace,
        store: Store,
        host: str,
        admin: str,
        cast: Sequence[list[Embeddings]],
    ) -> None:
        self._place, self._store, self._host, self._admin = place, store, host, admin
        self._cast = cast
        self.cohort = 0

    @property
    def host(self) -> str:
        return self._host

    @property
    def admin(self) -> str:
        """The secret of an admin's key."""
        return self._admin

    @property
    def environment(self) -> dict[str, str]:
        """What a command is told that looks at this house."""
        return self._place.environment

    def fill(self, fridge: str, count: int) -> None:
        """Members whose captures were taken before; who is in many fridges is the same person."""
        household.furnish(self._store, fridge, utc_now())
        for i in range(count):
            household.enrol(
                self._store, self._place.nets, fridge, f"m{i}", self._cast[i], utc_now()
            )

    def settled(self) -> Run:
        """The latest run, once nothing waits any more."""

        def over() -> Run | None:
            run = latest(self._store)
            with self._store.read() as unit:
                waits = unit.retraining.pending()
            return run if run and not waits and run.state is not RunState.RUNNING else None

        run: Run = until(over, 3600.0)
        assert run.state is RunState.DONE, run.error
        self._accepted()
        return run

    def _accepted(self) -> None:
        """What its gate refuses never serves, and nothing would be timed."""
        with self._store.read() as unit:
            refused = unit.events.page(kind="retraining_refused").items
        assert not refused, refused[0].detail["reasons"]

    def warm(self, fridge: str) -> None:
        self.changed([fridge])

    def changed(self, fridges: Sequence[str]) -> Run:
        """A change in each of these, at once, and the run that it came to."""
        at = utc_now()
        with self._store.begin() as unit:
            for fridge in fridges:
                unit.retraining.request(fridge, reason="member_enrolled", at=at)
        run = self.settled()
        assert set(run.fridges) == set(fridges)
        return run

    def joined(self, fridge: str, members: int, index: int) -> float:
        """Seconds from the answer to an enrolment until the champion that knows them serves."""
        someone = who(100 + index)
        fields = [
            ("id", f"new{index}"), ("name", f"New {index}"), ("consent", "true"),
            ("accept_warnings", "true"),
        ]  # fmt: skip
        shots = [shot(someone, i, session=i % 3) for i in range(CAPTURES)]
        with Line(self._host, self._admin) as line:
            path = f"/v1/fridges/{fridge}"
            answer = line.ask("POST", f"{path}/members", enrolment(shots, fields))
            assert answer.status == 201, answer.content
            began = time.perf_counter()

            def serves() -> bool:
                self._accepted()
                live: Mapping[str, Any] = line.ask("GET", f"{path}/model").json()
                return bool(live["members"] == members and live["provisional"] == 0)

            until(serves, 1800.0)
            spent = time.perf_counter() - began
        self.settled()
        return round(spent, 1)


@contextmanager
def _house() -> Iterator[House]:
    """Nothing is trained in it yet; the recipe is that of production."""
    with tempfile.TemporaryDirectory(prefix="visavox-bench-") as name, ExitStack() as stack:
        nets = stack.enter_context(closing(characterizer.load()))
        root = Path(name)
        place, cast, taught = _place(root, nets)
        store = stack.enter_context(place.open())
        store.migrate()
        house = place.house(store)
        models.install_base(house, Actor.operator(), cohort_base())
        admin = keys.create(house, Actor.operator(), role=Role.ADMIN, name="bench").secret
        port = free_port()
        told = {**place.environment, "VISAVOX_LIMITS__RATE": "1e6"}
        for words in (["api", "serve", "--port", str(port)], ["flows", "worker"]):
            stack.callback(Program(words, told, root / f"{words[0]}.log").end)
        host = f"http://127.0.0.1:{port}"
        until(lambda: _ready(host), 180.0)
        made = House(place, store, host, admin, cast)
        made.cohort = taught
        yield made


def _place(root: Path, nets: Characterizer) -> tuple[Workplace, list[list[Embeddings]], int]:
    """The real cohort, less those who are members here."""
    whole = Cohort.read(settings.read())
    names = list(dict.fromkeys(whole.people))
    rest = whole.of_people(names[:-_ASIDE])
    place = Workplace(root / "state", root / "data", ROOT / "configs" / "retrain.yaml", nets)
    ground.on_disk(place.data, nets, rest)
    cast = []
    for name in names[-_ASIDE:]:
        rows = [i for i, person in enumerate(whole.people) if person == name]
        # Of several sessions: those are spread over a person's captures.
        chosen = np.linspace(0, len(rows) - 1, min(CAPTURES, len(rows))).astype(int)
        cast.append([household.of(whole.table, rows[i]) for i in chosen])
    return place, cast, len(names) - _ASIDE


def _ready(host: str) -> bool:
    try:
        with Line(host) as line:
            return line.ask("GET", "/readyz").status == 200
    except OSError:
        return False


def _seconds(run: Run) -> float:
    assert run.ended_at is not None
    return (run.ended_at - run.started_at).total_seconds()


if __name__ == "__main__":
    for part in sys.argv[1:]:
        print(json.dumps(dict(zip(("figures", "how"), PARTS[part](), strict=True)), indent=1))  # noqa: T201
