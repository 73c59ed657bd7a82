"""Which model decides at which fridge, and how a new one takes over without a pause."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visavox import bundle
from visavox.discriminator.base import BaseScorer
from visavox.errors import BundleError
from visavox.service.admission import admitted, serves
from visavox.service.house import Actor, House
from visavox.service.live import Live, Models
from visavox.service.parcel import Parcel
from visavox.service.standing import Standing
from visavox.store.records import Page, Role

__all__ = [
    "Live", "Models", "characterizer", "install", "install_base", "meant_for", "page", "read",
    "remove",
]  # fmt: skip


def page(house: House, who: Actor, *, limit: int = 50, cursor: str | None = None) -> Page[Live]:
    """What is live at the fridges that the actor's key is for, by the fridge's id."""
    who.need(Role.ADMIN, Role.AUDITOR)
    with house.store.read() as unit:
        some = unit.fridges.page(fridges=who.fridges, limit=limit, cursor=cursor)
        live = tuple(house.models.describe(unit, fridge) for fridge in some.items)
    return Page(live, some.next_cursor)


def read(house: House, who: Actor, fridge: str) -> Live:
    who.reach(fridge)
    with house.store.read() as unit:
        return house.models.describe(unit, unit.fridges.get(fridge))


def characterizer(house: House, who: Actor) -> Mapping[str, Any]:
    """What the nets are, and where they come from."""
    who.need(Role.ADMIN, Role.AUDITOR)
    nets = house.models.characterizer
    return {
        "name": nets.name,
        "digest": nets.digest,
        "face_dim": nets.face_dim,
        "voice_dim": nets.voice_dim,
        "population": nets.population,
        "versions": dict(nets.card.versions),
        "face_sha256": nets.card.face.sha256,
        "voice_sha256": nets.card.voice.sha256,
    }


def meant_for(path: Path) -> str:
    """The fridge that a bundle was trained for, or that one is kept for."""
    if path.suffix == ".sealed":
        return path.absolute().parent.name
    return bundle.load(path, characterizer_digest=None).fridge


def install(house: House, who: Actor, fridge: str, folder: Path) -> Live:
    """Verify a trained bundle and make it live, at once, for every process.

    It is kept sealed, and holds none but members, whom it scores from now on. The one that was
    live before is kept too: to go back to it, name it as it lies there, or roll back.
    """
    who.need(Role.ADMIN)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)  # before its id names a folder
    at, slot = house.clock(), house.models.slot(fridge)
    taken = None if slot.digest_of(folder) else _taken(house, fridge, folder)
    with house.store.begin() as unit:
        now = unit.fridges.lock(fridge)
        parcel = taken or slot.open(unit, str(slot.digest_of(folder)))
        parcel, found = admitted(house, unit, now, parcel, at)
        detail = {"bundle": found.digest, "members": len(parcel.joined)}
        slot.keep(unit, parcel)
        unit.events.add(at=at, fridge=fridge, kind="model_installed", detail=detail)
        who.note(unit, at, "model.install", fridge, **detail)
        # The last thing before the commit: what the log does not tell of never serves.
        before = slot.now()
        slot.change(unit, before.crowned(found.digest) if before else Standing(found.digest))
    return read(house, who, fridge)


def install_base(house: House, who: Actor, folder: Path) -> str:
    """Verify a base bundle and let newcomers of all fridges be enrolled on it; its digest."""
    who.need(Role.ADMIN)
    who.everywhere()
    at, slot = house.clock(), house.models.base_slot
    found = slot.take_in(folder, house.models.characterizer.digest)
    if found.discriminator.family != BaseScorer.FAMILY:
        raise BundleError(
            f"The bundle of {found.fridge!r} is no base: it is of the family"
            f" {found.discriminator.family!r}.",
            next_step="Fit one: `dvc repro base@cohort`.",
        )
    for risk in found.policy.levels:
        serves(found, risk, provisional=True)
    with house.store.begin() as unit:
        who.note(unit, at, "model.base", found.digest)
        slot.point(found.digest)
    slot.tidy()
    return found.digest


def remove(house: House, who: Actor, fridge: str) -> Live:
    """Take the trained bundle out of service: every member is scored by the base again."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        unit.fridges.lock(fridge)
        unit.events.add(at=at, fridge=fridge, kind="model_removed")
        who.note(unit, at, "model.remove", fridge)
        house.models.slot(fridge).withdraw(unit)
    return read(house, who, fridge)


def _taken(house: House, fridge: str, folder: Path) -> Parcel:
    """A bundle as the training wrote it, verified."""
    folder = bundle.find(folder)
    found = bundle.load(folder, characterizer_digest=house.models.characterizer.digest)
    if found.fridge != fridge:
        raise BundleError(
            f"The bundle was trained for the fridge {found.fridge!r}, not for {fridge!r}.",
            next_step="Install it there, or train this fridge.",
        )
    return Parcel.of(folder, found)
