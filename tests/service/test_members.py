"""Members are read, changed, and erased without a trace."""

from pathlib import Path

import pytest

from tests.service.scene import Kitchen, probe
from visavox.errors import Forbidden, Invalid, NotFound, Sealed, Stale
from visavox.service import audit, decisions, events, members
from visavox.store import Store
from visavox.store.records import DecisionOutcome


def test_an_erased_member_leaves_nothing_that_can_be_opened(
    kitchen: Kitchen, store: Store, tmp_path: Path
) -> None:
    number = kitchen.enrol(0, pin="739182").member.number
    granted = kitchen.ask(probe(0)).decision
    removed = members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    assert (removed.erased.captures, removed.erased.blobs) == (2, 4)
    assert removed.erased.key_destroyed
    assert [p for p in (tmp_path / "captures").rglob("*") if p.is_file()] == []
    with pytest.raises(NotFound):
        members.read(kitchen.house, kitchen.admin, "kitchen", "p0")
    with store.read() as unit:
        assert unit.members.by_number("kitchen", number) is None
        with pytest.raises(Sealed):
            unit.decisions.probe(granted.id)
        assert [r.reason for r in unit.retraining.pending("kitchen")].count("member_deleted") == 1
    kept = decisions.read(kitchen.house, kitchen.admin, granted.id)
    assert (kept.decision.member, kept.member) == ("p0", None)
    record = next(
        r for r in audit.page(kitchen.house, kitchen.admin).items if r.seq == removed.audit_seq
    )
    assert (record.action, record.subject) == ("member.erased", "kitchen/p0")
    assert events.page(kitchen.house, kitchen.admin, kind="member_removed").items


def test_nothing_in_the_log_names_a_person(kitchen: Kitchen) -> None:
    kitchen.enrol(0, name="Ada Lovelace", pin="739182")
    kitchen.ask(probe(0))
    members.change(kitchen.house, kitchen.admin, "kitchen", "p0", name="Ada King")
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    told = repr(audit.page(kitchen.house, kitchen.admin).items)
    told += repr(events.page(kitchen.house, kitchen.admin).items)
    told += repr(decisions.page(kitchen.house, kitchen.admin).items)
    assert "Ada" not in told
    assert "739182" not in told


def test_a_change_keeps_what_it_does_not_name(kitchen: Kitchen) -> None:
    member = kitchen.enrol(0, locale="fr").member
    changed = members.change(
        kitchen.house, kitchen.admin, "kitchen", "p0", name="New", expected_version=member.version
    )
    assert (changed.name, changed.locale, changed.version) == ("New", "fr", member.version + 1)
    with pytest.raises(Stale):
        members.change(
            kitchen.house,
            kitchen.admin,
            "kitchen",
            "p0",
            locale="en",
            expected_version=member.version,
        )
    with pytest.raises(Invalid):
        members.change(kitchen.house, kitchen.admin, "kitchen", "p0", locale="xx")
    assert members.read(kitchen.house, kitchen.admin, "kitchen", "p0") == changed


def test_members_are_listed_page_by_page(kitchen: Kitchen) -> None:
    for who in range(3):
        kitchen.enrol(who)
    first = members.page(kitchen.house, kitchen.admin, "kitchen", limit=2)
    second = members.page(
        kitchen.house, kitchen.admin, "kitchen", limit=2, cursor=first.next_cursor
    )
    assert [m.id for m in (*first.items, *second.items)] == ["p0", "p1", "p2"]
    assert second.next_cursor is None


def test_only_admins_of_the_fridge_see_its_members(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    for act in (members.read, members.remove):
        with pytest.raises(Forbidden):
            act(kitchen.house, kitchen.kiosk, "kitchen", "p0")
    with pytest.raises(Forbidden):
        members.page(kitchen.house, kitchen.kiosk, "kitchen")
    assert kitchen.ask(probe(0)).decision.outcome is DecisionOutcome.GRANTED
