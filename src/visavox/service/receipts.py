"""Receipts of erasures: read, and completed with the proof that the fridge has forgotten.

An erasure opens one (`erasure`). It is completed once what decides at the fridge was trained without
the member, or nobody is left whom it could take them for: their last probe is shown to it as a kiosk
would show it, what came of it is written down, the probe is destroyed, and the document is signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from visavox import pipeline, receipt
from visavox.errors import BundleError, NotFound
from visavox.service.admission import as_of
from visavox.service.authentication import one_person
from visavox.service.house import Actor, House
from visavox.service.sealed import SealedSlot
from visavox.service.snapshot import Snapshot
from visavox.store import Unit
from visavox.store.receipts import Receipt, ReceiptState
from visavox.store.records import Page, Role
from visavox.types import Outcome


@dataclass(frozen=True, slots=True)
class Due:
    """A receipt that waits, and what for; `waits` is empty where it can be completed now."""

    receipt: Receipt
    waits: str


def read(house: House, who: Actor, receipt_id: str) -> Receipt:
    who.need(Role.ADMIN, Role.AUDITOR)
    with house.store.read() as unit:
        found = unit.receipts.get(receipt_id)
    who.reach(found.fridge)
    return found


def page(
    house: House,
    who: Actor,
    fridge: str,
    *,
    member: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Receipt]:
    """Those of one fridge, the newest first; they outlive it."""
    who.need(Role.ADMIN, Role.AUDITOR)
    who.reach(fridge)
    with house.store.read() as unit:
        return unit.receipts.page(fridge, member=member, limit=limit, cursor=cursor)


def pending(house: House) -> tuple[Due, ...]:
    """All that are not complete, and what each waits for."""
    with house.store.read() as unit:
        found = unit.receipts.pending()
        return tuple(Due(one, _waits(house, unit, one)) for one in found)


def complete(
    house: House, who: Actor, receipt_id: str, aftermath: Mapping[str, Any]
) -> Receipt | None:
    """Prove, sign and close; None where it must still wait. Again changes nothing.

    `aftermath` says what was removed outside of the service: from the data, from the registry.
    """
    at = house.clock()
    with house.store.begin() as unit:
        found = unit.receipts.get(receipt_id, lock=True)
        if found.state is ReceiptState.COMPLETE:
            return found
        if _waits(house, unit, found):
            return None
        proof = _proof(house, unit, found)
        document, signature = receipt.signed(
            {
                "receipt": found.id,
                "fridge": found.fridge,
                "member": found.member,
                "requested_at": found.requested_at.isoformat(),
                "completed_at": at.isoformat(),
                "removed": {k: v for k, v in found.removed.items() if k != "aftermath"},
                "aftermath": dict(aftermath),
                "proof": proof,
                "audit": _audited(unit, found),
            },
            house.signer,
        )
        done = unit.receipts.complete(found.id, document=document, signature=signature, at=at)
        nobody = proof["answer"] == "nobody"
        kind = "erasure_proved" if nobody else "erasure_unproved"
        detail = {"receipt": found.id, "answer": proof["answer"]}
        unit.events.add(at=at, fridge=found.fridge, kind=kind, detail=detail)
        subject = f"{found.fridge}/{found.member}"
        who.note(unit, at, "member.forgotten", subject, **detail, signature=signature)
    return done


def retire_former(house: House, who: Actor, found: Receipt) -> tuple[str, ...]:
    """Let none that learned from whoever was erased serve again, though their part of it is gone.

    They are kept, to replay with. Which they are is returned.
    """
    at, slot = house.clock(), house.models.slot(found.fridge)
    with house.store.begin() as unit:
        try:
            unit.fridges.lock(found.fridge)
        except NotFound:
            return ()
        learned = {digest for digest in slot.digests(unit) if _learned(slot, unit, digest, found)}
        now = slot.now()
        if now is None:
            return tuple(sorted(learned))
        after = replace(now, previous=None) if now.previous in learned else now
        if after.challenger is not None and after.challenger.digest in learned:
            after = after.withdrawn()
        if after != now:
            detail = {"receipt": found.id}
            unit.events.add(at=at, fridge=found.fridge, kind="model_retired", detail=detail)
            who.note(unit, at, "model.retire", found.fridge, **detail)
            slot.change(unit, after)
    return tuple(sorted(learned))


def _learned(slot: SealedSlot, unit: Unit, digest: str, found: Receipt) -> bool:
    if digest in _templates(found):
        return True
    try:
        lineage = slot.open(unit, digest).lineage
    except BundleError:  # it does not serve either
        return False
    return bool(_captures(found) & set(lineage.get("captures", ())))


def _waits(house: House, unit: Unit, found: Receipt) -> str:
    """What a receipt waits for; empty: nothing."""
    try:
        fridge = unit.fridges.get(found.fridge)
    except NotFound:
        return ""
    now = house.models.snapshot(unit, fridge)
    if not now.members:
        return ""
    if now.bundle is None:
        if house.models.slot(found.fridge).stamp() is not None:
            return "a model that can be read"
        # Whoever is left is scored by the base, which knows no members, on their own captures.
        return ""
    moment = as_of(now.bundle)
    if moment is None or moment < found.requested_at:
        return "a model trained without them"
    if _captures(found) & set(now.bundle.lineage.get("captures", ())):
        return "a model that learned from none of their captures"
    return ""


def _proof(house: House, unit: Unit, found: Receipt) -> dict[str, Any]:
    """What the fridge says now to their last probe."""
    said: dict[str, Any] = {
        "probe": dict(found.removed.get("last_probe", {})),
        "answer": "nobody",
        "outcome": None,
        "reasons": [],
        "best_llr": None,
        "threshold": None,
        "members": 0,
        "bundle": None,
        "base": None,
        "run": None,
        "captures_in_common": 0,
    }
    try:
        fridge = unit.fridges.get(found.fridge)
    except NotFound:
        return said | {"why": "The fridge is no more."}
    now = house.models.snapshot(unit, fridge)
    said |= _about(now, found)
    probe = unit.receipts.probe(found.id)
    if not now.members:
        return said | {"why": "Nobody is enrolled any more."}
    if probe is None:
        return said | {"why": "They had left nothing to show."}
    if now.bundle is None and now.base is None:
        return said | {"why": "No model is installed: nobody is let in."}
    by = said["probe"].get("characterizer")
    if by not in {None, house.models.characterizer.digest}:
        # Numbers of other nets mean nothing to these: there is no template they could match.
        return said | {"why": "The Characterizer has changed: no probe of theirs compares."}
    decided = one_person(pipeline.decide(house.perception, now, probe))
    granted = decided.outcome is Outcome.GRANTED
    best = decided.candidates[0].fused if decided.candidates else None
    return said | {
        # Whoever that is: the id of another member is not for this document.
        "answer": "another_member" if granted else "nobody",
        "outcome": decided.outcome.value,
        "reasons": list(decided.reasons),
        "best_llr": best,
        "threshold": decided.threshold,
        "why": "Their last probe was shown to what decides now.",
    }


def _about(now: Snapshot, found: Receipt) -> dict[str, Any]:
    lineage = {} if now.bundle is None else now.bundle.lineage
    return {
        "members": len(now.members),
        "bundle": None if now.bundle is None else now.bundle.digest,
        "base": None if now.base is None else now.base.digest,
        "run": lineage.get("run"),
        "captures_in_common": len(_captures(found) & set(lineage.get("captures", ()))),
    }


def _audited(unit: Unit, found: Receipt) -> dict[str, Any] | None:
    """The record of the erasure, as the log has it."""
    for record in unit.audit.about(f"{found.fridge}/{found.member}"):
        if record.action == "member.erased" and record.detail.get("receipt") == found.id:
            return {"seq": record.seq, "digest": record.digest}
    return None


def _captures(found: Receipt) -> set[str]:
    return {str(capture["id"]) for capture in found.removed.get("captures", ())}


def _templates(found: Receipt) -> set[str]:
    return {str(template["bundle"]) for template in found.removed.get("templates", ())}
