"""Fridges and compartments: made, read, changed and deleted, each by one person at a time."""

from dataclasses import replace

import pytest

from tests.store.people import NOW, enrol, furnish
from visavox.errors import Conflict, Invalid, NotFound, Stale
from visavox.store import Store


def test_a_fridge_is_read_as_it_was_made(store: Store) -> None:
    with store.begin() as unit:
        made = unit.fridges.add("kitchen", name="Küche", risk="high", locale="fr", at=NOW)
    with store.read() as unit:
        assert unit.fridges.get("kitchen") == made
    assert (made.version, made.created_at) == (1, NOW)


def test_an_id_is_made_where_none_is_chosen_and_checked_where_one_is(store: Store) -> None:
    with store.begin() as unit:
        made = unit.fridges.add(None, name="A", risk="low", locale="en", at=NOW)
        assert made.id.startswith("fri_")
    for wrong in ("", "Kitchen", "a/b", "-a", "a" * 65, "a\n", "é"):
        with store.begin() as unit, pytest.raises(Invalid, match="cannot be the id"):
            unit.fridges.add(wrong, name="A", risk="low", locale="en", at=NOW)


def test_a_taken_id_is_a_conflict_and_leaves_the_first_as_it_was(store: Store) -> None:
    furnish(store)
    with pytest.raises(Conflict), store.begin() as unit:
        unit.fridges.add("kitchen", name="Other", risk="low", locale="en", at=NOW)
    with pytest.raises(Conflict), store.begin() as unit:
        unit.compartments.add("kitchen", "top", name="Other", at=NOW)
    with store.read() as unit:
        assert unit.fridges.get("kitchen").name == "Kitchen"
        assert unit.compartments.get("kitchen", "top").name == "Top"


def test_a_change_needs_the_version_that_was_read(store: Store) -> None:
    furnish(store)
    with store.begin() as unit:
        read = unit.fridges.get("kitchen")
        changed = unit.fridges.update(replace(read, name="New", risk="high"), expected_version=1)
        assert (changed.name, changed.risk, changed.version) == ("New", "high", 2)
    with pytest.raises(Stale), store.begin() as unit:
        unit.fridges.update(replace(read, name="Newer"), expected_version=1)
    with pytest.raises(Stale), store.begin() as unit:
        unit.fridges.delete("kitchen", expected_version=1)
    with store.begin() as unit:
        top = unit.compartments.get("kitchen", "top")
        assert unit.compartments.update(replace(top, name="Up"), expected_version=1).version == 2
    with pytest.raises(Stale), store.begin() as unit:
        unit.compartments.update(replace(top, name="Down"), expected_version=1)
    with pytest.raises(Stale), store.begin() as unit:
        unit.compartments.delete("kitchen", "top", expected_version=1)
    with store.read() as unit:
        assert unit.fridges.get("kitchen").name == "New"
        assert unit.compartments.get("kitchen", "top").name == "Up"


def test_a_fridge_with_members_is_not_deleted_and_an_empty_one_is(store: Store) -> None:
    furnish(store)
    enrol(store)
    with pytest.raises(Conflict, match="1 members"), store.begin() as unit:
        unit.fridges.delete("kitchen")
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
        unit.fridges.delete("kitchen", expected_version=1)
    with store.read() as unit:
        assert unit.fridges.page().items == ()
        assert unit.compartments.page("kitchen").items == ()


def test_a_compartment_that_members_may_open_is_not_deleted(store: Store) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        unit.grants.put("kitchen", "zoe", "top", at=NOW)
    with pytest.raises(Conflict), store.begin() as unit:
        unit.compartments.delete("kitchen", "top")
    with store.begin() as unit:
        assert unit.grants.remove("kitchen", "zoe", "top")
        unit.compartments.delete("kitchen", "top")


def test_what_is_not_there_is_not_found(store: Store) -> None:
    furnish(store)
    with store.begin() as unit:
        for call in (
            lambda: unit.fridges.get("no"),
            lambda: unit.fridges.lock("no"),
            lambda: unit.fridges.revision("no"),
            lambda: unit.fridges.delete("no"),
            lambda: unit.compartments.get("kitchen", "no"),
            lambda: unit.compartments.delete("kitchen", "no"),
        ):
            with pytest.raises(NotFound):
                call()
        kitchen, top = unit.fridges.get("kitchen"), unit.compartments.get("kitchen", "top")
        with pytest.raises(NotFound):
            unit.fridges.update(replace(kitchen, id="no"))
        with pytest.raises(NotFound):
            unit.compartments.update(replace(top, fridge="no"))
    with pytest.raises(NotFound), store.begin() as unit:
        unit.compartments.add("no", "top", name="Top", at=NOW)


def test_lists_come_in_pages_and_are_held_to_some_fridges(store: Store) -> None:
    for name in ("d", "a", "c", "b", "e"):
        furnish(store, name, compartments=())
    with store.read() as unit:
        first = unit.fridges.page(limit=2)
        second = unit.fridges.page(limit=2, cursor=first.next_cursor)
        third = unit.fridges.page(limit=2, cursor=second.next_cursor)
        assert [[f.id for f in p.items] for p in (first, second, third)] == [
            ["a", "b"], ["c", "d"], ["e"],
        ]  # fmt: skip
        assert third.next_cursor is None
        assert [f.id for f in unit.fridges.page(fridges=["b", "e", "zz"]).items] == ["b", "e"]
        assert unit.fridges.page(fridges=[]).items == ()


def test_text_that_a_database_cannot_keep_is_invalid(store: Store) -> None:
    furnish(store)
    surrogate = "\ud800"
    with pytest.raises(Invalid), store.begin() as unit:
        unit.fridges.add("x", name=surrogate, risk="low", locale="en", at=NOW)
