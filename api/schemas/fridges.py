"""Fridges on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.fields import Body, ChosenId, Locale, Name, Risk, Shown, Version
from visavox.service.attempts import Lock as LockNow
from visavox.service.fridges import Standing as StandingNow


class FridgeMade(Body):
    """A fridge to be."""

    id: ChosenId | None = None
    name: Name
    risk: Risk = Risk.NORMAL
    locale: Locale = Locale.EN


class FridgeChange(Body):
    """What is to be another way; what is left out or null stays."""

    name: Name | None = None
    risk: Risk | None = None
    locale: Locale | None = None


class Fridge(Shown):
    id: str
    name: str
    risk: Risk
    locale: Locale
    created_at: datetime
    version: Version


class Unlock(Body):
    """Whose lock to lift: the kiosk's, or without one the fridge's and all its kiosks'."""

    kiosk: ChosenId | None = None


class Lock(Shown):
    locked: bool
    retry_after_s: Annotated[
        float | None, Field(description="Null when not locked, and when only an admin can lift it.")
    ]
    capped: Annotated[bool, Field(description="Only an admin can lift it.")]
    failures: Annotated[int, Field(description="In a row.")]

    @classmethod
    def of(cls, now: LockNow) -> Self:
        return cls(
            locked=now.locked,
            retry_after_s=now.retry_after,
            capped=now.capped,
            failures=now.failures,
        )


class KioskLock(Shown):
    kiosk: str
    lock: Lock


class Standing(Shown):
    """Whether a fridge and its kiosks are locked after failures in a row."""

    fridge: str
    lock: Lock
    kiosks: tuple[KioskLock, ...]
    retraining: Annotated[int, Field(description="Changes of members that wait to be trained.")]

    @classmethod
    def of(cls, now: StandingNow) -> Self:
        return cls(
            fridge=now.fridge.id,
            lock=Lock.of(now.lock),
            kiosks=tuple(KioskLock(kiosk=key, lock=Lock.of(lock)) for key, lock in now.kiosks),
            retraining=now.retraining,
        )
