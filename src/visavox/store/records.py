"""What the store gives and takes: frozen, and every moment aware, in UTC.

Names of people, digests and embeddings are left out of every repr, so that no log shows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from visavox.audit import AuditRecord, Head, Verification
from visavox.types import Candidate, Embeddings, Modality, Rejected

__all__ = [
    "Attempts", "AuditRecord", "CaptureRecord", "Challenge", "Compartment", "DecisionOutcome",
    "DecisionRecord", "Erased", "Event", "Fridge", "Grant", "Head", "Key", "Label", "Member",
    "Method",
    "Page", "Progress", "Replay", "RetrainingRequest", "Role", "Run", "RunState",
    "SealedCapture", "Trial",
    "TrialAnswer", "Verification",
]  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, in its order, and where the next page starts; None at the end."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Fridge:
    id: str
    name: str
    risk: str
    locale: str
    created_at: datetime
    version: int
    """Grows with every change to the fridge itself."""
    revision: int
    """Grows with every change to its members and their captures, in the same transaction."""


@dataclass(frozen=True, slots=True)
class Compartment:
    id: str
    """Unique within its fridge, as a member's."""
    fridge: str
    name: str
    created_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    fridge: str
    number: str
    """A few digits, unique within the fridge: what is typed at the PIN pad."""
    name: str = field(repr=False)
    locale: str
    has_pin: bool
    consent_at: datetime
    created_at: datetime
    version: int
    captures: int


@dataclass(frozen=True, slots=True)
class Grant:
    fridge: str
    member: str
    compartment: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CaptureRecord:
    id: str
    fridge: str
    member: str
    created_at: datetime
    modalities: tuple[Modality, ...]
    """Those that gave evidence."""
    sha256: str
    """Of the raw parts, in order of their names, each digested."""
    blob: tuple[str, ...]
    """The names of its parts in the capture store."""
    embeddings: Embeddings = field(repr=False, compare=False)
    characterizer: str | None = None
    """The digest of what it was embedded by; None where that was not written down."""
    source: str = "enrolment"
    """`enrolment`, or `confirmed`: a probe that somebody vouched for."""


@dataclass(frozen=True, slots=True)
class SealedCapture:
    """A capture as it lies there, ciphertext and all that may be known without opening it."""

    id: str
    fridge: str
    member: str
    created_at: datetime
    consent_at: datetime
    modalities: tuple[Modality, ...]
    blob: tuple[str, ...]
    """The names of its parts in the capture store."""
    embeddings: bytes = field(repr=False)
    """Sealed."""
    characterizer: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What a deleted member left behind: nothing that can be opened."""

    captures: int
    blobs: int
    key_destroyed: bool


class Role(StrEnum):
    KIOSK = "kiosk"
    ADMIN = "admin"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Key:
    """An API key; one of role kiosk *is* a kiosk."""

    id: str
    name: str
    role: Role
    fridges: tuple[str, ...] | None
    """None is every fridge."""
    digest: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Challenge:
    id: str
    fridge: str
    kiosk: str
    digits: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures in a row, of `kiosk:<id>` or `fridge:<id>`."""

    scope: str
    consecutive: int = 0
    locks: int = 0
    locked_until: datetime | None = None
    capped: bool = False


class Method(StrEnum):
    BIOMETRIC = "biometric"
    PIN = "pin"


class DecisionOutcome(StrEnum):
    """`visavox.types.Outcome`, and what the service adds to it."""

    GRANTED = "granted"
    REFUSED = "refused"
    RETRY = "retry"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    id: str
    fridge: str
    kiosk: str
    at: datetime
    method: Method
    outcome: DecisionOutcome
    member: str | None
    """Stays after the member is deleted; it opens nothing then."""
    compartments: tuple[str, ...]
    reasons: tuple[str, ...]
    next_step: str
    candidates: tuple[Candidate, ...]
    threshold: float | None
    rejected: tuple[Rejected, ...]
    provisional: bool
    characterizer: str | None
    bundle: str | None
    base: str | None
    challenge: str | None
    request_id: str
    expires_at: datetime | None
    judged: Mapping[str, Any] | None = field(default=None, hash=False)
    """What judged, in so far as its digests do not say it: `service.composition`."""


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    at: datetime
    fridge: str
    kiosk: str | None
    kind: str
    detail: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer that an idempotency key was given before."""

    status: int
    headers: Mapping[str, str] = field(hash=False, repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RetrainingRequest:
    id: str
    fridge: str
    reason: str
    created_at: datetime
    claimed_at: datetime | None
    done_at: datetime | None
    attempts: int = 0
    run: str | None = None
    error: str | None = None


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It will be tried again."""
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a flow, over some fridges."""

    id: str
    flow: str
    fridges: tuple[str, ...]
    reason: str
    state: RunState
    step: str
    """The last that was begun."""
    metaflow: str | None
    """Metaflow's own name of it, as `RetrainFlow/1712`."""
    data_version: str | None
    started_at: datetime
    updated_at: datetime
    """When it was last heard of."""
    ended_at: datetime | None
    error: str | None
    detail: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of a run's progress. No detail holds more of a member than their id."""

    seq: int
    run: str
    fridge: str | None
    """None: it concerns the whole run."""
    at: datetime
    step: str
    """snapshot, features, train, judge, register, deploy or verify."""
    state: str
    """begun, done, failed or skipped."""
    detail: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """What one of two models said of a request."""

    outcome: str
    """granted, refused, retry, or error where it failed."""
    reason: str
    """The first of its reasons; of an error, its kind."""
    member: str | None = None
    """Whom it would let in."""
    llr: float | None = None
    """Of whom it found most likely."""
    threshold: float | None = None
    judged: Mapping[str, Any] | None = field(default=None, hash=False, compare=False)
    """What judged, besides the digest, for the answer to be replayed: `service.composition`."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A request that both models of a comparison answered."""

    decision: str
    fridge: str
    at: datetime
    mode: str
    """shadow or split."""
    arm: str
    """Whose answer was given: champion or challenger."""
    champion: str
    challenger: str
    answers: tuple[TrialAnswer, TrialAnswer]
    """The champion's, then the challenger's."""


@dataclass(frozen=True, slots=True)
class Label:
    """Who really stood at the kiosk when something was decided."""

    decision: str
    fridge: str
    member: str | None
    """None: nobody who is a member."""
    source: str
    """admin, or pin: the member's own, right after."""
    by: str
    at: datetime
