"""From LLRs to an answer, by a policy that was fitted together with the model."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from visavox.config import settings, validated
from visavox.errors import BundleError, ConfigError
from visavox.table import Scores
from visavox.types import Candidate, Decision, Embeddings, Modality, Outcome, Reason, Rejected

CANDIDATES = 3
"""How many of the best a decision shows."""


@settings
class Level:
    """What one risk setting asks of a probe."""

    fpir: float
    """Share of strangers' captures that may be granted."""
    threshold: float
    """Lowest fused LLR when face and voice both speak."""
    face_threshold: float
    """Lowest fused LLR when the face speaks alone."""
    voice_threshold: float
    """Lowest fused LLR when the voice speaks alone."""
    margin: float
    """Lowest lead over the next member."""

    def asks(self, candidate: Candidate) -> float:
        """The threshold for what this candidate's LLR rests on."""
        if candidate.voice is None:
            return self.face_threshold
        return self.threshold if candidate.face is not None else self.voice_threshold


@settings
class Policy:
    """Thresholds per risk setting, and what they were fitted on."""

    members: int
    """How many members the strangers were searched against."""
    strangers: int
    """How many people played strangers."""
    captures: int
    """How many captures they had."""
    levels: dict[str, Level]
    provisional: dict[str, Level] = field(default_factory=dict)
    """What is asked of members whom no training has seen yet; only a base bundle's policy says."""

    def level(self, risk: str, *, provisional: bool = False) -> Level:
        levels = self.provisional if provisional else self.levels
        if risk not in levels:
            raise ConfigError(
                f"There is no {'provisional ' if provisional else ''}risk setting {risk!r}.",
                next_step=f"Choose one of {', '.join(levels)}.",
            )
        return levels[risk]

    def to_json(self) -> dict[str, Any]:
        values = asdict(self)
        if not self.provisional:
            del values["provisional"]  # a trained bundle stays what it was, byte for byte
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Policy":
        """The inverse of `to_json`; BundleError where a key is missing, unknown or wrong."""
        try:
            return validated(cls, values, source="stored policy")
        except ConfigError as error:
            raise BundleError(
                error.problem, next_step="Restore the bundle, or train it again."
            ) from None


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Members who are scored by the base bundle, and what its policy asks of them."""

    members: frozenset[str]
    policy: Policy


def decide(
    embeddings: Embeddings,
    scores: Scores,
    policy: Policy,
    *,
    risk: str,
    newcomers: Newcomers | None = None,
) -> Decision:
    """Granted, refused or try again, for the one probe whose `scores` these are.

    A member who was let in after the policy was fitted makes a search longer, so thresholds
    rise by the logarithm of the growth: as many strangers pass as before, or fewer. Of a
    newcomer more is asked than of the others, never less.
    """
    level = policy.level(risk)
    rejected = tuple(m for m in (embeddings.face, embeddings.voice) if isinstance(m, Rejected))
    if not scores.members:
        step = "Nobody is enrolled here yet: ask the fridge's admin to add you."
        return Decision(Outcome.REFUSED, None, ("no_members",), step, (), None, rejected)
    if len(rejected) == 2:
        step = _most_actionable(rejected).next_step
        reasons = tuple(r.reason.value for r in _by_urgency(rejected))
        return Decision(Outcome.RETRY, None, reasons, step, (), None, rejected)

    candidates = _candidates(scores)
    missing = tuple(r.reason.value for r in rejected)
    if not candidates:  # every member gave only the modality that this probe lacks
        return Decision(
            Outcome.RETRY, None, ("not_comparable", *missing), _ask(rejected), (), None, rejected
        )
    best = candidates[0]
    threshold = level.asks(best) + _growth(scores, policy)
    margin = level.margin
    if newcomers is not None and best.member in newcomers.members:
        stricter = newcomers.policy.level(risk, provisional=True)
        threshold = max(threshold, stricter.asks(best) + _growth(scores, newcomers.policy))
        margin = max(margin, stricter.margin)
    shown = candidates[:CANDIDATES]
    if best.fused < threshold:
        if rejected:
            reasons = ("below_threshold", *missing)
            return Decision(
                Outcome.RETRY, None, reasons, _ask(rejected), shown, threshold, rejected
            )
        step = "You were not recognised. If you are a member, ask the admin to enrol you again."
        return Decision(
            Outcome.REFUSED, None, ("below_threshold",), step, shown, threshold, rejected
        )
    if len(candidates) > 1 and best.fused - candidates[1].fused < margin:
        step = (
            _ask(rejected)
            if rejected
            else "Two members look and sound alike: come closer and say the digits again, clearly."
        )
        return Decision(
            Outcome.RETRY, None, ("ambiguous", *missing), step, shown, threshold, rejected
        )
    reasons = ("match", *missing)
    return Decision(
        Outcome.GRANTED, best.member, reasons, "Open the fridge.", shown, threshold, rejected
    )


def _growth(scores: Scores, policy: Policy) -> float:
    return max(0.0, math.log(len(scores.members) / max(policy.members, 1)))


def _candidates(scores: Scores) -> tuple[Candidate, ...]:
    """The best members with evidence, best first: enough for the margin, and for showing."""
    fused = scores.fused[0]
    known = np.flatnonzero(~np.isnan(fused))
    order = known[np.argsort(-fused[known], kind="stable")][:CANDIDATES]
    return tuple(
        Candidate(
            scores.members[i],
            float(fused[i]),
            _given(scores.face[0, i]),
            _given(scores.voice[0, i]),
        )
        for i in order
    )


def _given(llr: float) -> float | None:
    return None if math.isnan(llr) else float(llr)


_URGENCY = (
    # What the person can put right at once and knows how to; then what needs a second look.
    Reason.SEVERAL_FACES,
    Reason.FACE_TOO_SMALL,
    Reason.FACE_CUT_OFF,
    Reason.FACE_TURNED,
    Reason.TOO_LITTLE_SPEECH,
    Reason.TOO_QUIET,
    Reason.CLIPPED,
    Reason.FACE_BLURRED,
    Reason.FACE_TOO_DARK,
    Reason.FACE_TOO_BRIGHT,
    Reason.TOO_NOISY,
    Reason.NO_FACE,
    Reason.NOT_CAPTURED,
)


def _by_urgency(rejected: tuple[Rejected, ...]) -> list[Rejected]:
    return sorted(rejected, key=lambda r: _URGENCY.index(r.reason))


def _most_actionable(rejected: tuple[Rejected, ...]) -> Rejected:
    return _by_urgency(rejected)[0]


_WHICH = {
    Modality.FACE: "We need to see your face too.",
    Modality.VOICE: "We need to hear you too.",
}


def _ask(rejected: tuple[Rejected, ...]) -> str:
    """Ask for the missing modality, with the step that quality gave."""
    return " ".join(f"{_WHICH[r.modality]} {r.next_step}" for r in rejected)
