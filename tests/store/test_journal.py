"""Decisions and events: kept whole, listed newest first, found by what is asked."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.store.people import NOW, decision, embeddings, enrol, furnish, later
from visavox.errors import BadCursor, NotFound, Sealed
from visavox.store import Store
from visavox.store.records import DecisionOutcome, DecisionRecord, Method
from visavox.types import Embedding


def test_a_decision_and_its_probe_come_back_as_they_were(store: Store) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        made = unit.decisions.add(decision(), probe=embeddings(5))
        chosen = unit.decisions.add(replace(decision(None), id="dec_chosen"))
    with store.read() as unit:
        assert unit.decisions.get(made.id) == made
        assert unit.decisions.get("dec_chosen") == chosen
        face, wanted = unit.decisions.probe(made.id).face, embeddings(5).face
        assert isinstance(face, Embedding)
        assert isinstance(wanted, Embedding)
        np.testing.assert_array_equal(face.vector, wanted.vector)
        with pytest.raises(Sealed, match="no probe"):
            unit.decisions.probe("dec_chosen")
        for read in (unit.decisions.get, unit.decisions.probe):
            with pytest.raises(NotFound):
                read("dec_no")


def test_a_decision_for_somebody_just_deleted_cannot_be_kept(store: Store) -> None:
    """The key is gone, so the door must not be opened either."""
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    with pytest.raises(NotFound), store.begin() as unit:
        unit.decisions.add(decision(), probe=embeddings())


def test_a_sweep_forgets_old_probes_and_no_decision(store: Store) -> None:
    furnish(store)
    enrol(store)
    day = 24 * 3600.0
    with store.begin() as unit:
        old = [
            unit.decisions.add(decision(whom, at=later(second)), probe=embeddings(5))
            for second, whom in enumerate([None, "zoe"])
        ]
        unit.decisions.add(decision(None, at=later(2)))
        new = unit.decisions.add(decision(None, at=later(30 * day)), probe=embeddings(6))
    assert store.sweep(at=later(30 * day)).probes == 0
    with store.begin() as unit:
        assert unit.decisions.forget_probes(before=later(9), limit=1) == 1
    assert store.sweep(at=later(30 * day + 9)).probes == 1
    assert store.sweep(at=later(30 * day + 9)).probes == 0
    with store.read() as unit:
        for made in old:
            assert unit.decisions.get(made.id) == made
            with pytest.raises(Sealed, match="no probe"):
                unit.decisions.probe(made.id)
        unit.decisions.probe(new.id)
    assert store.sweep(at=later(30 * day + 9), probes=timedelta(seconds=1)).probes == 1


def test_decisions_are_found_by_what_is_asked(store: Store) -> None:
    furnish(store)
    furnish(store, "hall")
    enrol(store)
    kinds = [
        decision(at=later(0)),
        replace(decision(None, at=later(1)), kiosk="door"),
        replace(decision(at=later(2)), method=Method.PIN),
        replace(decision(None, at=later(3), fridge="hall"), outcome=DecisionOutcome.LOCKED),
    ]
    with store.begin() as unit:
        a, b, c, d = (unit.decisions.add(kind) for kind in kinds)
    with store.read() as unit:

        def found(**asked: object) -> list[DecisionRecord]:
            return list(unit.decisions.page(**asked).items)  # type: ignore[arg-type]

        assert found() == [d, c, b, a]
        assert found(fridges=["kitchen"]) == [c, b, a]
        assert found(fridges=[]) == []
        assert found(member="zoe") == [c, a]
        assert found(outcome=DecisionOutcome.LOCKED) == [d]
        assert found(kiosk="door") == [b]
        assert found(method=Method.PIN) == [c]
        assert found(since=later(1), until=later(3)) == [c, b]
        assert found(member="zoe", method=Method.BIOMETRIC, until=later(9)) == [a]


def test_pages_go_on_where_they_were_whatever_was_added_since(store: Store) -> None:
    with store.begin() as unit:
        made = [unit.events.add(at=later(i), fridge="kitchen", kind="locked") for i in range(5)]
    with store.begin() as unit:
        first = unit.events.page(limit=2)
        unit.events.add(at=later(99), fridge="kitchen", kind="lifted")
        second = unit.events.page(limit=2, cursor=first.next_cursor)
        third = unit.events.page(limit=2, cursor=second.next_cursor)
    assert list(first.items + second.items + third.items) == made[::-1]
    assert third.next_cursor is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "WzFd", "WyJcdTAwMDAiXQ", "W251bGxd"])
def test_a_cursor_that_no_list_gave_is_refused(store: Store, cursor: str) -> None:
    with store.read() as unit, pytest.raises(BadCursor):
        unit.events.page(cursor=cursor)


def test_events_are_found_by_what_is_asked(store: Store) -> None:
    with store.begin() as unit:
        a = unit.events.add(
            at=NOW, fridge="kitchen", kind="locked", kiosk="hall", detail={"for_s": 30, "é": None}
        )
        b = unit.events.add(at=later(1), fridge="hall", kind="lifted")
    with store.read() as unit:
        assert unit.events.page().items == (b, a)
        assert unit.events.page(fridges=["kitchen"]).items == (a,)
        assert unit.events.page(kind="lifted").items == (b,)
        assert unit.events.page(kiosk="hall").items == (a,)
        assert unit.events.page(since=later(1)).items == (b,)
        assert unit.events.page(until=later(1)).items == (a,)
