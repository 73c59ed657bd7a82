"""Kiosks that never stop asking, while the model under them is swapped to and fro.

The service runs as an operator starts it, with one process or several; bundles are swapped from
outside, as a retraining does. Afterwards every decision is scored again from its stored probe with
the bundle that it names: where another bundle had any part in it, the numbers differ.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import cohort
from tests.load.house import done, kiosk_key, membership
from tests.load.people import Shot, shot, who
from tests.load.server import api
from tests.load.wire import Body, Line, as_json
from visavox import bundle
from visavox.bundle import Bundle
from visavox.characterizer import Characterizer
from visavox.perception import Perception
from visavox.pipeline import Pipeline
from visavox.service import rollout
from visavox.service.house import Actor, House
from visavox.service.models import Models
from visavox.service.parcel import Parcel
from visavox.service.rollout import Place
from visavox.store.records import DecisionRecord
from visavox.store.settings import StoreSettings
from visavox.tickets import Signer

FRIDGE, RISK = "kitchen", "low"
MEMBERS = 3
AUTHENTICATIONS = "/v1/authentications"
_ACTOR = Actor.operator("swap")
_PATIENCE_S = 60.0


@dataclass(slots=True)
class Seen:
    """What came of it."""

    statuses: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    """Answers that were none, or that did not let the member in."""
    swaps: int = 0
    by_bundle: Counter[str | None] = field(default_factory=Counter)
    """Decisions, by the bundle that they name."""
    mixed: list[str] = field(default_factory=list)
    """Decisions that the bundle that they name does not give."""
    ambiguous: int = 0
    """Decisions that either bundle gives: they prove nothing."""
    back_s: list[float] = field(default_factory=list)
    """From asking for a roll-back to the first answer of the bundle before."""

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())


def swapped(
    folder: Path,
    base: Path,
    nets: Characterizer,
    *,
    swaps: int = 30,
    kiosks: int = 4,
    workers: int = 1,
    pause_s: float = 0.1,
) -> Seen:
    """Swap so often, under so many kiosks; and roll back three times more, with a stopwatch."""
    seen = Seen()
    with ExitStack() as stack:
        served, admin = stack.enter_context(api(folder, base, workers=workers))
        people = [[shot(who(i), k) for k in range(4)] for i in range(1, MEMBERS + 1)]
        with Line(served.host, admin) as line:
            _enrol(line, people)
            secrets = [kiosk_key(line, f"door-{i}", [FRIDGE]) for i in range(kiosks + 1)]
        house = stack.enter_context(_house(folder / "state", nets))
        two = _two(house, folder, nets)
        for path in two:
            _deploy(house, path)
        probes = [shots[3].probe(FRIDGE) for shots in people]
        with _hammering(served.host, secrets[:-1], probes, seen):
            for turn in range(swaps):
                _swap(house, turn, two)
                seen.swaps += 1
                time.sleep(pause_s)
            with Line(served.host, secrets[-1]) as line:
                seen.back_s = [_back(house, line, probes[0]) for _ in range(3)]
        _judge(house, nets, two, seen)
    return seen


def _enrol(line: Line, people: list[list[Shot]]) -> None:
    asked = {"id": FRIDGE, "name": "Kitchen", "risk": RISK}
    done(line.ask("POST", "/v1/fridges", as_json(asked)))
    shelf = {"id": "shelf", "name": "Shelf"}
    done(line.ask("POST", f"/v1/fridges/{FRIDGE}/compartments", as_json(shelf)))
    for i, shots in enumerate(people):
        body = membership(f"Member {i}", shots[:3], f"m{i}")
        done(line.ask("POST", f"/v1/fridges/{FRIDGE}/members", body))


@contextmanager
def _house(state: Path, nets: Characterizer) -> Iterator[House]:
    """Another process's view of the same state, as a retraining has it."""
    settings = StoreSettings(state=state, environment="development")
    store = settings.open()
    try:
        with Perception(nets, side_by_side=False) as perception:
            yield House(store, Models(settings.models, nets), perception, Signer.made())
    finally:
        store.close()


def _two(house: House, folder: Path, nets: Characterizer) -> tuple[Path, Path]:
    """Two bundles of the same members, of families that never score alike."""
    with house.store.read() as unit:
        found = unit.captures.of_fridge(FRIDGE)
    members = {m: [c.embeddings for c in captures] for m, captures in found.items()}
    lineage = {"as_of": house.clock().isoformat()}
    first, second = (
        cohort.trained_bundle(
            folder / "trained", nets, FRIDGE, members, family=family, lineage=lineage
        )
        for family in ("plda", "prototype")
    )
    return first, second


def _deploy(house: House, path: Path, place: Place = Place.CHAMPION) -> None:
    """As a training leaves it: sealed under the fridge's key."""
    found = bundle.load(path, characterizer_digest=None)
    with house.store.begin() as unit:
        unit.fridges.lock(FRIDGE)
        sealed = unit.bundles.seal(FRIDGE, found.digest, Parcel.of(path, found).pack())
    rollout.deploy(house, _ACTOR, FRIDGE, sealed, found.digest, place=place)


def _swap(house: House, turn: int, two: tuple[Path, Path]) -> None:
    """Each way there is to change what is live, in turn."""
    live = house.models.slot(FRIDGE).standing()
    other = next(path for path in two if path.name != live.champion)
    if turn % 3 == 0:
        rollout.rollback(house, _ACTOR, FRIDGE)
    elif turn % 3 == 1:
        _deploy(house, other)
    else:
        _deploy(house, other, Place.CHALLENGER)
        rollout.promote_challenger(house, _ACTOR, FRIDGE, digest=other.name)


def _back(house: House, line: Line, probe: Body) -> float:
    """Seconds until the service decides by the bundle before."""
    wanted = house.models.slot(FRIDGE).standing().previous
    began = time.perf_counter()
    rollout.rollback(house, _ACTOR, FRIDGE)
    while time.perf_counter() - began < _PATIENCE_S:
        told = done(line.ask("POST", AUTHENTICATIONS, probe))
        if told["models"]["bundle"] == wanted:
            return time.perf_counter() - began
    raise RuntimeError(f"The service went on with another bundle for {_PATIENCE_S:g} s.")


@contextmanager
def _hammering(host: str, keys: list[str], probes: list[Body], seen: Seen) -> Iterator[None]:
    over, lock = threading.Event(), threading.Lock()

    def kiosk(turn: int, key: str) -> None:
        with Line(host, key) as line:
            while not over.is_set():
                turn += 1
                try:
                    answer = line.ask("POST", AUTHENTICATIONS, probes[turn % len(probes)])
                except OSError as error:
                    with lock:
                        seen.statuses[0] += 1
                        seen.failed.append(repr(error))
                    continue
                member = f"m{turn % len(probes)}"
                right = answer.status == 200 and _granted(answer.json()) == member
                with lock:
                    seen.statuses[answer.status] += 1
                    if not right:
                        seen.failed.append(f"{answer.status} {answer.content[:300]!r}")

    threads = [threading.Thread(target=kiosk, args=pair) for pair in enumerate(keys)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _granted(told: Mapping[str, object]) -> object:
    member = told["member"]
    return member["id"] if isinstance(member, dict) else None


def _judge(house: House, nets: Characterizer, two: tuple[Path, Path], seen: Seen) -> None:
    """Score every stored probe again with the bundle that its decision names, and the other."""
    loaded = {p.name: bundle.load(p, characterizer_digest=nets.digest) for p in two}
    for decision in _decisions(house):
        seen.by_bundle[decision.bundle] += 1
        named = loaded.get(decision.bundle or "")
        others = [b for digest, b in loaded.items() if digest != decision.bundle]
        if named is None or not _gives(house, nets, named, decision):
            seen.mixed.append(decision.id)
        seen.ambiguous += any(_gives(house, nets, other, decision) for other in others)


def _gives(house: House, nets: Characterizer, by: Bundle, decision: DecisionRecord) -> bool:
    with house.store.read() as unit:
        probe = unit.decisions.probe(decision.id)
    with Pipeline(nets, by, risk=RISK, side_by_side=False) as pipeline:
        again = pipeline.decide(probe)
    return (again.candidates, again.threshold, again.member) == (
        decision.candidates,
        decision.threshold,
        decision.member,
    )


def _decisions(house: House) -> Iterator[DecisionRecord]:
    cursor = None
    while True:
        with house.store.read() as unit:
            page = unit.decisions.page(fridges=[FRIDGE], cursor=cursor, limit=200)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
