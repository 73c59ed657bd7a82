"""Failures in a row lock: the kiosk, the fridge, for longer each time, at last until lifted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.service.scene import Hands, Kitchen
from visavox.errors import Forbidden, NotFound
from visavox.service import attempts, events, fridges, pins
from visavox.service.answer import Answer
from visavox.service.house import Actor
from visavox.service.settings import ServiceSettings
from visavox.store.records import Attempts, DecisionOutcome

PIN = "739182"
LOCKED = DecisionOutcome.LOCKED


def fail(kitchen: Kitchen, times: int = 1, *, kiosk: Actor | None = None) -> Answer:
    answer: Answer | None = None
    for _ in range(times):
        answer = pins.authenticate(
            kitchen.house, kiosk or kitchen.kiosk, fridge="kitchen", number="1", pin="2"
        )
    assert answer is not None
    return answer


def right(kitchen: Kitchen, number: str, *, kiosk: Actor | None = None) -> Answer:
    return pins.authenticate(
        kitchen.house, kiosk or kitchen.kiosk, fridge="kitchen", number=number, pin=PIN
    )


def test_the_fifth_failure_locks_and_then_not_even_a_member_is_let_in(
    kitchen: Kitchen, hands: Hands
) -> None:
    number = kitchen.enrol(0, pin=PIN).member.number
    assert fail(kitchen, 5).decision.outcome is DecisionOutcome.REFUSED
    answer = right(kitchen, number)
    assert answer.decision.outcome is LOCKED
    assert answer.retry_after == 30.0
    assert (answer.ticket, answer.next_step_code) == (None, "wait")
    hands.pass_by(29.9)
    assert right(kitchen, number).decision.outcome is LOCKED
    hands.pass_by(0.1)
    assert right(kitchen, number).decision.outcome is DecisionOutcome.GRANTED


def test_four_failures_and_a_success_start_again(kitchen: Kitchen) -> None:
    number = kitchen.enrol(0, pin=PIN).member.number
    for _ in range(3):
        fail(kitchen, 4)
        assert right(kitchen, number).decision.outcome is DecisionOutcome.GRANTED
    assert fridges.standing(kitchen.house, kitchen.admin, "kitchen").lock.failures == 0


def test_each_further_failure_locks_for_twice_as_long_and_the_tenth_until_an_admin_comes(
    kitchen: Kitchen, hands: Hands
) -> None:
    number = kitchen.enrol(0, pin=PIN).member.number
    fail(kitchen, 5)
    waits = []
    while (answer := fail(kitchen)).retry_after is not None:
        assert answer.decision.outcome is LOCKED
        waits.append(answer.retry_after)
        hands.pass_by(answer.retry_after)
        fail(kitchen)
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert answer.next_step_code == "ask_admin_to_unlock"
    hands.pass_by(30 * 24 * 3600)
    assert right(kitchen, number).decision.outcome is LOCKED
    kinds = [e.kind for e in events.page(kitchen.house, kitchen.admin, limit=200).items]
    assert kinds.count("capped") == 2  # of the kiosk and of the fridge
    assert kinds.count("locked") == 18
    standing = attempts.unlock(kitchen.house, kitchen.admin, "kitchen")
    assert not standing.lock.locked
    assert not any(lock.locked for _, lock in standing.kiosks)
    assert right(kitchen, number).decision.outcome is DecisionOutcome.GRANTED
    last = events.page(kitchen.house, kitchen.admin, limit=1).items[0]
    assert last.kind == "lifted"


def test_failures_at_several_kiosks_lock_their_fridge(kitchen: Kitchen) -> None:
    other = kitchen.another_kiosk()
    fail(kitchen, 2)
    fail(kitchen, 3, kiosk=other)
    standing = fridges.standing(kitchen.house, kitchen.admin, "kitchen")
    assert standing.lock.locked
    assert dict(standing.kiosks)[other.key_id].failures == 3
    assert fail(kitchen).decision.outcome is LOCKED


def test_a_kiosk_is_locked_at_every_fridge_that_it_serves(kitchen: Kitchen) -> None:
    fridges.create(kitchen.house, kitchen.admin, id="cellar", name="Cellar")
    roaming = replace(kitchen.kiosk, fridges=None)
    fail(kitchen, 5, kiosk=roaming)
    answer = pins.authenticate(kitchen.house, roaming, fridge="cellar", number="1", pin="2")
    assert answer.decision.outcome is LOCKED


def test_a_locked_request_counts_as_no_further_failure(kitchen: Kitchen, hands: Hands) -> None:
    fail(kitchen, 9)
    hands.pass_by(30)
    assert fail(kitchen).decision.outcome is DecisionOutcome.REFUSED


def test_one_kiosk_alone_can_be_unlocked(kitchen: Kitchen) -> None:
    fail(kitchen, 5)
    standing = attempts.unlock(kitchen.house, kitchen.admin, "kitchen", kiosk=kitchen.kiosk.key_id)
    assert standing.lock.locked
    assert not dict(standing.kiosks)[kitchen.kiosk.key_id].locked
    with pytest.raises(NotFound):
        attempts.unlock(kitchen.house, kitchen.admin, "kitchen", kiosk="key_of-nobody")


def test_a_kiosk_unlocks_nothing(kitchen: Kitchen) -> None:
    with pytest.raises(Forbidden):
        attempts.unlock(kitchen.house, kitchen.kiosk, "kitchen")


def test_no_number_of_failures_overflows() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    counted = Attempts("kiosk:k", consecutive=10**6, locks=10**6)
    found = attempts.failed(counted, at, ServiceSettings())
    assert found.locked_until == at + timedelta(seconds=3600)
    assert found.capped
