"""Many at once: what two of them do at the same moment is as if one had come after the other."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import cohort
from tests.service.scene import Hands, Kitchen, probe, sample
from visavox.errors import AlreadyEnrolled, ChallengeRefused, Conflict, Sealed, VisavoxError
from visavox.service import (
    attempts,
    audit,
    challenges,
    decisions,
    fridges,
    members,
    models,
    pins,
)
from visavox.service.snapshot import Snapshot
from visavox.store.records import DecisionOutcome
from visavox.types import Decision, Embeddings

GRANTED = DecisionOutcome.GRANTED


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of them gives, or raises, when all begin together."""
    start = threading.Barrier(len(acts))

    def act(do: Callable[[], Any]) -> Any:
        start.wait(30)
        try:
            return do()
        except VisavoxError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act, acts))


def test_of_two_who_enrol_under_one_id_one_becomes_the_member(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    found = at_once(lambda: kitchen.enrol(0, id="ada"), lambda: kitchen.enrol(1, id="ada"))
    assert sorted(type(f).__name__ for f in found) == ["Conflict", "Enrolled"]
    kept = members.read(kitchen.house, kitchen.admin, "kitchen", "ada")
    assert kept.captures == 2
    files = [p for p in (tmp_path / "captures").rglob("*") if p.is_file()]
    assert len(files) == 4, "the other's captures are not left behind"
    who = 0 if kept.name == "Persona 0" else 1
    assert kitchen.ask(probe(who)).decision.member == "ada"
    assert kitchen.ask(probe(1 - who)).decision.outcome is DecisionOutcome.REFUSED


def test_one_person_enrolled_twice_at_once_is_noticed(kitchen: Kitchen) -> None:
    again = [sample(0, 2, 0), sample(0, 2, 1)]
    found = at_once(
        lambda: kitchen.enrol(0, id="one"), lambda: kitchen.enrol(0, id="two", samples=again)
    )
    assert sum(isinstance(f, AlreadyEnrolled) for f in found) == 1
    assert len(members.page(kitchen.house, kitchen.admin, "kitchen").items) == 1


def meanwhile(do: Callable[[], object], monkeypatch: Any) -> None:
    """Let `do` happen after a probe was scored, and before its answer is kept."""
    judge = Snapshot.decide

    def slow(self: Snapshot, seen: Embeddings, scores: Any) -> Decision:
        decided = judge(self, seen, scores)
        monkeypatch.undo()
        do()
        return decided

    monkeypatch.setattr(Snapshot, "decide", slow)


def test_who_is_erased_while_the_nets_look_at_them_is_not_let_in(
    kitchen: Kitchen, monkeypatch: Any
) -> None:
    kitchen.enrol(0)
    erase = lambda: members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")  # noqa: E731
    meanwhile(erase, monkeypatch)
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is DecisionOutcome.REFUSED
    assert answer.decision.reasons == ("member_removed",)
    assert (answer.decision.member, answer.ticket, answer.member) == (None, None, None)
    with kitchen.house.store.read() as unit, pytest.raises(Sealed):
        unit.decisions.probe(answer.decision.id)


def test_nobody_is_let_in_as_whoever_was_given_their_id_meanwhile(
    kitchen: Kitchen, hands: Hands, monkeypatch: Any
) -> None:
    kitchen.enrol(0, id="ada")

    def give_away() -> None:
        hands.pass_by(0.1)
        members.remove(kitchen.house, kitchen.admin, "kitchen", "ada")
        kitchen.enrol(1, id="ada")

    meanwhile(give_away, monkeypatch)
    answer = kitchen.ask(probe(0))
    assert (answer.decision.outcome, answer.ticket) == (DecisionOutcome.REFUSED, None)
    assert answer.decision.reasons == ("member_removed",)
    assert kitchen.ask(probe(1)).decision.member == "ada"


def test_a_kiosk_that_is_locked_while_the_nets_look_opens_nothing(
    kitchen: Kitchen, monkeypatch: Any
) -> None:
    kitchen.enrol(0)

    def lock() -> None:
        for _ in range(5):
            pins.authenticate(kitchen.house, kitchen.kiosk, fridge="kitchen", number="1", pin="2")

    meanwhile(lock, monkeypatch)
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is DecisionOutcome.LOCKED
    assert (answer.ticket, answer.member, answer.compartments) == (None, None, ())


def test_failures_at_the_same_moment_all_count(kitchen: Kitchen) -> None:
    def fail() -> Any:
        return pins.authenticate(
            kitchen.house, kitchen.kiosk, fridge="kitchen", number="1", pin="2"
        )

    found = at_once(*[fail] * 8)
    outcomes = [a.decision.outcome for a in found]
    assert outcomes.count(DecisionOutcome.REFUSED) == 5
    assert outcomes.count(DecisionOutcome.LOCKED) == 3
    standing = fridges.standing(kitchen.house, kitchen.admin, "kitchen")
    assert standing.lock.failures == 5
    assert audit.verification(kitchen.house, kitchen.admin).valid


def test_a_challenge_answered_twice_at_once_is_good_for_one(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    drawn = challenges.draw(kitchen.house, kitchen.kiosk, "kitchen")
    found = at_once(*[lambda: kitchen.ask(probe(0), challenge=drawn.id)] * 4)
    assert sum(isinstance(f, ChallengeRefused) for f in found) == 3
    assert len(decisions.page(kitchen.house, kitchen.admin).items) == 1


def test_a_bundle_is_swapped_under_requests_that_are_at_work(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    """Every answer names one bundle and is right by it; none fails."""
    for who in (0, 1):
        kitchen.enrol(who)
    house, admin = kitchen.house, kitchen.admin
    with house.store.read() as unit:
        found = unit.captures.of_fridge("kitchen")
    seen = {m: [c.embeddings for c in captures] for m, captures in found.items()}
    nets = house.perception.characterizer
    made = [
        cohort.trained_bundle(tmp_path / "made", nets, "kitchen", seen, lineage={"run": str(i)})
        for i in range(2)
    ]
    stop = threading.Event()

    def swap() -> None:
        for i in range(6):
            models.install(house, admin, "kitchen", made[i % 2])
        stop.set()

    def ask(who: int) -> list[Any]:
        given = []
        while not stop.is_set():
            given.append(kitchen.ask(probe(who)).decision)
        return given

    swapped, *answers = at_once(swap, lambda: ask(0), lambda: ask(1))
    assert swapped is None
    for who, given in enumerate(answers):
        assert isinstance(given, list), given
        assert {(d.outcome, d.member) for d in given} == {(GRANTED, f"p{who}")}
        assert {d.bundle for d in given} <= {None, *(p.name for p in made)}


def test_everybody_comes_and_goes_at_once(kitchen: Kitchen) -> None:
    """Enrolling, erasing, asking, unlocking together: no deadlock, and the log holds."""
    house, admin = kitchen.house, kitchen.admin
    kitchen.enrol(0)

    def come_and_go(who: int) -> None:
        for _ in range(2):
            kitchen.enrol(who)
            members.remove(house, admin, "kitchen", f"p{who}")

    def ask(who: int) -> None:
        for _ in range(4):
            kitchen.ask(probe(who))

    def lift() -> None:
        for _ in range(4):
            attempts.unlock(house, admin, "kitchen")

    found = at_once(
        lambda: come_and_go(1), lambda: come_and_go(2), lambda: ask(0), lambda: ask(1), lift
    )
    assert found == [None] * 5
    assert [m.id for m in members.page(house, admin, "kitchen").items] == ["p0"]
    assert audit.verification(house, admin).valid
    attempts.unlock(house, admin, "kitchen")
    assert kitchen.ask(probe(0)).decision.outcome is GRANTED


def test_an_id_is_free_again_for_one_of_many(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    found = at_once(*[lambda who=who: kitchen.enrol(who, id="p0") for who in (1, 2, 3)])
    assert sum(isinstance(f, Conflict) for f in found) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nobody_waits_at_the_door_while_an_enrolments_captures_are_put_away(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time; PostgreSQL's others go on while the capture store is slow."""
    number = kitchen.enrol(0, pin="739182").member.number
    blobs = kitchen.house.store.blobs
    put, began, go_on = blobs.put, threading.Event(), threading.Event()

    def slow(name: str, content: bytes) -> None:
        began.set()
        assert go_on.wait(60)
        put(name, content)

    monkeypatch.setattr(blobs, "put", slow)
    with ThreadPoolExecutor(1) as pool:
        enrolling = pool.submit(kitchen.enrol, 1)
        try:
            assert began.wait(60)
            answer = pins.authenticate(
                kitchen.house, kitchen.kiosk, fridge="kitchen", number=number, pin="739182"
            )
            assert answer.decision.outcome is GRANTED
            assert not enrolling.done()
        finally:
            go_on.set()
    assert enrolling.result().usable_at_once


def test_members_who_come_at_the_same_moment_are_all_let_in(kitchen: Kitchen) -> None:
    """A success forgets failures, which others are about to count: neither is in the other's way."""
    number = kitchen.enrol(0, pin="739182").member.number

    def enter() -> Any:
        return pins.authenticate(
            kitchen.house, kitchen.kiosk, fridge="kitchen", number=number, pin="739182"
        )

    for _ in range(5):
        found = at_once(*[enter] * 6)
        assert [getattr(f, "decision", f).outcome for f in found] == [GRANTED] * 6
        pins.authenticate(kitchen.house, kitchen.kiosk, fridge="kitchen", number="1", pin="2")
