"""A number and a PIN as the way in, for whoever does not want to be seen or heard."""

import functools
import secrets
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from visavox.service import attempts, values
from visavox.service.answer import Answer
from visavox.service.conclusion import Verdict, conclude, locked, standing_lock
from visavox.service.house import Actor, House
from visavox.store.records import DecisionOutcome, Member, Method, Role

# OWASP's first choice for argon2id: 19 MiB, two passes. Eight kiosks at once stay within bounds.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hashed(pin: str) -> str:
    """The argon2id hash of a PIN that is good enough; Invalid where it is not."""
    return _HASHER.hash(values.pin(pin))


def authenticate(
    house: House,
    who: Actor,
    *,
    fridge: str,
    number: str,
    pin: str,
    arrived: datetime | None = None,
) -> Answer:
    """Refused in the same words, and as slowly, for an unknown number and for a wrong PIN."""
    who.need(Role.KIOSK)
    who.reach(fridge)
    arrived = arrived or house.clock()
    with house.store.read() as unit:
        unit.fridges.get(fridge)
        lock = standing_lock(unit, who, fridge, house.clock())
        member = None if lock.locked else unit.members.by_number(fridge, number[:32])
        kept = None if member is None else unit.members.pin_hash(fridge, member.id)
    if lock.locked:
        return conclude(house, who, locked(Method.PIN, fridge, lock), arrived=arrived)
    right = _verify(kept or _nobodys(), pin[:64])
    tried = None if kept is None else member
    if not right or member is None or kept is None:
        verdict = Verdict(
            Method.PIN,
            fridge,
            DecisionOutcome.REFUSED,
            None,
            ("wrong_pin",),
            "The number or the PIN is wrong.",
            tried=tried,
        )
    else:
        verdict = Verdict(
            Method.PIN,
            fridge,
            DecisionOutcome.GRANTED,
            member.id,
            ("pin_match",),
            "Open the fridge.",
            pin_hash=kept,
            tried=tried,
        )
    return conclude(house, who, verdict, arrived=arrived)


def replace(
    house: House,
    who: Actor,
    fridge: str,
    member: str,
    pin: str,
    *,
    expected_version: int | None = None,
) -> Member:
    """A new PIN; the old one opens nothing from now on."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at, made = house.clock(), hashed(pin)
    with house.store.begin() as unit:
        kept = unit.members.set_pin(fridge, member, made, expected_version=expected_version)
        unit.attempts.clear(attempts.pin_scope(fridge, member, kept.created_at))
        who.note(unit, at, "pin.replace", f"{fridge}/{member}")
    return kept


def remove(
    house: House, who: Actor, fridge: str, member: str, *, expected_version: int | None = None
) -> Member:
    """No PIN any more; again is no error."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        kept = unit.members.set_pin(fridge, member, None, expected_version=expected_version)
        who.note(unit, at, "pin.remove", f"{fridge}/{member}")
    return kept


@functools.cache
def _nobodys() -> str:
    """A hash that no PIN fits, to be as slow for nobody as for somebody."""
    return _HASHER.hash(secrets.token_hex(16))


def _verify(kept: str, pin: str) -> bool:
    try:
        return _HASHER.verify(kept, pin)
    except (VerificationError, InvalidHashError):
        return False
