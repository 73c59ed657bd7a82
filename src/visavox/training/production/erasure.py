"""What an erasure still asks for outside of the service: of the data, the registry, and old runs.

    an erased member's receipt → out of the current data version → versions that they had a part in
    retired → leftovers of runs removed → the new model shown their last probe → signed

Each part may be done again. What was removed is noted in the receipt as it is done, so that
whoever goes on after a crash tells of it too.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from visavox.errors import VisavoxError
from visavox.service import receipts
from visavox.service.receipts import Due
from visavox.store.receipts import Receipt
from visavox.training.production import fridge_fit, registry_retire
from visavox.training.production.workshop import Workshop

log = logging.getLogger(__name__)


def settle(shop: Workshop) -> tuple[str, ...]:
    """Go on with every receipt that waits; those that are complete now."""
    done = []
    for due in receipts.pending(shop.house):
        try:
            if _settled(shop, due):
                done.append(due.receipt.id)
        except VisavoxError as error:  # another one's erasure does not wait for it
            log.warning("%s: %s", due.receipt.id, error.problem)
        except Exception as error:  # noqa: BLE001 (whatever a registry raises; its words are not ours)
            log.warning("%s: %s", due.receipt.id, type(error).__name__)
    return tuple(done)


def _settled(shop: Workshop, due: Due) -> bool:
    """Go on with one; whether it is complete."""
    after = _removed(shop, due.receipt)
    if due.waits:
        log.info("%s waits for %s", due.receipt.id, due.waits)
        return False
    who = shop.actor(due.receipt.id)
    after |= {"former": list(receipts.retire_former(shop.house, who, due.receipt))}
    return receipts.complete(shop.house, who, due.receipt.id, after) is not None


def _removed(shop: Workshop, found: Receipt) -> dict[str, Any]:
    """Take them out of what is not the service's, and say what that was."""
    before: Mapping[str, Any] = found.removed.get("aftermath", {})
    at = found.requested_at
    forgotten = shop.ledger.forget(found.fridge, found.member, at)
    with shop.store.read() as unit:
        key = unit.bundles.key(found.fridge)
    retired = registry_retire.retire(
        shop.registry, found.fridge, key=key, reason=f"erasure {found.id}", at=shop.clock()
    )
    said = {
        "data": {
            "commit": forgotten.commit,
            "removed": _joined(before, "data", [asdict(one) for one in forgotten.removed]),
        },
        "registry": {
            "model": retired.model,
            "removed": _joined(before, "registry", [asdict(one) for one in retired.removed]),
        },
        "runs": {"removed": _joined(before, "runs", _leftovers(shop.places.runs, found))},
    }
    if said != before:
        with shop.store.begin() as unit:
            unit.receipts.note(found.id, {**found.removed, "aftermath": said})
    return said


def _joined(
    before: Mapping[str, Any], part: str, now: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What was removed by an earlier turn, and by this one."""
    known = list(before.get(part, {}).get("removed", []))
    return known + [one for one in now if one not in known]


def _leftovers(runs: Path, found: Receipt) -> list[dict[str, Any]]:
    """What runs have left of candidates that learned from them; nobody can open their parcels."""
    theirs = {capture["id"] for capture in found.removed.get("captures", ())}
    removed: list[dict[str, Any]] = []
    for folder in sorted(runs.glob(f"*/{found.fridge}")):
        if not any(_learned(figures, theirs) for figures in folder.glob(f"*/{fridge_fit.FIGURES}")):
            continue
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            removed.append({"name": path.relative_to(runs).as_posix(), "sha256": digest})
        shutil.rmtree(folder, ignore_errors=True)
    return removed


def _learned(figures: Path, captures: set[str]) -> bool:
    try:
        said = json.loads(figures.read_bytes())["candidate"]["lineage"]
        return bool(captures & set(said.get("captures", ())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True  # nobody knows: it can be trained again
