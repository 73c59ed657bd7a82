"""What is counted over the store, the same on both databases."""

from dataclasses import replace

import pytest

from tests.store.people import NOW, decision, embeddings, enrol, furnish, later
from visavox.monitoring import windows
from visavox.monitoring.features import SCORE
from visavox.monitoring.windows import Period
from visavox.store import Store
from visavox.store.figures import is_failure
from visavox.store.records import (
    DecisionOutcome,
    DecisionRecord,
    Label,
    RunState,
    Trial,
    TrialAnswer,
)


def refused(at: float, *, kiosk: str = "hall", reason: str = "below_threshold") -> DecisionRecord:
    made = replace(decision(None, at=later(at)), kiosk=kiosk, reasons=(reason,))
    assert made.outcome is DecisionOutcome.REFUSED
    return made


def test_refusals_are_the_most_at_one_kiosk_since(store: Store) -> None:
    furnish(store)
    enrol(store)
    retry = replace(
        refused(50, kiosk="yard"), outcome=DecisionOutcome.RETRY, reasons=("below_threshold", "x")
    )
    poor = replace(retry, reasons=("face_too_dark",))
    made = [
        *(refused(i) for i in range(3)),
        *(refused(i, kiosk="yard") for i in (10, 20, 30)),
        retry,
        poor,
        refused(40, kiosk="yard", reason="no_compartment"),
        replace(refused(0), fridge="elsewhere"),
        decision(at=later(60)),
    ]
    with store.begin() as unit:
        for one in made:
            unit.decisions.add(one)
    with store.read() as unit:
        assert unit.figures.refusals(since=NOW) == {"kitchen": 4, "elsewhere": 1}
        assert unit.figures.refusals(since=later(15)) == {"kitchen": 3}
        assert unit.figures.refusals(since=later(100)) == {}
    # The database counts what is counted in memory.
    yard = [one for one in made if one.kiosk == "yard" and is_failure(one.outcome, one.reasons)]
    assert len(yard) == 4


def test_labels_meet_what_was_decided(store: Store) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        right = unit.decisions.add(decision(at=later(1)))
        wrong = unit.decisions.add(decision(None, at=later(2)))
        unit.decisions.add(decision(at=later(3)))  # nobody has said
        for record, really in ((right, "zoe"), (wrong, "zoe")):
            unit.labels.put(Label(record.id, "kitchen", really, "admin", "tests", NOW))
    with store.read() as unit:
        found = unit.figures.labelled("kitchen", since=NOW, until=later(60))
        assert found == (("zoe", "zoe"), (None, "zoe"))
        assert unit.figures.labelled("kitchen", since=later(2), until=later(60)) == found[1:]
        assert unit.figures.labelled("elsewhere", since=NOW, until=later(60)) == ()


def test_the_queue_and_the_runs_are_told_in_a_few_lines(store: Store) -> None:
    furnish(store)
    with store.read() as unit:
        empty = unit.figures.queue()
        assert (empty.waiting, empty.oldest, empty.tries, empty.given_up) == (0, None, 0, 0)
        assert unit.figures.runs() == ()
    with store.begin() as unit:
        unit.retraining.request("kitchen", reason="one", at=NOW)
        unit.retraining.request("kitchen", reason="two", at=later(5))
        first = unit.runs.begin("retrain", ["kitchen"], reason="r", at=later(6))
        unit.retraining.claim(first.id, ["kitchen"], at=later(6))
        unit.runs.end(first.id, RunState.DONE, at=later(36))
        unit.runs.begin("retrain", ["kitchen"], reason="r", at=later(40))
    with store.read() as unit:
        queue = unit.figures.queue()
        assert (queue.waiting, queue.oldest, queue.tries) == (2, NOW, 1)
        told = {(r.flow, r.state): (r.count, r.seconds) for r in unit.figures.runs()}
    assert told == {("retrain", "done"): (1, 30.0), ("retrain", "running"): (1, None)}
    with store.begin() as unit:
        unit.retraining.failed(first.id, None, "no data", at=later(50), attempts=1)
    with store.read() as unit:
        assert (unit.figures.queue().waiting, unit.figures.queue().given_up) == (0, 2)


@pytest.mark.parametrize("members", [0, 2])
def test_the_house_is_counted(store: Store, members: int) -> None:
    furnish(store)
    made = [enrol(store, f"m{i}", captures=2) for i in range(members)]
    with store.read() as unit:
        counted = unit.figures.house()
        captures = unit.figures.captures("kitchen")
    assert counted["members"] == members
    assert counted["captures"] == 2 * members
    assert set(captures) == {capture.id for some in made for capture in some}


def test_what_the_champion_found_is_known_though_its_challenger_decided(store: Store) -> None:
    furnish(store)
    enrol(store)
    said = TrialAnswer("granted", "match", "zoe", 7.5, 4.0)
    silent = TrialAnswer("error", "ValueError")
    window = Period(NOW, later(60))
    with store.begin() as unit:
        mine, theirs, lost = (
            unit.decisions.add(replace(decision(at=later(i)), bundle=bundle), probe=embeddings(i))
            for i, bundle in enumerate(("b" * 64, "c" * 64, "c" * 64))
        )
        for record, arm, own in (
            (mine, "champion", said), (theirs, "challenger", said), (lost, "challenger", silent),
        ):  # fmt: skip
            unit.trials.add(
                Trial(record.id, "kitchen", record.at, "split", arm, "b" * 64, "c" * 64, (own, own))
            )
    with store.read() as unit:
        found = unit.figures.champion_llrs("kitchen", "b" * 64, since=NOW, until=later(60))
        assert found == {theirs.id: 7.5}
        seen = windows.seen(unit, "kitchen", window, bundle="b" * 64)
    scores = [one.features.get(SCORE) for one in reversed(seen)]
    assert scores == [9.25, 7.5, None]
