"""A number and a PIN as the way in."""

import pytest

from tests.service.scene import Hands, Kitchen, on_sqlite
from visavox.errors import Forbidden, Invalid, NotFound, Stale
from visavox.service import attempts, decisions, events, grants, members, pins
from visavox.service.answer import Answer
from visavox.store import Store
from visavox.store.records import DecisionOutcome, Method

PIN = "739182"


def ask(kitchen: Kitchen, number: str, pin: str) -> Answer:
    return pins.authenticate(kitchen.house, kitchen.kiosk, fridge="kitchen", number=number, pin=pin)


def test_the_right_number_and_pin_open_the_members_compartments(kitchen: Kitchen) -> None:
    member = kitchen.enrol(0, pin=PIN).member
    answer = ask(kitchen, member.number, PIN)
    assert answer.decision.outcome is DecisionOutcome.GRANTED
    assert answer.decision.method is Method.PIN
    assert answer.decision.compartments == ("left",)
    assert (answer.member, answer.next_step_code) == (member, "open")
    assert answer.verdicts == {}
    assert answer.ticket is not None


def test_all_wrong_ways_are_refused_in_the_same_words(kitchen: Kitchen) -> None:
    one, two = kitchen.enrol(0, pin=PIN).member, kitchen.enrol(1).member
    unknown = next(n for n in ("1000", "1001", "1002") if n not in {one.number, two.number})
    answers = [
        ask(kitchen, one.number, "739183"),
        ask(kitchen, unknown, PIN),
        ask(kitchen, two.number, PIN),  # has no PIN
        ask(kitchen, "x" * 1000, "y" * 1000),
    ]
    said = {(a.decision.outcome, a.decision.reasons, a.decision.next_step) for a in answers}
    assert said == {(DecisionOutcome.REFUSED, ("wrong_pin",), "The number or the PIN is wrong.")}
    assert {(a.decision.member, a.ticket, a.next_step_code) for a in answers} == {
        (None, None, "wrong_pin")
    }


def test_a_new_pin_opens_and_the_old_one_does_not(kitchen: Kitchen) -> None:
    member = kitchen.enrol(0, pin=PIN).member
    changed = pins.replace(kitchen.house, kitchen.admin, "kitchen", "p0", "582047")
    assert changed.version == member.version + 1
    assert ask(kitchen, member.number, PIN).decision.outcome is DecisionOutcome.REFUSED
    assert ask(kitchen, member.number, "582047").decision.outcome is DecisionOutcome.GRANTED
    assert not pins.remove(kitchen.house, kitchen.admin, "kitchen", "p0").has_pin
    assert ask(kitchen, member.number, "582047").decision.outcome is DecisionOutcome.REFUSED


def test_a_pin_that_was_replaced_while_it_was_checked_opens_nothing(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = kitchen.enrol(0, pin=PIN).member
    verify = pins._verify

    def slow(kept: str, pin: str) -> bool:
        right = verify(kept, pin)
        pins.replace(kitchen.house, kitchen.admin, "kitchen", "p0", "582047")
        return right

    monkeypatch.setattr(pins, "_verify", slow)
    answer = ask(kitchen, member.number, PIN)
    assert answer.decision.outcome is DecisionOutcome.REFUSED
    assert answer.decision.member is None


def test_the_pin_is_kept_as_argon2id_and_sealed(kitchen: Kitchen, store: Store) -> None:
    kitchen.enrol(0, pin=PIN)
    with store.read() as unit:
        kept = unit.members.pin_hash("kitchen", "p0")
    assert kept is not None
    assert kept.startswith("$argon2id$")


def test_a_pin_is_replaced_at_the_version_that_was_read(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    with pytest.raises(Stale):
        pins.replace(kitchen.house, kitchen.admin, "kitchen", "p0", PIN, expected_version=7)
    with pytest.raises(NotFound):
        pins.replace(kitchen.house, kitchen.admin, "kitchen", "nobody", PIN)


@on_sqlite
@pytest.mark.parametrize(
    "pin",
    [
        "12345",
        "1234567890123",
        "12a456",
        "111111",
        "123456",
        "987654",
        "121212",
        "123123",
        "７３９１８２",
    ],
)
def test_a_pin_that_anybody_would_guess_is_refused(kitchen: Kitchen, pin: str) -> None:
    with pytest.raises(Invalid) as refusal:
        pins.replace(kitchen.house, kitchen.admin, "kitchen", "p0", pin)
    assert pin not in str(refusal.value)


def test_kiosks_set_no_pins_and_admins_type_none(kitchen: Kitchen) -> None:
    with pytest.raises(Forbidden):
        pins.replace(kitchen.house, kitchen.kiosk, "kitchen", "p0", PIN)
    with pytest.raises(Forbidden):
        pins.authenticate(kitchen.house, kitchen.admin, fridge="kitchen", number="1000", pin=PIN)


def test_a_pin_is_not_guessed_in_between_the_openings_of_others(
    kitchen: Kitchen, hands: Hands
) -> None:
    """Whoever has a PIN of their own would otherwise have four tries at another's, for ever."""
    mine, theirs = kitchen.enrol(0, pin="582047").member, kitchen.enrol(1, pin=PIN).member
    for guess in ("739180", "739181", "739183"):
        assert ask(kitchen, theirs.number, guess).decision.reasons == ("wrong_pin",)
    assert ask(kitchen, mine.number, "582047").decision.outcome is DecisionOutcome.GRANTED
    for guess in ("739184", "739185"):
        assert ask(kitchen, theirs.number, guess).decision.reasons == ("wrong_pin",)
    answer = ask(kitchen, theirs.number, PIN)
    assert (answer.decision.outcome, answer.retry_after) == (DecisionOutcome.LOCKED, 30.0)
    told = events.page(kitchen.house, kitchen.admin, kind="locked").items
    assert [e.detail["member"] for e in told] == ["p1"]
    assert ask(kitchen, mine.number, "582047").decision.outcome is DecisionOutcome.GRANTED
    hands.pass_by(30)
    assert ask(kitchen, theirs.number, PIN).decision.outcome is DecisionOutcome.GRANTED


@on_sqlite
@pytest.mark.parametrize("lift", ["unlock", "replace"])
def test_an_admin_lifts_the_lock_of_a_pin(kitchen: Kitchen, lift: str) -> None:
    member = kitchen.enrol(0, pin=PIN).member
    for _ in range(5):
        ask(kitchen, member.number, "739183")
    attempts.unlock(kitchen.house, kitchen.admin, "kitchen", kiosk=kitchen.kiosk.key_id)
    assert ask(kitchen, member.number, PIN).decision.outcome is DecisionOutcome.LOCKED
    if lift == "replace":
        pins.replace(kitchen.house, kitchen.admin, "kitchen", "p0", PIN)
        with kitchen.house.store.begin() as unit:
            unit.attempts.clear(attempts.fridge_scope("kitchen"))
    else:
        attempts.unlock(kitchen.house, kitchen.admin, "kitchen")
    assert ask(kitchen, member.number, PIN).decision.outcome is DecisionOutcome.GRANTED


def test_an_erased_members_pin_opens_nothing(kitchen: Kitchen) -> None:
    member = kitchen.enrol(0, pin=PIN).member
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    assert ask(kitchen, member.number, PIN).decision.outcome is DecisionOutcome.REFUSED


def test_a_member_without_grants_is_known_by_pin_and_let_out(kitchen: Kitchen) -> None:
    member = kitchen.enrol(0, pin=PIN).member
    grants.withdraw(kitchen.house, kitchen.admin, "kitchen", "p0", "left")
    answer = ask(kitchen, member.number, PIN)
    assert answer.decision.reasons == ("no_compartment",)
    assert decisions.page(kitchen.house, kitchen.admin).items[0].ticket is None
