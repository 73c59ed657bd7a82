"""The models of a process: read once, replaced as a whole, and told apart by what they are of."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from visavox.bundle import Bundle
from visavox.characterizer import Characterizer
from visavox.decision import Level
from visavox.errors import BundleError
from visavox.service import sealed
from visavox.service.sealed import SealedSlot
from visavox.service.shelf import BaseSlot, Stamp
from visavox.service.snapshot import Snapshot, enrolled
from visavox.store import Store, Unit
from visavox.store.records import Fridge
from visavox.table import EmbeddingTable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Live:
    """What decides at a fridge now. `bundle` is None until it is trained, `base` until one is
    installed; `problem` says why a bundle that should be live is not."""

    fridge: str
    risk: str
    bundle: str | None
    base: str | None
    characterizer: str
    family: str | None
    members: int
    provisional: int
    unscored: int  # enrolled, and known to no model: they need the PIN pad
    threshold: float | None
    provisional_threshold: float | None
    population: str | None
    lineage: Mapping[str, Any]
    problem: str | None


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """A slot as it was read, and since when whom it scores had been members then."""

    stamp: Stamp | None
    key: str | None  # the id of what it is sealed with; none for the base
    bundle: Bundle | None
    joined: Mapping[str, datetime]
    problem: str | None = None


_NOTHING = _Loaded(None, None, None, {})

_Key = tuple[datetime, int, str, Stamp | None, Stamp | None]
"""What a snapshot is of: the fridge's beginning, revision and risk, and both bundles."""

_Roster = dict[str, tuple[datetime, int]]


class Models:
    """The models of a process. Threads share it; other processes' changes are noticed."""

    def __init__(self, root: Path, nets: Characterizer) -> None:
        self._root, self._nets = root, nets
        self._lock = threading.Lock()
        self._slots: dict[str, _Loaded] = {}
        self._snapshots: dict[str, tuple[_Key, Snapshot]] = {}
        self._tables: dict[str, dict[str, tuple[tuple[datetime, int], EmbeddingTable]]] = {}

    @property
    def characterizer(self) -> Characterizer:
        return self._nets

    def slot(self, fridge: str) -> SealedSlot:
        """Where a fridge's trained bundles are."""
        return SealedSlot(self._root, fridge)

    @property
    def base_slot(self) -> BaseSlot:
        """Where the base is."""
        return BaseSlot(self._root / "base")

    def base(self) -> Bundle | None:
        """What newcomers are enrolled on."""
        return self._base().bundle

    def snapshot(self, unit: Unit, fridge: Fridge) -> Snapshot:
        """What decides at this fridge, as `unit` sees it; use it from start to end of a request."""
        base, stamp = self._base(), self.slot(fridge.id).stamp()
        # Whatever changes the key that bundles are sealed with raises the revision.
        key = (fridge.created_at, fridge.revision, fridge.risk, stamp, base.stamp)
        held = self._snapshots.get(fridge.id)
        if held is not None and held[0] == key:
            return held[1]
        trained = self._trained(unit, fridge.id)
        roster = unit.members.roster(fridge.id)
        kept = _kept(trained, roster)
        known = set() if trained.bundle is None else {
            trained.bundle.discriminator.members[i] for i in kept
        }  # fmt: skip
        tables = self._newcomers(unit, fridge.id, roster, known)
        made = Snapshot(
            fridge=fridge.id,
            revision=fridge.revision,
            risk=fridge.risk,
            bundle=trained.bundle,
            base=base.bundle,
            kept=kept,
            newcomers=enrolled(base.bundle, tables),
            members={member: since for member, (since, _) in roster.items()},
        )
        with self._lock:
            held = self._snapshots.get(fridge.id)
            # A slower thread must not put an older picture in place of a newer one.
            if held is None or held[0][:2] <= key[:2]:
                self._snapshots[fridge.id] = (key, made)
        return made

    def describe(self, unit: Unit, fridge: Fridge) -> Live:
        """What decides at this fridge, in words and numbers."""
        now = self.snapshot(unit, fridge)
        scored = len(now.kept) + len(now.provisional)
        trained = self._trained(unit, fridge.id)
        source = now.bundle or now.base
        return Live(
            fridge=fridge.id,
            risk=fridge.risk,
            bundle=None if now.bundle is None else now.bundle.digest,
            base=None if now.base is None else now.base.digest,
            characterizer=self._nets.digest,
            family=None if now.bundle is None else now.bundle.discriminator.family,
            members=len(now.kept),
            provisional=len(now.provisional),
            unscored=len(now.members) - scored,
            threshold=None if source is None else _asked(source.policy.levels, fridge.risk),
            provisional_threshold=(
                None if now.base is None else _asked(now.base.policy.provisional, fridge.risk)
            ),
            population=None if source is None else str(source.manifest.get("population")),
            lineage={} if source is None else source.lineage,
            problem=trained.problem or self._base().problem,
        )

    def forget(self, fridge: str, member: str) -> None:
        """Let go of what this process holds of an erased member."""
        with self._lock:
            self._tables.get(fridge, {}).pop(member, None)
            self._snapshots.pop(fridge, None)

    def drop(self, fridge: str) -> None:
        """A fridge that is no more."""
        self.slot(fridge).clear()
        with self._lock:
            for held in (self._tables, self._snapshots, self._slots):
                held.pop(fridge, None)

    def sweep(self, store: Store) -> None:
        """Remove what killed processes left among the bundles."""
        sealed.sweep(store, self._root)

    def _base(self) -> _Loaded:
        slot = self.base_slot

        def read() -> tuple[Bundle, Mapping[str, datetime]]:
            return slot.load(slot.pointer(), self._nets.digest), {}

        return self._read("", slot.stamp(), None, read)

    def _trained(self, unit: Unit, fridge: str) -> _Loaded:
        slot = self.slot(fridge)

        def read() -> tuple[Bundle, Mapping[str, datetime]]:
            parcel = slot.open(unit, slot.pointer())
            return parcel.bundle(self._nets.digest), parcel.joined

        return self._read(fridge, slot.stamp(), unit.bundles.key(fridge), read)

    def _read(
        self,
        name: str,
        stamp: Stamp | None,
        key: str | None,
        read: Callable[[], tuple[Bundle, Mapping[str, datetime]]],
    ) -> _Loaded:
        """A slot, read again when its file or its key is another; the last good one if that
        cannot be."""
        held = self._slots.get(name, _NOTHING)
        if (held.stamp, held.key) == (stamp, key):
            return held
        found = _Loaded(None, key, None, {})
        if stamp is not None:
            try:
                found = _Loaded(stamp, key, *read())
            except BundleError as error:
                # The fridge is never down: it goes on with what it had, or with the base.
                log.exception("the bundle of %r cannot be served", name or "base")
                found = _Loaded(stamp, key, held.bundle, held.joined, problem=error.problem)
        self._slots[name] = found
        return found

    def _newcomers(
        self, unit: Unit, fridge: str, roster: _Roster, known: set[str]
    ) -> dict[str, EmbeddingTable]:
        """The captures of those whom the trained bundle does not know; only new ones are opened."""
        held = self._tables.get(fridge, {})
        now: dict[str, tuple[tuple[datetime, int], EmbeddingTable]] = {}
        for member, state in roster.items():
            if member in known or state[1] == 0:
                continue
            if member in held and held[member][0] == state:
                now[member] = held[member]
                continue
            seen = unit.captures.of(fridge, member)
            now[member] = state, self.table([c.id for c in seen], [c.embeddings for c in seen])
        with self._lock:
            self._tables[fridge] = now
        return {member: table for member, (_, table) in now.items()}

    def table(self, captures: list[str], seen: list[Any]) -> EmbeddingTable:
        """Embeddings of this process's Characterizer, as a table."""
        dims = {"face_dim": self._nets.face_dim, "voice_dim": self._nets.voice_dim}
        return EmbeddingTable.of(captures, seen, **dims)


def _kept(trained: _Loaded, roster: _Roster) -> Any:
    """Columns of those who are members still, and the same person as when it was installed."""
    if trained.bundle is None:
        return np.empty(0, np.intp)
    joined = trained.joined
    return np.array(
        [
            i
            for i, member in enumerate(trained.bundle.discriminator.members)
            # An id can be given again; whoever has it now joined later.
            if member in roster and joined.get(member) == roster[member][0]
        ],
        dtype=np.intp,
    )


def _asked(levels: Mapping[str, Level], risk: str) -> float | None:
    return levels[risk].threshold if risk in levels else None
