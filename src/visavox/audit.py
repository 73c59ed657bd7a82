"""A log that shows when it was altered: each record carries the digest of the one before.

The digest covers every field, as canonical JSON. Changing, removing or inserting a record breaks
the chain from there on. Whoever may write to the database can compute a whole new chain, and the
end can be cut off; so keep the head's digest somewhere else, and pass it to `verify`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64
"""What the first record carries in place of a digest before it."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what to what, and when. Names ids only: never people, secrets or biometrics."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any] = field(hash=False)
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many records there are, and the last one's digest."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found when the chain was walked from its start."""

    valid: bool
    records: int
    """How many were walked, up to and with the first that is wrong."""
    head: Head
    """The last record that is right."""
    problem: str | None = None


def canonical(value: Mapping[str, Any]) -> str:
    """The one way to write this mapping: keys sorted, nothing between, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sealed(
    head: Head, *, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]
) -> AuditRecord:
    """The record that follows `head`."""
    # Through JSON and back, so that what is returned is what will be read.
    detail = json.loads(canonical(detail))
    seq = head.seq + 1
    digest = _digest(seq, at, actor, action, subject, detail, head.digest)
    return AuditRecord(seq, at, actor, action, subject, detail, head.digest, digest)


def verify(records: Iterable[AuditRecord], *, head: Head | None = None) -> Verification:
    """Walk the chain from its first record; with `head`, also say whether it ends or passes there.

    `head` is what somebody noted at an earlier time: the record of that number must have that
    digest still, and must not be missing.
    """
    last, walked, seen = Head(0, GENESIS), 0, head is None or head == Head(0, GENESIS)
    for r in records:
        walked += 1
        problem = _wrong(r, last)
        if problem is None and head is not None and r.seq == head.seq and r.digest != head.digest:
            problem = f"Record {r.seq} is not the one that the given head names."
        if problem is not None:
            return Verification(False, walked, last, problem)
        last = Head(r.seq, r.digest)
        seen = seen or head == last
    if not seen and head is not None:
        problem = f"The log ends at record {last.seq}, before the given head {head.seq}."
        return Verification(False, walked, last, problem)
    return Verification(True, walked, last)


def verify_from(start: Head, records: Iterable[AuditRecord]) -> bool:
    """Whether these follow `start` and one another, each unaltered."""
    last = start
    for r in records:
        if _wrong(r, last) is not None:
            return False
        last = Head(r.seq, r.digest)
    return True


def _wrong(r: AuditRecord, last: Head) -> str | None:
    if r.seq != last.seq + 1:
        return f"Record {last.seq + 1} is missing: record {r.seq} comes after {last.seq}."
    if r.previous != last.digest:
        return f"Record {r.seq} does not follow record {last.seq}: one of them was replaced."
    if r.digest != _digest(r.seq, r.at, r.actor, r.action, r.subject, r.detail, r.previous):
        return f"Record {r.seq} was altered."
    return None


def _digest(
    seq: int,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    previous: str,
) -> str:
    said = {
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": detail,
        "previous": previous,
    }
    return hashlib.sha256(canonical(said).encode()).hexdigest()
