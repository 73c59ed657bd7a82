"""The trail of every answer: found again, filtered, and only by who may."""

import pytest

from tests.service.scene import Hands, Kitchen, probe
from visavox.errors import Forbidden, NotFound
from visavox.service import compartments, decisions, fridges, grants, members, pins
from visavox.service.house import Actor
from visavox.store.records import DecisionOutcome, Method, Role


def test_a_decision_is_found_as_it_was_given(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    given = kitchen.ask(probe(0))
    found = decisions.read(kitchen.house, kitchen.admin, given.decision.id)
    assert found.decision == given.decision
    assert (found.member, found.compartments) == (given.member, given.compartments)
    assert (found.verdicts, found.next_step_code) == (given.verdicts, given.next_step_code)
    assert found.ticket is None


def test_decisions_are_filtered_and_the_newest_come_first(kitchen: Kitchen, hands: Hands) -> None:
    kitchen.enrol(0)
    given = []
    for who in (0, 5):
        hands.pass_by(10)
        given.append(kitchen.ask(probe(who)).decision)
    hands.pass_by(10)
    typed = pins.authenticate(kitchen.house, kitchen.kiosk, fridge="kitchen", number="1", pin="2")
    given.append(typed.decision)

    def found(**by: object) -> list[str]:
        page = decisions.page(kitchen.house, kitchen.admin, **by)  # type: ignore[arg-type]
        return [a.decision.id for a in page.items]

    ids = [d.id for d in given]
    assert found() == ids[::-1]
    assert found(outcome=DecisionOutcome.GRANTED) == ids[:1]
    assert found(member="p0") == ids[:1]
    assert found(method=Method.PIN) == ids[2:]
    assert found(since=given[1].at) == ids[:0:-1]
    assert found(until=given[1].at) == ids[:1]
    assert found(kiosk="key_of-nobody") == []
    assert found(fridge="kitchen", method=Method.BIOMETRIC) == ids[1::-1]
    first = decisions.page(kitchen.house, kitchen.admin, limit=2)
    rest = decisions.page(kitchen.house, kitchen.admin, limit=2, cursor=first.next_cursor)
    assert [a.decision.id for a in (*first.items, *rest.items)] == ids[::-1]


def test_decisions_are_for_admins_and_auditors_of_the_fridge(kitchen: Kitchen) -> None:
    given = kitchen.ask(probe(0)).decision
    fridges.create(kitchen.house, kitchen.admin, id="cellar", name="Cellar")
    elsewhere = Actor("key_1", Role.AUDITOR, ("cellar",))
    assert decisions.page(kitchen.house, elsewhere).items == ()
    with pytest.raises(Forbidden):
        decisions.read(kitchen.house, elsewhere, given.id)
    with pytest.raises(Forbidden):
        decisions.page(kitchen.house, elsewhere, fridge="kitchen")
    with pytest.raises(Forbidden):
        decisions.read(kitchen.house, kitchen.kiosk, given.id)
    with pytest.raises(NotFound):
        decisions.read(kitchen.house, kitchen.admin, "dec_of-nobody")


def test_a_decision_outlives_what_it_was_about(kitchen: Kitchen, hands: Hands) -> None:
    kitchen.enrol(0)
    given = kitchen.ask(probe(0)).decision
    grants.withdraw(kitchen.house, kitchen.admin, "kitchen", "p0", "left")
    compartments.remove(kitchen.house, kitchen.admin, "kitchen", "left")
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    hands.pass_by(1)
    kitchen.enrol(5, id="p0", compartments=())
    found = decisions.read(kitchen.house, kitchen.admin, given.id)
    assert found.member is None, "somebody else has the id now"
    assert [c.id for c in found.compartments] == ["left"]
