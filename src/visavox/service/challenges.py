"""Digits to speak, drawn for one kiosk, good once and for a short while.

That the digits were spoken is not checked yet: for now a challenge makes a request unrepeatable.
"""

import secrets
from datetime import datetime, timedelta

from visavox.errors import ChallengeRefused, NotFound
from visavox.service.house import Actor, House
from visavox.store import Unit
from visavox.store.records import Challenge, Role


def draw(house: House, who: Actor, fridge: str) -> Challenge:
    """New digits for the kiosk that asks."""
    who.need(Role.KIOSK)
    who.reach(fridge)
    at = house.clock()
    digits = "".join(str(secrets.randbelow(10)) for _ in range(house.settings.challenge_digits))
    with house.store.begin() as unit:
        unit.fridges.get(fridge)
        unit.challenges.sweep(before=at - timedelta(hours=1))
        return unit.challenges.add(
            fridge=fridge,
            kiosk=who.key_id,
            digits=digits,
            at=at,
            expires_at=at + timedelta(seconds=house.settings.challenge_life),
        )


def check(unit: Unit, who: Actor, challenge: str, fridge: str, at: datetime) -> None:
    """ChallengeRefused unless this kiosk may use it, for this fridge, now. Does not use it up."""
    try:
        found = unit.challenges.get(challenge)
    except NotFound:
        raise refused() from None
    mine = found.kiosk == who.key_id and found.fridge == fridge
    if not mine or found.used_at is not None or found.expires_at <= at:
        raise refused()


def refused() -> ChallengeRefused:
    """One answer for all causes: whose it was is nobody else's business."""
    return ChallengeRefused(
        "The challenge is unknown, used, expired, or of another kiosk or fridge.",
        next_step="Draw a new one, and answer it at once.",
    )
