"""Whether a trained bundle may serve a fridge, and whom it may score there."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from visavox.bundle import Bundle
from visavox.errors import BundleError, ConfigError
from visavox.service.house import House
from visavox.service.parcel import Parcel
from visavox.store import Unit
from visavox.store.records import Fridge


def admitted(
    house: House, unit: Unit, fridge: Fridge, parcel: Parcel, at: datetime
) -> tuple[Parcel, Bundle]:
    """What is left of a parcel at its fridge: it holds none but members. BundleError where it
    cannot serve.

    Who joined after its lineage's `as_of` is not taken for whom it knows; without one, who is not
    of their name by their own captures: an id may have been given again since the training, and
    the former owner must not open as the new one.
    """
    found = parcel.bundle(house.models.characterizer.digest)
    if found.fridge != fridge.id:
        raise BundleError(
            f"The bundle was trained for the fridge {found.fridge!r}, not for {fridge.id!r}.",
            next_step="Install it there, or train this fridge.",
        )
    serves(found, fridge.risk, provisional=False)
    known, since_when = set(found.discriminator.members), as_of(found)
    joined = {
        member: since
        for member, (since, _) in unit.members.roster(fridge.id).items()
        if member in known
        and (since <= since_when if since_when else _is_whom_it_knows(house, unit, found, member))
    }
    return replace(parcel, joined=joined).only(joined, at), found


def serves(found: Bundle, risk: str, *, provisional: bool) -> None:
    """BundleError unless the bundle was trained with that risk setting."""
    try:
        found.policy.level(risk, provisional=provisional)
    except ConfigError as error:
        raise BundleError(
            f"The bundle cannot serve the risk setting {risk!r}: {error.problem}",
            next_step="Train it with that risk setting.",
        ) from None


def as_of(found: Bundle) -> datetime | None:
    """The moment whose members and captures a bundle was trained on, if its lineage says."""
    said = found.lineage.get("as_of")
    if said is None:
        return None
    moment: datetime | None
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BundleError(
            f"The bundle's lineage gives as_of {said!r}, which is no moment with its time zone.",
            next_step="Train it again: as_of is ISO 8601, in UTC.",
        )
    return moment


def _is_whom_it_knows(house: House, unit: Unit, found: Bundle, member: str) -> bool:
    """Whether a bundle's member of that id is whoever has it now, as their captures say."""
    seen = [c for c in unit.captures.of(found.fridge, member) if house.models.sees(c)]
    table = house.models.table([c.id for c in seen], [c.embeddings for c in seen])
    column = found.discriminator.members.index(member)
    fused = found.discriminator.score(table).fused[:, column]
    known = fused[~np.isnan(fused)]
    return bool(len(known)) and float(np.median(known)) > 0.0
