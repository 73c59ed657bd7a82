"""Erasing a member is one act: the rows, the key, what tells of it, and the retraining it needs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from visavox.audit import AuditRecord
from visavox.store.records import Erased
from visavox.store.unit import Unit


def erase(
    unit: Unit,
    fridge: str,
    member: str,
    *,
    actor: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
    expected_version: int | None = None,
) -> tuple[Erased, AuditRecord]:
    """Delete a member for good; NotFound or Stale, and then nothing is deleted."""
    erased = unit.members.delete(fridge, member, expected_version=expected_version)
    # A comparison of models needs nobody who has left.
    unit.trials.forget(fridge, member)
    unit.labels.forget(fridge, member)
    unit.retraining.request(fridge, reason="member_deleted", at=at)
    unit.events.add(at=at, fridge=fridge, kind="member_removed", detail={"member": member})
    record = unit.audit.append(
        at=at,
        actor=actor,
        action="member.erased",
        subject=f"{fridge}/{member}",
        detail={
            "captures": erased.captures,
            "blobs": erased.blobs,
            "key_destroyed": erased.key_destroyed,
            **(detail or {}),
        },
    )
    return erased, record
