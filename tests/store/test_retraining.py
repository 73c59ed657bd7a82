"""The outbox: each change asks for a retraining, each is in one run at a time, none is lost."""

from datetime import timedelta

import pytest

from tests.store.people import later
from visavox.store import Store
from visavox.store.records import RetrainingRequest, RunState
from visavox.store.retraining import Patience

PATIENCE = Patience()


def ask(store: Store, fridge: str, second: float) -> RetrainingRequest:
    with store.begin() as unit:
        return unit.retraining.request(fridge, reason="member_added", at=later(second))


def begin(store: Store, second: float, *, limit: int = 100) -> tuple[str, list[str]]:
    """A run over all that wait: its id, and the requests that it took on."""
    with store.begin() as unit:
        fridges = unit.retraining.waiting(at=later(second), patience=PATIENCE, limit=limit)
        if not fridges:
            return "", []
        run = unit.runs.begin("retrain", fridges, reason="test", at=later(second))
        claimed = unit.retraining.claim(run.id, fridges, at=later(second))
    assert all(request.claimed_at == later(second) for request in claimed)
    return run.id, [request.id for request in claimed]


def end(store: Store, run: str, second: float, *done: str) -> None:
    with store.begin() as unit:
        for fridge in done:
            unit.retraining.done(run, fridge, at=later(second))
        unit.retraining.failed(run, None, "it broke", at=later(second), attempts=5)
        unit.runs.end(run, RunState.DONE, at=later(second))


def test_one_run_takes_on_all_that_every_fridge_waits_for(store: Store) -> None:
    kitchen, hall, again = ask(store, "kitchen", 0), ask(store, "hall", 1), ask(store, "kitchen", 2)
    _, claimed = begin(store, 10)
    assert claimed == [kitchen.id, hall.id, again.id]
    assert begin(store, 11) == ("", [])


def test_a_change_meanwhile_stays_open_and_gets_the_next_run(store: Store) -> None:
    first = ask(store, "kitchen", 0)
    run, claimed = begin(store, 10)
    assert claimed == [first.id]
    late = ask(store, "kitchen", 11)
    assert begin(store, 20) == ("", [])
    end(store, run, 30, "kitchen")
    with store.read() as unit:
        assert unit.retraining.pending("kitchen") == (late,)
    assert begin(store, 31)[1] == [late.id]


def test_a_change_waits_a_moment_for_others_but_not_for_ever(store: Store) -> None:
    ask(store, "kitchen", 0)
    assert begin(store, 0.5) == ("", [])
    for second in range(1, 10):
        ask(store, "kitchen", second)
        assert begin(store, second + 0.9) == ("", [])
    ask(store, "kitchen", 10)
    assert len(begin(store, 10.1)[1]) == 11


def test_who_waits_longest_is_first(store: Store) -> None:
    ask(store, "hall", 1)
    kitchen = ask(store, "kitchen", 0)
    assert begin(store, 10, limit=1)[1] == [kitchen.id]


def test_what_failed_is_tried_again_after_pauses_that_double(store: Store) -> None:
    ask(store, "kitchen", 0)
    second = 10.0
    for attempt in range(1, 5):
        run, claimed = begin(store, second)
        assert len(claimed) == 1
        end(store, run, second)
        pause = PATIENCE.pause(attempt) / timedelta(seconds=1)
        assert begin(store, second + pause - 1) == ("", [])
        second += pause
    with store.read() as unit:
        (waiting,) = unit.retraining.pending("kitchen")
    assert (waiting.attempts, waiting.error) == (4, "it broke")


def test_a_new_change_does_not_wait_for_the_pause_of_one_that_failed(store: Store) -> None:
    failed = ask(store, "kitchen", 0)
    end(store, begin(store, 10)[0], 11)
    new = ask(store, "kitchen", 12)
    assert begin(store, 14)[1] == [failed.id, new.id]


def test_what_fails_too_often_is_given_up_with_its_error(store: Store) -> None:
    request = ask(store, "kitchen", 0)
    run, _ = begin(store, 10)
    with store.begin() as unit:
        given_up = unit.retraining.failed(run, "kitchen", "no", at=later(11), attempts=1)
        unit.runs.end(run, RunState.FAILED, at=later(11))
        assert given_up == ("kitchen",)
        assert unit.retraining.pending() == ()
        (kept,) = unit.retraining.of(run)
    assert (kept.id, kept.error, kept.done_at) == (request.id, "no", later(11))
    assert begin(store, 9999) == ("", [])


def test_a_fridge_that_fails_leaves_the_others_of_its_run_alone(store: Store) -> None:
    ask(store, "kitchen", 0)
    hall = ask(store, "hall", 0)
    run, _ = begin(store, 10)
    end(store, run, 20, "kitchen")
    with store.read() as unit:
        (left,) = unit.retraining.pending()
    assert left.id == hall.id


def test_a_run_that_was_over_finishes_nothing_of_the_next(store: Store) -> None:
    ask(store, "kitchen", 0)
    old, _ = begin(store, 10)
    end(store, old, 11)
    begin(store, 60)
    with store.begin() as unit:
        assert unit.retraining.done(old, "kitchen", at=later(61)) == 0
        assert len(unit.retraining.pending("kitchen")) == 1


def test_a_change_that_fails_asks_for_nothing(store: Store) -> None:

    def fail() -> None:
        with store.begin() as unit:
            unit.retraining.request("kitchen", reason="member_added", at=later(0))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with store.read() as unit:
        assert unit.retraining.pending() == ()
