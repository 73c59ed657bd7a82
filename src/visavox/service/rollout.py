"""How a trained bundle comes to decide at a fridge: tried beside the champion, promoted, undone.

What a training made comes here sealed, and stays so. All changes are made while the fridge is
locked, with an event and an audit record, and every process notices with its next request.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from visavox.errors import BundleError, Conflict, Sealed
from visavox.service.admission import admitted, as_of, serves
from visavox.service.house import Actor, House
from visavox.service.live import Live
from visavox.service.parcel import Parcel
from visavox.service.sealed import SealedSlot
from visavox.service.standing import Challenge, Mode, Standing
from visavox.store import Unit
from visavox.store.records import Fridge, Role


class Place(StrEnum):
    """Where a bundle is deployed to."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


def deploy(
    house: House,
    who: Actor,
    fridge: str,
    sealed: bytes,
    digest: str,
    *,
    place: Place,
    mode: Mode = Mode.SHADOW,
    share: float = 0.0,
    older: bool = False,
) -> Live:
    """Put a bundle into place that was sealed under the fridge's key; again changes nothing.

    It holds none but members. BundleError where it cannot serve, or where a member whom it learned
    from was erased since; Conflict where what is live was trained on newer data, unless an `older`
    one is wanted, or where there is no champion to challenge.
    """
    _may(who, fridge)
    at = house.clock()
    with house.store.begin() as unit:
        now, slot = unit.fridges.lock(fridge), house.models.slot(fridge)
        before = slot.now()
        if _stands(before, digest, place, mode, share) and slot.keeps(unit, digest):
            return house.models.describe(unit, now)
        parcel = _unsealed(unit, fridge, digest, sealed)
        parcel, found = admitted(house, unit, now, parcel, at)
        if not older:
            _not_older(house, unit, now, as_of(found))
        if place is Place.CHAMPION:
            after = Standing(digest) if before is None else before.crowned(digest)
            done = "model_installed"
        elif before is None:
            raise Conflict(
                f"Nothing is live at {fridge!r} that {digest[:12]}… could challenge.",
                next_step="Deploy it as the champion.",
            )
        else:
            after = before.challenged(Challenge(digest, mode, share, at))
            done = "model_challenger"
        detail = {"bundle": digest, "members": len(parcel.joined)}
        if place is Place.CHALLENGER:
            detail |= {"mode": mode.value, "share": share}
        slot.keep(unit, parcel)
        _changed(unit, who, slot, after, at, done, detail)
    return _now(house, fridge)


def promote_challenger(house: House, who: Actor, fridge: str, *, digest: str | None = None) -> Live:
    """Let the challenger decide; with `digest`, that one and no other."""
    _may(who, fridge)
    at = house.clock()
    with house.store.begin() as unit:
        now, slot, before = _standing(house, unit, fridge)
        after = before.promoted()
        _is(after.champion, digest, "challenger")
        _can(house, unit, slot, now, after.champion)
        detail = {"bundle": after.champion, "former": before.champion}
        _changed(unit, who, slot, after, at, "model_promoted", detail)
    return _now(house, fridge)


def withdraw_challenger(
    house: House, who: Actor, fridge: str, *, digest: str | None = None, why: str = ""
) -> Live:
    """End the trial; the champion goes on. Where nothing is tried, nothing changes."""
    _may(who, fridge)
    at = house.clock()
    with house.store.begin() as unit:
        now, slot, before = _standing(house, unit, fridge)
        if before.challenger is None:
            return house.models.describe(unit, now)
        _is(before.challenger.digest, digest, "challenger")
        detail = {"bundle": before.challenger.digest, "why": why}
        _changed(unit, who, slot, before.withdrawn(), at, "model_withdrawn", detail)
    return _now(house, fridge)


def rollback(
    house: House, who: Actor, fridge: str, *, leave: str | None = None, why: str = ""
) -> Live:
    """Let the champion before decide again; the two change places, and a trial ends.

    With `leave`, only if that is the champion: asked for twice, it is done once.
    """
    _may(who, fridge)
    at = house.clock()
    with house.store.begin() as unit:
        now, slot, before = _standing(house, unit, fridge)
        _is(before.champion, leave, "champion")
        after = before.rolled_back()
        _can(house, unit, slot, now, after.champion)
        detail = {"bundle": after.champion, "former": before.champion, "why": why}
        _changed(unit, who, slot, after, at, "model_rolled_back", detail)
    return _now(house, fridge)


def standing(house: House, who: Actor, fridge: str) -> Standing | None:
    """How it stands; None while nothing was ever trained."""
    who.need(Role.ADMIN, Role.AUDITOR)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)  # before its id names a folder
    return house.models.slot(fridge).now()


def _may(who: Actor, fridge: str) -> None:
    who.need(Role.ADMIN)
    who.reach(fridge)


def _standing(house: House, unit: Unit, fridge: str) -> tuple[Fridge, SealedSlot, Standing]:
    now, slot = unit.fridges.lock(fridge), house.models.slot(fridge)
    found = slot.now()
    if found is None:
        raise Conflict(
            f"No trained model is live at {fridge!r}.",
            next_step="Train the fridge: enrol members, and let a retraining run.",
        )
    return now, slot, found


def _stands(before: Standing | None, digest: str, place: Place, mode: Mode, share: float) -> bool:
    """Whether it is in that place already."""
    if before is None:
        return False
    if place is Place.CHAMPION:
        return before.champion == digest
    tried = before.challenger
    return tried is not None and (tried.digest, tried.mode, tried.share) == (digest, mode, share)


def _unsealed(unit: Unit, fridge: str, digest: str, sealed: bytes) -> Parcel:
    try:
        packed = unit.bundles.open(fridge, digest, sealed)
    except Sealed as error:
        raise BundleError(
            f"The bundle {digest[:12]}… of {fridge!r} does not open: a member was erased since it"
            f" was trained, or it is another fridge's. {error.problem}",
            next_step="Train the fridge again.",
        ) from None
    return Parcel.unpack(digest, packed)


def _not_older(house: House, unit: Unit, fridge: Fridge, moment: datetime | None) -> None:
    """Two retrainings may overtake each other: the one that saw less must not be the last word."""
    live = house.models.snapshot(unit, fridge).bundle
    of_live = None if live is None else as_of(live)
    if moment is not None and of_live is not None and moment < of_live:
        raise Conflict(
            f"What is live at {fridge.id!r} was trained on newer data, as of"
            f" {of_live.isoformat()}.",
            next_step="Train the fridge again, or install this bundle by hand:"
            " `python -m api model install`.",
        )


def _is(found: str, wanted: str | None, what: str) -> None:
    if wanted is not None and found != wanted:
        raise Conflict(
            f"The {what} is {found[:12]}…, not {wanted[:12]}…: it was changed meanwhile.",
            next_step="Look at what is live, and decide again.",
        )


def _can(house: House, unit: Unit, slot: SealedSlot, fridge: Fridge, digest: str) -> None:
    """Conflict unless one that is kept can serve."""
    try:
        found = slot.open(unit, digest).bundle(house.models.characterizer.digest)
        serves(found, fridge.risk, provisional=False)
    except BundleError as error:
        raise Conflict(error.problem, next_step=error.next_step) from error


def _changed(
    unit: Unit,
    who: Actor,
    slot: SealedSlot,
    after: Standing,
    at: datetime,
    kind: str,
    detail: dict[str, Any],
) -> None:
    unit.events.add(at=at, fridge=slot.fridge, kind=kind, detail=detail)
    who.note(unit, at, _ACTIONS[kind], slot.fridge, **detail)
    # The last thing before the commit: what the log does not tell of never serves.
    slot.change(unit, after)


_ACTIONS = {
    "model_installed": "model.install",
    "model_challenger": "model.challenge",
    "model_promoted": "model.promote",
    "model_withdrawn": "model.withdraw",
    "model_rolled_back": "model.rollback",
}


def _now(house: House, fridge: str) -> Live:
    with house.store.read() as unit:
        return house.models.describe(unit, unit.fridges.get(fridge))
