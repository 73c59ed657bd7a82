"""Failures in a row lock a kiosk and a fridge: for longer each time, at last until an admin comes.

A PIN is locked in the same way by wrong tries at it. Others who come and go forget a kiosk's and a
fridge's failures; those of a PIN only its own member forgets, or anybody could guess at it in
between for ever.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from visavox.errors import NotFound
from visavox.service.house import Actor, House
from visavox.service.settings import ServiceSettings
from visavox.store.records import Attempts, Role

if TYPE_CHECKING:
    from visavox.service.fridges import Standing


@dataclass(frozen=True, slots=True)
class Lock:
    """Whether a kiosk or a fridge is locked, and for how long still."""

    locked: bool
    retry_after: float | None  # seconds; None when not locked, or when only an admin can lift it
    capped: bool
    failures: int


def kiosk_scope(kiosk: str) -> str:
    return f"kiosk:{kiosk}"


def fridge_scope(fridge: str) -> str:
    return f"fridge:{fridge}"


def pin_scope(fridge: str, member: str, since: datetime) -> str:
    """Of whoever has that id since then; a digest, as two ids are longer than a scope may be."""
    whose = f"{fridge}/{member} {since.timestamp()!r}"
    return f"pin:{hashlib.sha256(whose.encode()).hexdigest()[:40]}"


def lock_of(counted: Attempts, at: datetime) -> Lock:
    """What these failures amount to at that moment."""
    if counted.capped:
        return Lock(True, None, True, counted.consecutive)
    if counted.locked_until is not None and counted.locked_until > at:
        left = (counted.locked_until - at).total_seconds()
        return Lock(True, left, False, counted.consecutive)
    return Lock(False, None, False, counted.consecutive)


def strictest(locks: list[Lock]) -> Lock:
    """The one that keeps the door shut longest."""
    return max(locks, key=lambda k: (k.locked, k.capped, k.retry_after or 0.0))


def failed(counted: Attempts, at: datetime, settings: ServiceSettings) -> Attempts:
    """One more failure: from the fifth in a row on, each locks for twice as long."""
    consecutive = counted.consecutive + 1
    if consecutive < settings.failures:
        return replace(counted, consecutive=consecutive)
    locks = counted.locks + 1
    # The exponent is bounded, so that no number of failures overflows.
    seconds = min(settings.first_lock * 2.0 ** min(locks - 1, 32), settings.longest_lock)
    return replace(
        counted,
        consecutive=consecutive,
        locks=locks,
        locked_until=at + timedelta(seconds=seconds),
        capped=locks >= settings.locks,
    )


def unlock(house: House, who: Actor, fridge: str, *, kiosk: str | None = None) -> "Standing":
    """Forget the failures of the fridge, all its kiosks and PINs, or of that kiosk alone."""
    from visavox.service import fridges  # it shows locks, and so imports this module

    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        unit.fridges.get(fridge)
        known = [key.id for key in unit.keys.kiosks(fridge)]
        if kiosk is not None and kiosk not in known:
            raise NotFound(
                f"The fridge {fridge!r} has no kiosk {kiosk!r}.", next_step="Check the key's id."
            )
        lifted = known if kiosk is None else [kiosk]
        scopes, pins = [kiosk_scope(k) for k in lifted], list[str]()
        if kiosk is None:
            scopes.append(fridge_scope(fridge))
            roster = unit.members.roster(fridge).items()
            pins = [pin_scope(fridge, member, since) for member, (since, _) in roster]
        unit.attempts.clear(*scopes, *pins)
        unit.events.add(at=at, fridge=fridge, kiosk=kiosk, kind="lifted", detail={"scopes": scopes})
        who.note(unit, at, "fridge.unlock", fridge, scopes=scopes)
    return fridges.standing(house, who, fridge)
