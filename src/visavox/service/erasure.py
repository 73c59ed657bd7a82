"""Erasing a member in one transaction, and the receipt that says what went where.

What is counted and hashed before it goes: captures, their parts in the capture store, templates in
bundles, probes of decisions. The hashes of sealed parts are read before the transaction begins, so
that no fridge is locked while a slow capture store answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from visavox.errors import BundleError, NotFound
from visavox.service.sealed import SealedSlot
from visavox.store import Store, Unit
from visavox.store.erasing import erase as erase_rows
from visavox.store.holdings import Holding, hashed, sha256
from visavox.store.records import Erased


@dataclass(frozen=True, slots=True)
class Removed:
    """What was erased, the audit record that proves when, and the receipt that goes on from there."""

    erased: Erased
    audit_seq: int
    receipt: str


def erase(
    store: Store,
    slot: SealedSlot,
    member: str,
    *,
    actor: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
    expected_version: int | None = None,
) -> Removed:
    """Delete a member for good, and open their receipt; NotFound or Stale, and nothing is deleted."""
    fridge = slot.fridge
    parts = _sealed_parts(store, fridge, member)
    with store.begin() as unit:
        unit.fridges.lock(fridge)
        holding = unit.holdings.of(fridge, member)
        bundles = _templates(slot, unit, member)
        slot.forget(unit, member, at)
        unit.holdings.drop_probes(fridge, holding.key)
        said = _removed(holding, parts, bundles)
        receipt = unit.receipts.open(fridge, member, at=at, removed=said, probe=holding.last)
        erased, noted = erase_rows(
            unit,
            fridge,
            member,
            actor=actor,
            at=at,
            detail={"receipt": receipt.id, **(detail or {})},
            expected_version=expected_version,
        )
    return Removed(erased, noted.seq, receipt.id)


def _sealed_parts(store: Store, fridge: str, member: str) -> dict[str, str]:
    with store.read() as unit:
        try:
            names = unit.holdings.parts(fridge, member)
        except NotFound:  # it is said again where it counts
            return {}
    return hashed(names, store.blobs.get)


def _templates(slot: SealedSlot, unit: Unit, member: str) -> list[dict[str, Any]]:
    """The bundles that scored them, as they lie there; what cannot be opened loses its key too."""
    found = []
    for digest in slot.digests(unit):
        sealed = slot.read(unit, digest)
        try:
            learned = slot.open(unit, digest).learned_from(member)
        except BundleError:
            learned = True
        if learned and sealed is not None:
            found.append({"bundle": digest, "sealed_sha256": sha256(sealed)})
    return found


def _removed(
    holding: Holding, parts: Mapping[str, str], bundles: list[dict[str, Any]]
) -> dict[str, Any]:
    """As the receipt tells it."""
    for capture in holding.captures:
        for part in capture["parts"]:
            part["sha256"] = parts.get(part["name"])
    return {
        "key": {"id": holding.key, "destroyed": True},
        "captures": list(holding.captures),
        "templates": bundles,
        "probes": {"count": holding.probes, "sha256": holding.probes_sha256},
        "answers_closed": holding.answers,
        "grants": holding.grants,
        "pin": holding.pin,
        "caches": ["this process: templates, snapshot", "other processes: at their next request"],
        "last_probe": {"of": holding.last_of, "characterizer": holding.last_by},
    }
