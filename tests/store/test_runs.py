"""Runs of the flows, and the lines that they tell listeners."""

import pytest

from tests.store.people import later
from visavox.errors import NotFound
from visavox.store import Store
from visavox.store.records import Run, RunState


def begin(store: Store, second: float, *fridges: str) -> Run:
    with store.begin() as unit:
        run = unit.runs.begin("retrain", fridges, reason="member_enrolled", at=later(second))
        for fridge in fridges:
            unit.progress.add(run.id, fridge, "snapshot", "begun", at=later(second))
    return run


def test_a_run_is_kept_as_it_was_begun_and_as_it_went_on(store: Store) -> None:
    begun = begin(store, 0, "kitchen", "hall")
    with store.begin() as unit:
        assert unit.runs.get(begun.id) == begun
        assert unit.runs.note(begun.id, at=later(1), step="train", metaflow="RetrainFlow/1")
        assert unit.runs.note(begun.id, at=later(2), data_version="v1")
        now = unit.runs.get(begun.id)
    assert (now.step, now.metaflow, now.data_version) == ("train", "RetrainFlow/1", "v1")
    assert now.updated_at == later(2)
    with pytest.raises(NotFound), store.read() as unit:
        unit.runs.get("run_none")


def test_a_run_ends_once_and_is_not_at_work_any_more(store: Store) -> None:
    run = begin(store, 0, "kitchen")
    with store.begin() as unit:
        assert unit.runs.end(run.id, RunState.FAILED, at=later(5), error="no data")
        assert not unit.runs.end(run.id, RunState.DONE, at=later(6))
        assert not unit.runs.note(run.id, at=later(7), step="train")
        ended = unit.runs.get(run.id)
    assert (ended.state, ended.ended_at, ended.error) == (RunState.FAILED, later(5), "no data")


def test_a_run_that_nobody_works_on_is_taken_over_by_one_alone(store: Store) -> None:
    old, new = begin(store, 0, "kitchen"), begin(store, 50, "hall")
    with store.begin() as unit:
        assert unit.runs.at_work("retrain") == (old, new)
        assert unit.runs.at_work("watch") == ()
        assert unit.runs.take_over(old, at=later(60), detail={"by": "second"})
        assert not unit.runs.take_over(old, at=later(61), detail={"by": "third"})
        assert unit.runs.get(old.id).detail == {"by": "second"}
        unit.runs.end(new.id, RunState.DONE, at=later(70))
        assert [run.id for run in unit.runs.at_work("retrain")] == [old.id]


def test_runs_are_listed_newest_first_and_by_their_fridges(store: Store) -> None:
    both, hall = begin(store, 0, "kitchen", "hall"), begin(store, 1, "hall")
    with store.read() as unit:
        assert [run.id for run in unit.runs.page().items] == [hall.id, both.id]
        assert [run.id for run in unit.runs.page(fridges=("kitchen",)).items] == [both.id]
        assert unit.runs.page(fridges=()).items == ()
        assert unit.runs.page(state=RunState.DONE).items == ()
        assert unit.runs.page(flow="watch").items == ()


def test_a_listener_is_told_every_line_once_and_in_order(store: Store) -> None:
    run, other = begin(store, 0, "kitchen", "hall"), begin(store, 1, "hall")
    with store.begin() as unit:
        whole = unit.progress.add(run.id, None, "register", "done", {"n": 2}, at=later(2))
    with store.read() as unit:
        first = unit.progress.after(0, run=run.id, limit=2)
        assert [line.fridge for line in first] == ["kitchen", "hall"]
        assert unit.progress.after(first[-1].seq, run=run.id) == (whole,)
        assert unit.progress.newest() == whole.seq
        lines = unit.progress.after(0, fridge="kitchen")
        assert [(line.run, line.fridge) for line in lines] == [
            (run.id, "kitchen"),
            (run.id, None),
        ]
        assert other.id not in {line.run for line in lines}
        mine = unit.progress.after(0, run=run.id, fridges=("hall",))
        assert [line.fridge for line in mine] == ["hall", None]


def test_the_latest_reason_of_a_failure_is_found_however_much_was_told_before(
    store: Store,
) -> None:
    run = begin(store, 0, "kitchen")
    with store.begin() as unit:
        assert unit.progress.last_error(run.id) is None
        unit.progress.add(run.id, "kitchen", "train", "failed", {"error": "the first"}, at=later(1))
        for _ in range(501):  # more than a listener is given at once
            unit.progress.add(run.id, "kitchen", "train", "begun", at=later(1))
        unit.progress.add(run.id, None, "train", "failed", {"error": "the last"}, at=later(2))
        unit.progress.add(run.id, "kitchen", "train", "failed", at=later(3))
        assert unit.progress.last_error(run.id) == "the last"
