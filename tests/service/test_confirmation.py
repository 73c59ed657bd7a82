"""Nothing is learned from a probe unless somebody vouches for it, and not everything even then."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.service.scene import (
    ADMIN,
    NO_FACE,
    Hands,
    Kitchen,
    on_sqlite,
    picture,
    probe,
    speech,
)
from visavox.errors import Conflict, Forbidden, NotFound, Refused, Sealed
from visavox.service import authentication, confirmation, keys, labels, members, pins
from visavox.service.answer import Answer, Sample
from visavox.service.conclusion import conclude
from visavox.service.house import House
from visavox.store.records import CaptureRecord, DecisionOutcome, Role
from visavox.training.production.ledger import Ledger

PIN = "481902"


def captures_of(house: House, member: str) -> tuple[CaptureRecord, ...]:
    with house.store.read() as unit:
        return unit.captures.of("kitchen", member)


def test_an_admin_makes_a_granted_probe_a_capture_that_is_learned_from(
    kitchen: Kitchen, hands: Hands
) -> None:
    kitchen.enrol(1)
    kitchen.enrol(2)
    hands.pass_by(5)
    answer = kitchen.ask(probe(1))
    assert answer.decision.outcome is DecisionOutcome.GRANTED
    assert confirmation.offer(kitchen.house, ADMIN, answer.decision.id).objections == ()

    made = confirmation.confirm(kitchen.house, ADMIN, answer.decision.id)

    first, second, new = sorted(captures_of(kitchen.house, "p1"), key=lambda c: c.created_at)
    assert (first.source, second.source, new.source) == ("enrolment", "enrolment", "confirmed")
    assert new.id == made.capture.id
    assert new.blob == ()
    assert new.characterizer == kitchen.house.models.characterizer.digest
    with kitchen.house.store.read() as unit:
        assert "capture_confirmed" in {e.kind for e in unit.events.page(fridges=["kitchen"]).items}
        label = unit.labels.get(answer.decision.id)
        assert "capture_confirmed" in {r.reason for r in unit.retraining.pending("kitchen")}
    assert label is not None
    assert (label.member, label.source) == ("p1", "admin")
    again = confirmation.offer(kitchen.house, ADMIN, answer.decision.id)
    assert again.capture == new.id
    with pytest.raises(Conflict, match="already"):
        confirmation.confirm(kitchen.house, ADMIN, answer.decision.id)


@on_sqlite
def test_what_was_confirmed_opens_with_the_members_key_alone(kitchen: Kitchen) -> None:
    kitchen.enrol(1)
    kitchen.enrol(2)
    decision = kitchen.ask(probe(1)).decision.id
    confirmation.confirm(kitchen.house, ADMIN, decision)
    with kitchen.house.store.read() as unit:
        copies = [c.embeddings for c in unit.captures.sealed("kitchen") if c.source == "confirmed"]
        assert [unit.captures.can_open(c) for c in copies] == [True]
    members.remove(kitchen.house, ADMIN, "kitchen", "p1")
    with kitchen.house.store.read() as unit:
        assert not unit.captures.can_open(copies[0])
        with pytest.raises(Sealed):
            unit.decisions.probe(decision)
        label = unit.labels.get(decision)
    assert label is None or label.member is None


@on_sqlite
def test_two_hundred_granted_decisions_change_nothing_that_is_learned_from(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    kitchen.enrol(1)
    kitchen.enrol(2)
    house = kitchen.house
    ledger = Ledger.open(tmp_path / "ledger", remote=str(tmp_path / "remote"))
    before = ledger.snapshot(house.store, ["kitchen"], run="run-1", at=house.clock())
    with house.store.read() as unit:
        fridge = unit.fridges.get("kitchen")
        snapshot = house.models.snapshot(unit, fridge)
        asked = unit.retraining.pending()
    taken = probe(1)
    seen = house.perception.perceive(house.perception.take(images=taken.images, audio=taken.audio))
    for _ in range(200):
        verdict = authentication.judge(house, snapshot, seen)
        answer = conclude(house, kitchen.kiosk, verdict, arrived=house.clock())
        assert answer.decision.outcome is DecisionOutcome.GRANTED
    after = ledger.snapshot(house.store, ["kitchen"], run="run-2", at=house.clock())
    assert after.of("kitchen") == before.of("kitchen")
    with house.store.read() as unit:
        assert unit.fridges.get("kitchen").revision == fridge.revision
        assert unit.retraining.pending() == asked
        assert len(unit.captures.sealed("kitchen")) == 4
    # The same probe, once somebody vouches for it, does.
    confirmation.confirm(house, ADMIN, answer.decision.id)
    confirmed = ledger.snapshot(house.store, ["kitchen"], run="run-3", at=house.clock())
    assert len(confirmed.of("kitchen").captures) == 5


def test_a_kiosk_may_confirm_once_the_members_pin_was_typed_there(
    kitchen: Kitchen, hands: Hands
) -> None:
    kitchen.enrol(1, pin=PIN)
    kitchen.enrol(2)
    number = number_of(kitchen, "p1")
    decision = kitchen.ask(probe(1)).decision.id
    house, kiosk = kitchen.house, kitchen.kiosk
    assert confirmation.offer(house, kiosk, decision).by is None
    with pytest.raises(Forbidden, match="vouched"):
        confirmation.confirm(house, kiosk, decision)
    hands.pass_by(20)
    typed = pins.authenticate(house, kiosk, fridge="kitchen", number=number, pin=PIN)
    assert typed.decision.outcome is DecisionOutcome.GRANTED
    with pytest.raises(Forbidden, match="another kiosk"):
        confirmation.confirm(house, kitchen.another_kiosk(), decision)
    with pytest.raises(Forbidden, match="vouched"):
        confirmation.confirm(house, kiosk, decision, member="p2")
    assert confirmation.offer(house, kiosk, decision).member == "p1"
    assert confirmation.confirm(house, kiosk, decision).by == "pin"
    assert [c.source for c in captures_of(house, "p1")].count("confirmed") == 1


@on_sqlite
@pytest.mark.parametrize("wait", [61, 600])
def test_a_pin_that_comes_later_vouches_for_nothing(
    wait: float, kitchen: Kitchen, hands: Hands
) -> None:
    kitchen.enrol(1, pin=PIN)
    kitchen.enrol(2)
    number = number_of(kitchen, "p1")
    decision = kitchen.ask(probe(1)).decision.id
    hands.pass_by(wait)
    pins.authenticate(kitchen.house, kitchen.kiosk, fridge="kitchen", number=number, pin=PIN)
    with pytest.raises(Forbidden):
        confirmation.confirm(kitchen.house, kitchen.kiosk, decision)


@on_sqlite
def test_confirmed_captures_stay_the_smaller_part(kitchen: Kitchen) -> None:
    kitchen.enrol(1)
    kitchen.enrol(2)
    first, second = (kitchen.ask(probe(1)).decision.id for _ in range(2))
    confirmation.confirm(kitchen.house, ADMIN, first)
    with pytest.raises(Refused) as refused:
        confirmation.confirm(kitchen.house, ADMIN, second)
    assert [f.code for f in refused.value.findings] == ["too_many_confirmed"]
    assert [c.source for c in captures_of(kitchen.house, "p1")].count("confirmed") == 1


@on_sqlite
@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(lambda: probe(3), id="a stranger"),
        pytest.param(lambda: probe(2), id="another member"),
        pytest.param(
            lambda: Sample(images=(picture(1, 1, 0),), audio=speech(3, 1, 0)), id="another's voice"
        ),
    ],
)
def test_a_careless_admin_cannot_make_somebody_else_a_member(
    shown: object, kitchen: Kitchen
) -> None:
    kitchen.enrol(1)
    kitchen.enrol(2)
    answer: Answer = kitchen.ask(shown())  # type: ignore[operator]
    with pytest.raises(Refused) as refused:
        confirmation.confirm(kitchen.house, ADMIN, answer.decision.id, member="p1")
    assert "unlike_enrolment" in {f.code for f in refused.value.findings}
    assert len(captures_of(kitchen.house, "p1")) == 2


@on_sqlite
def test_what_cannot_be_confirmed_says_why(kitchen: Kitchen, hands: Hands) -> None:
    kitchen.enrol(1, pin=PIN)
    house = kitchen.house
    number = number_of(kitchen, "p1")
    decision = kitchen.ask(probe(1)).decision
    typed = pins.authenticate(house, kitchen.kiosk, fridge="kitchen", number=number, pin=PIN)
    with pytest.raises(NotFound):
        confirmation.confirm(house, ADMIN, "dec_nothing")
    with pytest.raises(Conflict, match="without face and voice"):
        confirmation.confirm(house, ADMIN, typed.decision.id)
    with pytest.raises(NotFound):
        confirmation.confirm(house, ADMIN, decision.id, member="nobody")
    hands.pass_by(5)
    kitchen.enrol(2)
    with pytest.raises(Conflict, match="joined after"):
        confirmation.confirm(house, ADMIN, decision.id, member="p2")
    elsewhere = replace(ADMIN, fridges=("attic",))
    with pytest.raises(Forbidden):
        confirmation.confirm(house, elsewhere, decision.id)
    auditor = keys.create(house, ADMIN, role=Role.AUDITOR, name="Eve", fridges=None)
    with pytest.raises(Forbidden):
        confirmation.confirm(house, keys.identify(house, auditor.secret), decision.id)
    house.store.sweep(at=house.clock() + timedelta(days=40))
    with pytest.raises(Sealed):
        confirmation.confirm(house, ADMIN, decision.id)


def number_of(kitchen: Kitchen, member: str) -> str:
    with kitchen.house.store.read() as unit:
        return unit.members.get("kitchen", member).number


def test_a_poor_probe_gives_nothing(kitchen: Kitchen) -> None:
    kitchen.enrol(1)
    kitchen.enrol(2)
    answer = kitchen.ask(Sample(images=(NO_FACE,)))
    made = confirmation.offer(kitchen.house, ADMIN, answer.decision.id, member="p1")
    assert made.objections
    with pytest.raises(Refused):
        confirmation.confirm(kitchen.house, ADMIN, answer.decision.id, member="p1")


def test_a_pin_does_not_take_the_place_of_an_admins_word(kitchen: Kitchen) -> None:
    kitchen.enrol(1, pin=PIN)
    kitchen.enrol(2)
    decision = kitchen.ask(probe(1)).decision.id
    house = kitchen.house
    pins.authenticate(
        house, kitchen.kiosk, fridge="kitchen", number=number_of(kitchen, "p1"), pin=PIN
    )
    said = labels.put(house, ADMIN, decision, None)
    assert confirmation.confirm(house, kitchen.kiosk, decision).by == "pin"
    with house.store.read() as unit:
        assert unit.labels.get(decision) == said
