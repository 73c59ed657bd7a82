"""Another Characterizer takes over with the base and every fridge's bundle, as one or not at all.

    prepare base → prepare each fridge → succeed: all current? → one file is replaced

What is prepared lies beside what serves and changes nothing. `succeed` locks all fridges, sees that
each is served by a bundle that learned from exactly the captures there are now, and replaces the
file that names the set (`store.nets`) as the last thing before the commit. Processes that run go on
with the former set, whole; whoever starts serves with the new one. To go back is the same file.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from visavox import bundle
from visavox.discriminator.base import BaseScorer
from visavox.errors import BundleError, Conflict, Sealed, Unavailable
from visavox.service.admission import admitted, serves
from visavox.service.house import Actor, House
from visavox.service.parcel import Parcel
from visavox.service.shelf import replace
from visavox.service.standing import Standing
from visavox.store import Unit, nets
from visavox.store.nets import Chosen
from visavox.store.records import Fridge, Role


class Behind(Conflict):
    """A set that is not whole: some fridges have changed since they were prepared."""

    code = "behind"

    def __init__(self, fridges: Sequence[str]) -> None:
        super().__init__(
            f"{len(fridges)} fridges are not prepared for these nets, or have changed since.",
            next_step="Prepare them again.",
        )
        self.fridges = tuple(fridges)


def prepare_base(house: House, who: Actor, folder: Path) -> str:
    """Put the newcomers' base beside what serves; `house` is of the new nets. Its digest."""
    who.need(Role.ADMIN)
    who.everywhere()
    slot = house.models.base_slot
    found = bundle.load(bundle.find(folder), characterizer_digest=house.models.characterizer.digest)
    if found.discriminator.family != BaseScorer.FAMILY:
        raise BundleError(
            f"The bundle of {found.fridge!r} is no base.",
            next_step="Fit one: `dvc repro base@cohort`.",
        )
    for risk in found.policy.levels:
        serves(found, risk, provisional=True)
    slot.take_in(folder, house.models.characterizer.digest)
    slot.point(found.digest)
    return found.digest


def prepare(house: House, who: Actor, fridge: str, sealed: bytes, digest: str) -> None:
    """Put a fridge's bundle beside what serves; `house` is of the new nets."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at, slot = house.clock(), house.models.slot(fridge)
    with house.store.begin() as unit:
        now = unit.fridges.lock(fridge)
        try:
            packed = unit.bundles.open(fridge, digest, sealed)
        except Sealed as error:
            raise BundleError(
                f"The bundle {digest[:12]}… of {fridge!r} does not open: a member was erased since"
                " it was trained.",
                next_step="Train the fridge again.",
            ) from error
        parcel, found = admitted(house, unit, now, Parcel.unpack(digest, packed), at)
        slot.keep(unit, parcel)
        who.note(unit, at, "model.prepare", fridge, bundle=found.digest, under=_name(house))
        slot.change(unit, Standing(found.digest))


def succeed(house: House, who: Actor) -> Chosen:
    """Let the nets of `house`, their base and all their bundles serve from the next start on.

    Behind names the fridges that are not ready; nothing has changed then.
    """
    who.need(Role.ADMIN)
    who.everywhere()
    if house.models.base() is None:
        raise Unavailable(
            "There is no base for these nets: nobody could be enrolled.",
            next_step="Prepare one first.",
        )
    at, home = house.clock(), nets.home_of(house.models.root)
    with house.store.begin() as unit:
        every = [unit.fridges.lock(fridge) for fridge in everywhere(unit)]
        if late := [f.id for f in every if not _is_current(house, unit, f)]:
            raise Behind(late)
        after = nets.chosen(home).succeeded(_name(house))
        for fridge in every:
            unit.events.add(
                at=at, fridge=fridge.id, kind="characterizer_changed", detail=after.to_json()
            )
        who.note(unit, at, "characterizer.succeed", "characterizer", **after.to_json())
        _choose(unit, home, after)
    return after


def back(house: House, who: Actor) -> Chosen:
    """Let the former set serve again from the next start on; the two change places.

    What has changed since it served is not in it: every fridge is asked to be retrained.
    """
    who.need(Role.ADMIN)
    who.everywhere()
    at, home = house.clock(), nets.home_of(house.models.root)
    with house.store.begin() as unit:
        every = [unit.fridges.lock(fridge) for fridge in everywhere(unit)]
        now = nets.chosen(home)
        if now.previous is None:
            raise Conflict(
                "No other Characterizer has served here.", next_step="Nothing: there is none."
            )
        after = Chosen(now.previous, now.serves)
        for fridge in every:
            unit.retraining.request(fridge.id, reason="characterizer_back", at=at)
            unit.events.add(
                at=at, fridge=fridge.id, kind="characterizer_changed", detail=after.to_json()
            )
        who.note(unit, at, "characterizer.back", "characterizer", **after.to_json())
        _choose(unit, home, after)
    return after


def _name(house: House) -> str:
    return house.models.characterizer.digest


def everywhere(unit: Unit) -> list[str]:
    """All fridges, in the one order in which they are locked."""
    found: list[str] = []
    cursor = None
    while True:
        page = unit.fridges.page(cursor=cursor)
        found += [f.id for f in page.items]
        if (cursor := page.next_cursor) is None:
            return sorted(found)


def _is_current(house: House, unit: Unit, fridge: Fridge) -> bool:
    """Whether it is prepared with all that could be learned from now, and with nothing else."""
    mine = _name(house)
    captures = unit.captures.sealed(fridge.id)
    # Of a confirmed probe nothing raw is kept: other nets than saw it cannot see it again.
    wanted = {c.id for c in captures if c.blob or c.characterizer == mine}
    if not wanted:
        return True  # nobody could be scored, whatever lies there
    standing = house.models.slot(fridge.id).now()
    if standing is None:
        return False
    try:
        found = house.models.slot(fridge.id).open(unit, standing.champion).bundle(mine)
        serves(found, fridge.risk, provisional=False)
    except BundleError:
        return False
    return set(found.lineage.get("captures", ())) == wanted


def _choose(unit: Unit, home: Path, after: Chosen) -> None:
    """The last thing before the commit, without which it is as before."""
    unit.bundles.undo(partial(_write, home, nets.chosen(home)))
    _write(home, after)


def _write(home: Path, what: Chosen) -> None:
    replace(home / nets.POINTER, json.dumps(what.to_json()).encode())
