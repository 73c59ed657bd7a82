"""The outbox: each change asks for a retraining, and each fridge is given to one worker."""

import pytest

from tests.store.people import later
from visavox.store import Store
from visavox.store.records import RetrainingRequest


def ask(store: Store, fridge: str, second: float) -> RetrainingRequest:
    with store.begin() as unit:
        return unit.retraining.request(fridge, reason="member_added", at=later(second))


def claim(store: Store, second: float) -> list[str]:
    with store.begin() as unit:
        claimed = unit.retraining.claim(at=later(second), stale_before=later(second - 600))
        assert all(request.claimed_at == later(second) for request in claimed)
        return [request.id for request in claimed]


def test_a_worker_is_given_all_that_one_fridge_waits_for(store: Store) -> None:
    kitchen, hall, again = ask(store, "kitchen", 0), ask(store, "hall", 1), ask(store, "kitchen", 2)
    assert claim(store, 10) == [kitchen.id, again.id]
    # A change meanwhile waits until the worker is done with that fridge.
    late = ask(store, "kitchen", 11)
    assert claim(store, 12) == [hall.id]
    assert claim(store, 13) == []
    with store.begin() as unit:
        unit.retraining.done(unit.retraining.pending("kitchen")[:2], at=later(20))
        assert unit.retraining.pending("kitchen") == (late,)
    assert claim(store, 21) == [late.id]


def test_what_a_worker_left_undone_is_given_to_the_next(store: Store) -> None:
    kitchen = ask(store, "kitchen", 0)
    assert claim(store, 10) == [kitchen.id]
    assert claim(store, 609) == []
    assert claim(store, 611) == [kitchen.id]


def test_a_change_that_fails_asks_for_nothing(store: Store) -> None:

    def fail() -> None:
        with store.begin() as unit:
            unit.retraining.request("kitchen", reason="member_added", at=later(0))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with store.read() as unit:
        assert unit.retraining.pending() == ()
