"""Several at once: nothing is lost, nothing is done twice, nobody waits for ever."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.store.people import NAME, NOW, decision, embeddings, enrol, furnish, later, raw
from visavox.errors import (
    Conflict,
    IdempotencyInFlight,
    NotFound,
    Sealed,
    StoreError,
    VisavoxError,
)
from visavox.store import Store
from visavox.store import open as open_store
from visavox.store.keyring import Keyring, MasterKey
from visavox.store.retraining import Patience


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each gave, or the error of ours that it raised; all begin at the same moment."""
    barrier = threading.Barrier(len(calls))

    def one(call: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return call()
        except VisavoxError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def kinds(results: Sequence[object]) -> list[str]:
    return sorted(type(result).__name__ for result in results)


def test_of_several_who_enrol_the_same_member_one_does(store: Store) -> None:
    furnish(store)
    results = at_once(*[lambda: enrol(store, captures=2)] * 4)
    assert kinds(results) == ["Conflict", "Conflict", "Conflict", "tuple"]
    with store.read() as unit:
        captures = unit.captures.of("kitchen", "zoe")
        assert [unit.captures.raw(c) for c in captures] == [raw(0), raw(1)]
        assert unit.members.get("kitchen", "zoe").captures == 2
    # The others' captures are not left behind.
    assert len(list(store.blobs.names())) == 4


def test_members_who_are_enrolled_side_by_side_are_all_there(store: Store) -> None:
    furnish(store)
    names = [f"m{i}" for i in range(6)]
    at_once(*[lambda name=name: enrol(store, name) for name in names])
    with store.read() as unit:
        members = unit.members.page("kitchen").items
        assert [m.id for m in members] == names
        assert len({m.number for m in members}) == 6
        assert unit.fridges.revision("kitchen") == 1 + 2 * 6


def test_audit_records_appended_side_by_side_are_one_chain(store: Store) -> None:
    def append(who: int) -> None:
        for i in range(5):
            with store.begin() as unit:
                unit.events.add(at=NOW, fridge="kitchen", kind="locked")
                unit.audit.append(at=later(i), actor=f"key_{who}", action="a", subject="s")

    at_once(*[lambda who=who: append(who) for who in range(6)])
    with store.read() as unit:
        found = unit.audit.verify()
        assert (found.valid, found.records) == (True, 30)


def test_failures_counted_side_by_side_all_count(store: Store) -> None:
    def fail() -> None:
        for _ in range(5):
            with store.begin() as unit:
                for counted in unit.attempts.claim("kiosk:a", "fridge:b"):
                    unit.attempts.put(replace(counted, consecutive=counted.consecutive + 1))

    def fail_in_the_other_order() -> None:
        for _ in range(5):
            with store.begin() as unit:
                for counted in unit.attempts.claim("fridge:b", "kiosk:a"):
                    unit.attempts.put(replace(counted, consecutive=counted.consecutive + 1))

    assert at_once(fail, fail_in_the_other_order, fail, fail_in_the_other_order) == [None] * 4
    with store.read() as unit:
        assert unit.attempts.get("kiosk:a").consecutive == 20
        assert unit.attempts.get("fridge:b").consecutive == 20


def test_a_challenge_is_used_up_by_one_alone(store: Store) -> None:
    with store.begin() as unit:
        made = unit.challenges.add(
            fridge="kitchen", kiosk="hall", digits="12345", at=NOW, expires_at=later(60)
        )

    def use() -> bool:
        with store.begin() as unit:
            return unit.challenges.consume(made.id, at=later(1))

    assert sorted(at_once(*[use] * 6)) == [False] * 5 + [True]  # type: ignore[type-var]


def test_of_two_who_change_what_they_read_one_is_told(store: Store) -> None:
    furnish(store)
    enrol(store)
    with store.read() as unit:
        read = unit.members.get("kitchen", "zoe")

    def rename(name: str) -> object:
        with store.begin() as unit:
            return unit.members.update(replace(read, name=name), expected_version=1)

    results = at_once(lambda: rename("A"), lambda: rename("B"))
    assert kinds(results) == ["Member", "Stale"]


def test_the_same_request_sent_at_once_is_done_once(store: Store) -> None:
    def ask() -> object:
        with store.begin() as unit:
            return unit.idempotency.begin("key_a", "token", "f", at=NOW)

    results = at_once(*[ask] * 4)
    assert sum(r is None for r in results) == 1
    assert sum(isinstance(r, IdempotencyInFlight) for r in results) == 3


def test_deleting_while_others_read_decide_and_add_leaves_nothing_half(store: Store) -> None:
    """Whoever comes first; afterwards there is no row, no blob and no key."""
    furnish(store)
    for round_ in range(3):
        enrol(store)

        def read() -> object:
            with store.read() as unit:
                return [unit.captures.raw(c) for c in unit.captures.of("kitchen", "zoe")]

        def decide() -> object:
            with store.begin() as unit:
                unit.members.get("kitchen", "zoe", lock=True)
                return unit.decisions.add(decision(), probe=embeddings())

        def add() -> object:
            with store.begin() as unit:
                return unit.captures.add(
                    "kitchen", "zoe", embeddings=embeddings(3), raw=raw(3), at=later(3)
                )

        def grant() -> object:
            with store.begin() as unit:
                return unit.grants.put("kitchen", "zoe", "top", at=NOW)

        def delete() -> object:
            with store.begin() as unit:
                return unit.members.delete("kitchen", "zoe")

        results = at_once(read, decide, add, grant, delete)
        allowed = (NotFound, Sealed, StoreError)
        assert all(not isinstance(r, VisavoxError) or isinstance(r, allowed) for r in results)
        assert type(results[-1]).__name__ == "Erased", (round_, results)
        assert list(store.blobs.names()) == []
        with store.read() as unit:
            assert unit.members.ids("kitchen") == ()
            assert unit.grants.page("kitchen", "zoe").items == ()
            for kept in unit.decisions.page(member="zoe").items:
                with pytest.raises(Sealed):
                    unit.decisions.probe(kept.id)


def test_of_two_who_delete_a_member_one_does(store: Store) -> None:
    furnish(store)
    enrol(store)

    def delete() -> object:
        with store.begin() as unit:
            return unit.members.delete("kitchen", "zoe")

    assert kinds(at_once(delete, delete)) == ["Erased", "NotFound"]


def test_a_fridge_is_not_deleted_under_a_member_who_is_being_enrolled(store: Store) -> None:
    furnish(store, compartments=())

    def delete() -> object:
        with store.begin() as unit:
            unit.fridges.delete("kitchen")
        return None

    enrolled, deleted = at_once(lambda: enrol(store), delete)
    assert (isinstance(enrolled, NotFound), isinstance(deleted, Conflict)) in {
        (True, False),
        (False, True),
    }
    assert len(list(store.blobs.names())) == (0 if deleted is None else 2)


def test_rotating_while_members_come_and_go_leaves_everybody_under_the_new_key(
    store: Store, database_url: str, keyring: Keyring
) -> None:
    new = MasterKey.made()
    both = open_store(database_url, keyring=Keyring.of(new, keyring.newest), blobs=store.blobs)
    furnish(both)
    for i in range(8):
        enrol(both, f"m{i}", captures=0)

    def come() -> None:
        for i in range(8, 14):
            enrol(both, f"m{i}", captures=0)

    def go() -> None:
        for i in range(4):
            with both.begin() as unit:
                unit.members.delete("kitchen", f"m{i}")

    results = at_once(come, go, lambda: both.rotate(at=NOW))
    assert not any(isinstance(r, Exception) for r in results), results
    assert both.wrapped() == {new.id: 12}
    with both.read() as unit:
        assert {m.name for m in unit.members.page("kitchen").items} == {NAME}
    both.close()


def test_of_workers_who_claim_at_once_one_gets_all_and_none_gets_the_same(store: Store) -> None:
    with store.begin() as unit:
        for i in range(6):
            unit.retraining.request(f"f{i % 3}", reason="member_added", at=later(i))

    def claim() -> object:
        with store.begin() as unit:
            fridges = unit.retraining.waiting(at=later(99), patience=Patience(), limit=2)
            run = unit.runs.begin("retrain", fridges, reason="test", at=later(99))
            claimed = unit.retraining.claim(run.id, fridges, at=later(99))
            return tuple(sorted(request.fridge for request in claimed))

    results = at_once(*[claim] * 4)
    assert sorted(results) == [(), (), ("f0", "f0", "f1", "f1"), ("f2", "f2")]  # type: ignore[type-var]
