"""Members: enrolled whole, changed one at a time, and gone when they are deleted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.store.people import NAME, NOW, decision, embeddings, enrol, furnish, later, raw
from visavox.errors import Conflict, NotFound, Sealed, Stale
from visavox.store import Store, Unit
from visavox.types import Candidate


def test_a_member_is_read_as_they_were_enrolled(store: Store) -> None:
    furnish(store)
    enrol(store, captures=2)
    with store.read() as unit:
        member = unit.members.get("kitchen", "zoe")
        assert (member.name, member.locale, member.has_pin) == (NAME, "en", True)
        assert (member.consent_at, member.created_at) == (NOW, NOW)
        assert (member.version, member.captures) == (1, 2)
        assert unit.members.pin_hash("kitchen", "zoe") == "$argon2id$x"
        assert unit.members.by_number("kitchen", member.number) == member
        assert unit.members.page("kitchen").items == (member,)
        assert unit.members.ids("kitchen") == ("zoe",)
        assert unit.members.roster("kitchen") == {"zoe": (NOW, 2)}


def test_numbers_are_four_digits_and_nobodys_twice(store: Store) -> None:
    furnish(store)
    with store.begin() as unit:
        made = [
            unit.members.add(
                "kitchen", None, name=f"M{i}", locale="fr", consent_at=NOW, at=later(i)
            )
            for i in range(30)
        ]
    numbers = [member.number for member in made]
    assert all(len(n) == 4 and n.isdecimal() for n in numbers)
    assert len(set(numbers)) == 30
    # Not in order: a member's number does not tell the next one's.
    assert numbers != sorted(numbers)


def test_what_is_enrolled_halfway_is_not_there_at_all(store: Store) -> None:
    """A failure after the rows and the blobs: neither is left."""
    furnish(store)

    def enrol_until_it_breaks() -> None:
        with store.begin() as unit:
            unit.members.add("kitchen", "zoe", name=NAME, locale="en", consent_at=NOW, at=NOW)
            unit.captures.add("kitchen", "zoe", embeddings=embeddings(), raw=raw(), at=NOW)
            unit.flush()
            assert len(list(store.blobs.names())) == 2
            raise RuntimeError

    with pytest.raises(RuntimeError):
        enrol_until_it_breaks()
    assert list(store.blobs.names()) == []
    with store.read() as unit:
        assert unit.members.page("kitchen").items == ()
        assert unit.fridges.revision("kitchen") == 1


def test_the_same_id_twice_is_a_conflict_but_other_fridges_may_use_it(store: Store) -> None:
    furnish(store)
    furnish(store, "hall")
    enrol(store)
    with pytest.raises(Conflict):
        enrol(store)
    enrol(store, fridge="hall")


def test_a_change_needs_the_version_that_was_read(store: Store) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        read = unit.members.get("kitchen", "zoe")
        changed = unit.members.update(replace(read, name="Zoe B", locale="fr"), expected_version=1)
        assert (changed.name, changed.locale, changed.version) == ("Zoe B", "fr", 2)
        without = unit.members.set_pin("kitchen", "zoe", None, expected_version=2)
        assert (without.has_pin, without.version) == (False, 3)
        assert unit.members.pin_hash("kitchen", "zoe") is None
        unit.members.set_pin("kitchen", "zoe", "$argon2id$y")
    late_changes: tuple[Callable[[Unit], object], ...] = (
        lambda u: u.members.update(read, expected_version=1),
        lambda u: u.members.set_pin("kitchen", "zoe", None, expected_version=1),
        lambda u: u.members.delete("kitchen", "zoe", expected_version=1),
    )
    for late in late_changes:
        with pytest.raises(Stale), store.begin() as unit:
            late(unit)
    with store.read() as unit:
        assert unit.members.get("kitchen", "zoe").name == "Zoe B"
        assert unit.members.pin_hash("kitchen", "zoe") == "$argon2id$y"


def test_what_is_not_there_is_not_found(store: Store) -> None:
    furnish(store)
    zoe = enrol(store)[0]
    with store.begin() as unit:
        member = unit.members.get("kitchen", "zoe")
        assert unit.members.by_number("kitchen", "no") is None
        for call in (
            lambda: unit.members.get("kitchen", "no", lock=True),
            lambda: unit.members.get("no", "zoe"),
            lambda: unit.members.update(replace(member, id="no")),
            lambda: unit.members.set_pin("kitchen", "no", "x"),
            lambda: unit.members.delete("kitchen", "no"),
            lambda: unit.captures.get("kitchen", "no", zoe.id),
            lambda: unit.captures.add("kitchen", "no", embeddings=embeddings(), raw=raw(), at=NOW),
        ):
            with pytest.raises(NotFound):
                call()
    with pytest.raises(NotFound), store.begin() as unit:
        unit.members.add("no", "zoe", name="Z", locale="en", consent_at=NOW, at=NOW)
    with pytest.raises(NotFound), store.begin() as unit:
        unit.grants.put("kitchen", "zoe", "no", at=NOW)
    with pytest.raises(NotFound), store.begin() as unit:
        unit.grants.put("kitchen", "no", "top", at=NOW)


def test_a_fridges_revision_grows_with_its_members_and_their_captures(store: Store) -> None:
    furnish(store)
    with store.read() as unit:
        seen = [unit.fridges.revision("kitchen")]
    steps: tuple[Callable[[Unit], object], ...] = (
        lambda u: u.members.add("kitchen", "zoe", name=NAME, locale="en", consent_at=NOW, at=NOW),
        lambda u: u.captures.add("kitchen", "zoe", embeddings=embeddings(), raw={}, at=NOW),
        lambda u: u.members.delete("kitchen", "zoe"),
    )
    for step in steps:
        with store.begin() as unit:
            step(unit)
            seen.append(unit.fridges.revision("kitchen"))
    assert seen == sorted(set(seen))
    with store.read() as unit:
        assert unit.fridges.get("kitchen").version == 1


def test_a_deleted_member_is_gone_and_nothing_opens_what_is_left(store: Store) -> None:
    furnish(store)
    enrol(store, captures=2)
    enrol(store, "ben")
    with store.begin() as unit:
        unit.grants.put("kitchen", "zoe", "top", at=NOW)
        theirs = unit.decisions.add(decision(), probe=embeddings(5))
        refused = unit.decisions.add(decision(None, at=later(1)), probe=embeddings(6))
        stranger = replace(decision(None), candidates=(Candidate("zoe", -3.0, -2.0, -1.0),))
        nobodys = unit.decisions.add(stranger, probe=embeddings(7))
    with store.begin() as unit:
        erased = unit.members.delete("kitchen", "zoe", expected_version=1)
        assert (erased.captures, erased.blobs, erased.key_destroyed) == (2, 4, True)
    with store.read() as unit:
        assert unit.members.ids("kitchen") == ("ben",)
        assert unit.captures.of("kitchen", "zoe") == ()
        assert unit.grants.page("kitchen", "zoe").items == ()
        assert set(unit.captures.of_fridge("kitchen")) == {"ben"}
        # The decision is still told of, but what it was decided on is closed for ever.
        assert unit.decisions.get(theirs.id).member == "zoe"
        with pytest.raises(Sealed, match="destroyed"):
            unit.decisions.probe(theirs.id)
        with pytest.raises(Sealed, match="destroyed"):  # who else than zoe scores like that
            unit.decisions.probe(refused.id)
        assert unit.decisions.probe(nobodys.id).face is not None
        ben = unit.captures.of("kitchen", "ben")[0]
        assert unit.captures.raw(ben) == raw(0)
    assert {name for name, _ in store.blobs.names()} == set(ben.blob)


def test_a_probe_that_is_likely_of_somebody_just_deleted_is_not_kept(store: Store) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
        kept = unit.decisions.add(decision(None), probe=embeddings(6))
    with store.read() as unit, pytest.raises(Sealed, match="no probe"):
        unit.decisions.probe(kept.id)


def test_one_who_comes_back_under_the_old_id_does_not_open_what_they_left(store: Store) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        before = unit.decisions.add(decision(), probe=embeddings(5))
        unit.members.delete("kitchen", "zoe")
    enrol(store)
    with store.read() as unit, pytest.raises(Sealed):
        unit.decisions.probe(before.id)
