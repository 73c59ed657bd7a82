"""Everything that visavox raises on purpose.

    VisavoxError
    ├── CaptureError          bytes that are no usable picture, sound or clip
    ├── ConfigError           a setting that does not exist or cannot be
    ├── DataError             a dataset whose manifest or files are wrong
    │   ├── NotEnoughData     a dataset too small for what was asked of it
    │   └── LedgerError       a ledger of data versions that cannot be written or read
    ├── CharacterizerError    nets that are missing, altered or do not fit
    │   ├── WeightsMissing    pretrained weights that are not on this machine
    │   └── ExportError       an exported net that disagrees with its original
    ├── BundleError           a bundle that is missing, altered, too new or foreign
    ├── GateRefused           a challenger that has not earned to be served
    ├── StoreError            what is kept cannot be had, or cannot be kept
    │   ├── NotFound          no such row
    │   ├── Conflict          a row that is there already, or is still needed
    │   ├── Stale             a change to a row that somebody else has changed meanwhile
    │   ├── Sealed            ciphertext that cannot be opened: key destroyed, missing or foreign
    │   ├── BadCursor         a page's cursor that this house did not give
    │   ├── BlobError         a capture store that cannot be written or read
    │   │   └── BlobMissing   a name that it has not
    │   ├── Superseded        a run that is over, and would go on
    │   ├── Busy              a database that is not answering, or that others keep locked
    │   └── NotMigrated       a database whose tables are not those of this version
    ├── TicketError           an opening ticket that opens nothing
    │   ├── TicketMalformed   no ticket of this format
    │   ├── TicketForged      altered, or signed by a key that the lock does not know
    │   ├── TicketForeign     meant for another fridge
    │   ├── TicketTooEarly    not valid yet: the clocks disagree
    │   ├── TicketExpired     too old
    │   └── TicketUsed        seen before
    ├── LockError             a lock that did not do what it was told
    └── ServiceError          a request that is not granted
        ├── Unauthenticated   no key, or none that is valid
        ├── Forbidden         a key without the role or the fridge
        ├── Invalid           values that cannot be
        ├── Refused           an enrolment whose captures are not good enough
        ├── SeveralPeople     captures of one enrolment that show different people
        ├── AlreadyEnrolled   a newcomer whom the fridge knows already
        ├── ChallengeRefused  a challenge that is unknown, used, foreign or expired
        ├── RateLimited       a key that asks more often than it may
        ├── Overloaded        more at once than this machine can do
        ├── Unavailable       a part that is not ready
        ├── IdempotencyInFlight   the first request with this idempotency key is not done
        └── IdempotencyMismatch   an idempotency key used for something else before

Each carries what went wrong and what to do about it, and says both; `code` names the kind to a
program. None carries names, secrets or biometrics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class VisavoxError(Exception):
    """What went wrong, and the next step for the person who reads it."""

    code: ClassVar[str] = "error"

    def __init__(self, problem: str, *, next_step: str) -> None:
        super().__init__(f"{problem} {next_step}")
        self.problem = problem
        self.next_step = next_step

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments would otherwise be lost between processes.
        return (_rebuild, (type(self), self.problem, self.next_step), self.__dict__)


def _rebuild(kind: type[VisavoxError], problem: str, next_step: str) -> VisavoxError:
    return kind(problem, next_step=next_step)


class CaptureError(VisavoxError):
    """Bytes that are no usable picture, sound or clip."""

    code = "capture_unreadable"


class ConfigError(VisavoxError):
    """A setting that does not exist or cannot be."""

    code = "config"


class DataError(VisavoxError):
    """A dataset whose manifest or files are wrong."""

    code = "data"


class NotEnoughData(DataError):
    """A dataset too small for what was asked of it."""

    code = "not_enough_data"


class LedgerError(DataError):
    """A ledger of data versions that cannot be written or read."""

    code = "ledger"


class CharacterizerError(VisavoxError):
    """Nets that are missing, altered or do not fit."""

    code = "characterizer"


class WeightsMissing(CharacterizerError):
    """Pretrained weights that are not on this machine."""

    code = "weights_missing"


class ExportError(CharacterizerError):
    """An exported net that disagrees with its original."""

    code = "export"


class BundleError(VisavoxError):
    """A bundle that is missing, altered, too new or foreign."""

    code = "bundle"


class GateRefused(VisavoxError):
    """A challenger that has not earned to be served."""

    code = "gate_refused"


class StoreError(VisavoxError):
    """What is kept cannot be had, or cannot be kept."""

    code = "store"


class NotFound(StoreError):
    """No such row."""

    code = "not_found"


class Conflict(StoreError):
    """A row that is there already, or is still needed."""

    code = "conflict"


class Stale(StoreError):
    """A change to a row that somebody else has changed meanwhile."""

    code = "stale"


class Sealed(StoreError):
    """Ciphertext that cannot be opened: its key is destroyed, missing or foreign."""

    code = "sealed"


class BadCursor(StoreError):
    """A page's cursor that this house did not give."""

    code = "bad_cursor"


class BlobError(StoreError):
    """A capture store that cannot be written or read."""

    code = "capture_store"


class BlobMissing(BlobError):
    """A name that the capture store has not."""

    code = "capture_missing"


class Superseded(StoreError):
    """A run that is over, and would go on."""

    code = "superseded"


class Busy(StoreError):
    """A database that is not answering, or that others keep locked."""

    code = "busy"


class NotMigrated(StoreError):
    """A database whose tables are not those of this version."""

    code = "not_migrated"


class TicketError(VisavoxError):
    """An opening ticket that opens nothing."""

    code = "ticket"


class TicketMalformed(TicketError):
    """No ticket of this format."""

    code = "ticket_malformed"


class TicketForged(TicketError):
    """Altered, or signed by a key that the lock does not know."""

    code = "ticket_forged"


class TicketForeign(TicketError):
    """Meant for another fridge."""

    code = "ticket_foreign"


class TicketTooEarly(TicketError):
    """Not valid yet: the clocks disagree."""

    code = "ticket_too_early"


class TicketExpired(TicketError):
    """Too old."""

    code = "ticket_expired"


class TicketUsed(TicketError):
    """Seen before."""

    code = "ticket_used"


class LockError(VisavoxError):
    """A lock that did not do what it was told."""

    code = "lock"


@dataclass(frozen=True, slots=True)
class Finding:
    """One of several things that are wrong with a request."""

    code: str
    problem: str
    next_step: str
    field: str | None = None
    """The request's field that it is about, as `captures[2].voice`."""
    member: str | None = None
    """The id of the member whom it is about."""


class ServiceError(VisavoxError):
    """A request that is not granted."""

    code = "service"

    def __init__(
        self,
        problem: str,
        *,
        next_step: str,
        findings: Sequence[Finding] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(problem, next_step=next_step)
        self.findings = tuple(findings)
        self.retry_after_s = retry_after_s


class Unauthenticated(ServiceError):
    """No key, or none that is valid."""

    code = "unauthenticated"


class Forbidden(ServiceError):
    """A key without the role or the fridge."""

    code = "forbidden"


class Invalid(ServiceError):
    """Values that cannot be; `findings` names them."""

    code = "invalid"


class Refused(ServiceError):
    """An enrolment whose captures are not good enough; `findings` says why."""

    code = "captures_refused"


class SeveralPeople(ServiceError):
    """Captures of one enrolment that show different people."""

    code = "several_people"


class AlreadyEnrolled(ServiceError):
    """A newcomer whom the fridge knows already."""

    code = "already_enrolled"


class ChallengeRefused(ServiceError):
    """A challenge that is unknown, used, foreign or expired."""

    code = "challenge_refused"


class RateLimited(ServiceError):
    """A key that asks more often than it may."""

    code = "rate_limited"


class Overloaded(ServiceError):
    """More at once than this machine can do."""

    code = "overloaded"


class Unavailable(ServiceError):
    """A part that is not ready."""

    code = "unavailable"


class IdempotencyInFlight(ServiceError):
    """The first request with this idempotency key is not done."""

    code = "idempotency_in_flight"


class IdempotencyMismatch(ServiceError):
    """An idempotency key used for something else before."""

    code = "idempotency_mismatch"
