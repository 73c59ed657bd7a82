"""What judged a decision, put together again; or another model in its place.

A decision says by which bundle and base it was made, and of what they were composed then
(`composition`). Bundles are less than they were once somebody was erased: blanks stand in the place
of whoever is gone, so that every sum goes over as many columns as it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visavox.bundle import Bundle
from visavox.errors import BundleError, Conflict, NotFound
from visavox.service.composition import Composition
from visavox.service.house import House
from visavox.service.loaded import Loaded
from visavox.service.snapshot import Snapshot, enrolled
from visavox.store import Unit
from visavox.store.records import DecisionRecord
from visavox.table import EmbeddingTable


@dataclass(frozen=True, slots=True, eq=False)
class Rebuilt:
    """A judge, and how far it is the one of the day."""

    snapshot: Snapshot
    of_the_day: bool
    gone: frozenset[str]
    """Whom it cannot score any more."""
    face_dim: int
    voice_dim: int


def as_it_was(
    house: House,
    unit: Unit,
    record: DecisionRecord,
    bundle: str | None,
    judged: Mapping[str, Any] | None,
) -> Rebuilt:
    """What judged a decision then; BundleError where it is not kept any more."""
    if judged is None:
        raise Conflict(
            f"What the decision {record.id!r} was judged by was not written down then.",
            next_step="Replay it with a bundle of your choice.",
        )
    made = Composition.from_json(judged)
    trained = None
    if bundle is not None:
        parcel = _parcel(house, unit, record.fridge, bundle)
        trained = parcel.widened(made.columns).bundle(str(record.characterizer))
    base = _base(house, record)
    tables, gone = _newcomers(house, unit, record, made)
    snapshot = Snapshot(
        fridge=record.fridge,
        revision=0,
        risk=made.risk,
        bundle=trained,
        base=base,
        kept=np.array(made.columns_kept, np.intp),
        newcomers=enrolled(base, tables),
        members={},
    )
    known = set(snapshot.trained) | (set(tables) - gone)
    shown = {c.member for c in record.candidates}
    return _rebuilt(snapshot, True, frozenset(gone | (shown - known)))


def with_another(house: House, unit: Unit, record: DecisionRecord, bundle: str) -> Rebuilt:
    """Another model, as it would serve today: today's members and risk setting."""
    fridge = unit.fridges.get(record.fridge)
    parcel = _parcel(house, unit, record.fridge, bundle)
    found = parcel.bundle(str(record.characterizer))
    roster = unit.members.roster(record.fridge)
    kept = Loaded(found, parcel.joined).kept(roster)
    known = {found.discriminator.members[i] for i in kept}
    tables = {
        member: _table(house, unit, record, member, None)
        for member, (_, captures) in roster.items()
        if member not in known and captures
    }
    base = house.models.base()
    snapshot = Snapshot(
        fridge=fridge.id,
        revision=fridge.revision,
        risk=fridge.risk,
        bundle=found,
        base=base,
        kept=kept,
        newcomers=enrolled(base, tables),
        members={member: since for member, (since, _) in roster.items()},
    )
    return _rebuilt(snapshot, False, frozenset())


def _parcel(house: House, unit: Unit, fridge: str, digest: str) -> Any:
    try:
        return house.models.slot(fridge).open(unit, digest)
    except BundleError as error:
        raise BundleError(
            error.problem,
            next_step=f"Look for its digest among the versions of fridge-{fridge} in the registry.",
        ) from None


def _base(house: House, record: DecisionRecord) -> Bundle | None:
    if record.base is None:
        return None
    now = house.models.base()
    if now is not None and now.digest == record.base:
        return now
    return house.models.base_slot.load(record.base, str(record.characterizer))


def _newcomers(
    house: House, unit: Unit, record: DecisionRecord, made: Composition
) -> tuple[dict[str, EmbeddingTable], set[str]]:
    """The captures of whom the base scored then; whoever is gone has none, and keeps their place."""
    roster = unit.members.roster(record.fridge)
    tables, gone = {}, set[str]()
    for member, captures in made.newcomers.items():
        since = roster.get(member)
        if since is None or since[0] > record.at:  # an id can be given again
            gone.add(member)
        count = 0 if member in gone else captures
        tables[member] = _table(house, unit, record, member, count)
        if len(tables[member]) < captures:
            gone.add(member)
    return tables, gone


def _table(
    house: House, unit: Unit, record: DecisionRecord, member: str, count: int | None
) -> EmbeddingTable:
    if count == 0:
        return house.models.table([], [])
    seen = [
        c
        for c in unit.captures.of(record.fridge, member)
        # What other nets saw since cannot be held against this probe.
        if c.characterizer in {None, record.characterizer}
    ][:count]
    return house.models.table([c.id for c in seen], [c.embeddings for c in seen])


def _rebuilt(snapshot: Snapshot, of_the_day: bool, gone: frozenset[str]) -> Rebuilt:
    source = snapshot.bundle or snapshot.base
    if source is None:
        raise NotFound("No model is installed.", next_step="Install a base: `python -m api model`.")
    return Rebuilt(
        snapshot,
        of_the_day,
        gone,
        source.discriminator.face.scorer.dimension,
        source.discriminator.voice.scorer.dimension,
    )
