"""What goes in and comes out of a decision and an enrolment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from visavox.store.records import (
    Compartment,
    DecisionOutcome,
    DecisionRecord,
    Member,
    Method,
)
from visavox.types import Modality, Reason


@dataclass(frozen=True, slots=True)
class Sample:
    """The bytes of one capture, as they came: a clip, or pictures with or without sound."""

    clip: bytes | None = None
    images: tuple[bytes, ...] = ()
    audio: bytes | None = None

    def parts(self) -> dict[str, bytes]:
        """Its files by name, as the capture store keeps them."""
        files = {f"image-{i}": data for i, data in enumerate(self.images)}
        if self.clip is not None:
            files["clip"] = self.clip
        if self.audio is not None:
            files["audio"] = self.audio
        return files

    def __repr__(self) -> str:  # never the bytes
        return f"Sample({', '.join(f'{k}: {len(v)} bytes' for k, v in self.parts().items())})"


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision, with all that a kiosk or an auditor is shown of it.

    `verdicts` says of each modality ("face", "voice") `accepted` or why it gave no evidence; it
    is empty for a PIN and where nothing was looked at. `member` is None where nobody was granted
    or the member has been erased since. The `ticket` is there once, when the door may open.
    """

    decision: DecisionRecord
    member: Member | None
    compartments: tuple[Compartment, ...]
    next_step_code: str
    verdicts: Mapping[str, str]
    ticket: str | None = None
    retry_after: float | None = None  # seconds; only when locked, None when an admin must lift it
    measured: Mapping[str, float] = field(default_factory=dict, repr=False)
    """The capture's quality, as `face.brightness`; only of a decision just made."""

    @property
    def expires_at(self) -> datetime | None:
        return self.decision.expires_at


@dataclass(frozen=True, slots=True)
class Likeness:
    """Something that an admin should look at: `looks_like`, `sounds_like`, `already_enrolled`."""

    code: str
    member: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A member whose captures were taken in, usable as soon as this is returned."""

    member: Member
    warnings: tuple[Likeness, ...]
    captures: int  # taken in by this enrolment
    provisional: bool  # let in by the base bundle until the retraining is live
    usable_at_once: bool


def verdicts_of(record: DecisionRecord) -> Mapping[str, str]:
    """Of each modality: `accepted`, or why it gave no evidence."""
    if record.method is not Method.BIOMETRIC or record.characterizer is None:
        return {}
    missing = {r.modality: r.reason.value for r in record.rejected}
    return {m.value: missing.get(m, "accepted") for m in Modality}


_CODES = {
    "match": "open",
    "pin_match": "open",
    "locked": "wait",
    "locked_until_lifted": "ask_admin_to_unlock",
    "no_members": "nobody_enrolled",
    "below_threshold": "not_recognised",
    "member_removed": "not_recognised",
    "not_comparable": "not_comparable",
}
CODES = frozenset(
    {*_CODES.values(), "no_compartment", "wrong_pin", "too_slow", "ambiguous", *map(str, Reason)}
)
"""All that `code_of` says. The kiosk has words for each, in each of its languages."""


def code_of(record: DecisionRecord) -> str:
    """The next step as a word that a kiosk can translate.

    `open`, `wait`, `ask_admin_to_unlock`, `nobody_enrolled`, `not_recognised`, `no_compartment`,
    `wrong_pin`, `too_slow`, `ambiguous`, `not_comparable`, or a quality reason (`visavox.types.
    Reason`) that the person can put right.
    """
    first = record.reasons[0]
    if record.outcome is DecisionOutcome.RETRY and record.rejected and first != "too_slow":
        quality = {r.reason.value for r in record.rejected}
        return next((r for r in record.reasons if r in quality), record.rejected[0].reason.value)
    return _CODES.get(first, first)
