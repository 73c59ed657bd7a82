"""The models of a process: read once, replaced as a whole, and told apart by what they are of."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from visavox.bundle import Bundle
from visavox.characterizer import Characterizer
from visavox.decision import Level
from visavox.service import sealed
from visavox.service.loaded import Held, Loaded, renewed
from visavox.service.sealed import SealedSlot
from visavox.service.shelf import BaseSlot, Stamp
from visavox.service.snapshot import Snapshot, enrolled
from visavox.service.standing import Challenge
from visavox.store import Store, Unit
from visavox.store import nets as nets_of
from visavox.store.records import CaptureRecord, Fridge
from visavox.table import EmbeddingTable


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
    challenger: Challenge | None = None  # what is tried beside the bundle
    previous: str | None = None  # what a roll-back would bring back


_Key = tuple[datetime, int, str, Stamp | None, Stamp | None]
"""What a snapshot is of: the fridge's beginning, revision and risk, and both bundles."""

_Roster = dict[str, tuple[datetime, int]]


class Models:
    """The models of a process. Threads share it; other processes' changes are noticed."""

    def __init__(self, root: Path, nets: Characterizer) -> None:
        self._root, self._nets = root, nets
        self._lock = threading.Lock()
        self._slots: dict[str, Held] = {}
        self._snapshots: dict[str, tuple[_Key, Snapshot]] = {}
        self._tables: dict[str, dict[str, tuple[tuple[datetime, int], EmbeddingTable]]] = {}

    @property
    def root(self) -> Path:
        """Where all that goes with its nets lies."""
        return self._root

    @property
    def characterizer(self) -> Characterizer:
        return self._nets

    def slot(self, fridge: str) -> SealedSlot:
        """Where a fridge's trained bundles are."""
        return SealedSlot(self._root, fridge)

    @property
    def slots(self) -> Path:
        """The folder with a folder of each fridge that was ever trained."""
        return self._root / "fridges"

    @property
    def base_slot(self) -> BaseSlot:
        """Where the base is."""
        return BaseSlot(self._root / "base")

    def base(self) -> Bundle | None:
        """What newcomers are enrolled on."""
        return self._base().champion.bundle

    def snapshot(self, unit: Unit, fridge: Fridge) -> Snapshot:
        """What decides at this fridge, as `unit` sees it; use it from start to end of a request."""
        base, stamp = self._base(), self.slot(fridge.id).stamp()
        # Whatever changes the key that bundles are sealed with raises the revision.
        key = (fridge.created_at, fridge.revision, fridge.risk, stamp, base.stamp)
        held = self._snapshots.get(fridge.id)
        if held is not None and held[0] == key:
            return held[1]
        trained = self._trained(unit, fridge.id)
        made = self._made(unit, fridge, trained, base.champion.bundle)
        with self._lock:
            held = self._snapshots.get(fridge.id)
            # A slower thread must not put an older picture in place of a newer one.
            if held is None or held[0][:2] <= key[:2]:
                self._snapshots[fridge.id] = (key, made)
        return made

    def _made(self, unit: Unit, fridge: Fridge, trained: Held, base: Bundle | None) -> Snapshot:
        roster = unit.members.roster(fridge.id)
        champion, challenger = trained.champion, trained.challenger
        if challenger.bundle is not None and fridge.risk not in challenger.bundle.policy.levels:
            challenger = Loaded()  # it could not answer; the trial rests
        kept, beside = champion.kept(roster), challenger.kept(roster)
        by_both = _known(champion, kept)
        if challenger.bundle is not None:
            by_both &= _known(challenger, beside)
        tables = self._newcomers(unit, fridge.id, roster, by_both)
        newer = _but(tables, _known(champion, kept))
        tried = _but(tables, _known(challenger, beside)) if challenger.bundle else {}
        newcomers = enrolled(base, newer)
        return Snapshot(
            fridge=fridge.id,
            revision=fridge.revision,
            risk=fridge.risk,
            bundle=champion.bundle,
            base=base,
            kept=kept,
            newcomers=newcomers,
            members={member: since for member, (since, _) in roster.items()},
            challenger=challenger.bundle,
            challenger_kept=beside,
            challenger_newcomers=newcomers
            if tried.keys() == newer.keys()
            else enrolled(base, tried),
            trial=None if challenger.bundle is None else _challenge(trained),
            captures={member: len(table) for member, table in tables.items()},
        )

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
            challenger=_challenge(trained),
            previous=None if trained.standing is None else trained.standing.previous,
        )

    def forget(self, fridge: str, member: str) -> None:
        """Let go of what this process holds of an erased member."""
        with self._lock:
            self._tables.get(fridge, {}).pop(member, None)
            self._snapshots.pop(fridge, None)
            self._slots.pop(fridge, None)

    def drop(self, fridge: str) -> None:
        """A fridge that is no more."""
        self.slot(fridge).clear()
        with self._lock:
            for held in (self._tables, self._snapshots, self._slots):
                held.pop(fridge, None)

    def sweep(self, store: Store) -> None:
        """Remove what killed processes left among the bundles."""
        for root in nets_of.roots(nets_of.home_of(self._root)):
            sealed.sweep(store, root)

    def _base(self) -> Held:
        slot = self.base_slot

        def load(digest: str) -> Loaded:
            return Loaded(slot.load(digest, self._nets.digest))

        held = self._slots.get("", Held())
        self._slots[""] = found = renewed(held, "base", slot, None, load)
        return found

    def _trained(self, unit: Unit, fridge: str) -> Held:
        slot = self.slot(fridge)

        def load(digest: str) -> Loaded:
            parcel = slot.open(unit, digest)
            return Loaded(parcel.bundle(self._nets.digest), parcel.joined)

        held = self._slots.get(fridge, Held())
        key = unit.bundles.key(fridge)
        self._slots[fridge] = found = renewed(held, fridge, slot, key, load)
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
            seen = [c for c in unit.captures.of(fridge, member) if self.sees(c)]
            if not seen:
                continue  # seen by other nets alone: nothing that could be compared
            now[member] = state, self.table([c.id for c in seen], [c.embeddings for c in seen])
        with self._lock:
            self._tables[fridge] = now
        return {member: table for member, (_, table) in now.items()}

    def sees(self, capture: CaptureRecord) -> bool:
        """Whether a capture was embedded by this process's nets: no others' can be compared.

        Where that was not written down, there was one Characterizer at the time.
        """
        return capture.characterizer in {None, self._nets.digest}

    def table(self, captures: list[str], seen: list[Any]) -> EmbeddingTable:
        """Embeddings of this process's Characterizer, as a table."""
        dims = {"face_dim": self._nets.face_dim, "voice_dim": self._nets.voice_dim}
        return EmbeddingTable.of(captures, seen, **dims)


def _known(loaded: Loaded, kept: Any) -> set[str]:
    """Whom a bundle scores."""
    if loaded.bundle is None:
        return set()
    return {loaded.bundle.discriminator.members[i] for i in kept}


def _but(tables: Mapping[str, EmbeddingTable], known: set[str]) -> dict[str, EmbeddingTable]:
    return {member: table for member, table in tables.items() if member not in known}


def _challenge(trained: Held) -> Challenge | None:
    return None if trained.standing is None else trained.standing.challenger


def _asked(levels: Mapping[str, Level], risk: str) -> float | None:
    return levels[risk].threshold if risk in levels else None
