"""May a probe that somebody vouches for become a capture of a member? Pure: tables in, findings out.

Vouching is not enough, because whoever vouches may be careless, or be fooled a little at a time:

- a probe is held against what the member was *enrolled* with, never against what was confirmed
  since, so that a chain of small steps leads nowhere;
- it must pass where newcomers must, which is stricter than the door;
- nobody else may be as close;
- what was confirmed stays the smaller part of what is known of anybody.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from visavox.bundle import Bundle
from visavox.discriminator import newcomers
from visavox.errors import Finding
from visavox.table import EmbeddingTable, Scores
from visavox.types import Candidate

ODDS = math.log(99)
"""Against the member, in one modality, that the other cannot make good."""


@dataclass(frozen=True, slots=True)
class Known:
    """How much is known of a member, and from where."""

    enrolled: int
    confirmed: int


def objections(
    base: Bundle,
    risk: str,
    enrolment: Mapping[str, EmbeddingTable],
    member: str,
    probe: EmbeddingTable,
    known: Known,
    *,
    share: float,
) -> list[Finding]:
    """Why the one `probe` may not become a capture of `member`; empty where it may.

    `enrolment` are the captures that each member was enrolled with; `share` is the largest that
    confirmed captures may have of all of a member's.
    """
    found = []
    if known.confirmed + 1 > share * (known.enrolled + known.confirmed + 1):
        found.append(
            Finding(
                "too_many_confirmed",
                f"{known.confirmed} of {known.enrolled + known.confirmed} captures of the member"
                " were confirmed; more would outweigh the enrolment.",
                "Add captures at an enrolment, in the member's presence.",
            )
        )
    if member not in enrolment:
        return [*found, _not_like("The member was enrolled with other nets or not at all.")]
    scores = newcomers.enrol(base.discriminator, enrolment).score(probe)
    own = _candidate(scores, scores.members.index(member))
    if own is None:
        return [
            *found,
            _not_like("The probe gives nothing that the enrolment could be held against."),
        ]
    others = [
        c for i, m in enumerate(scores.members) if m != member and (c := _candidate(scores, i))
    ]
    level = base.policy.level(risk, provisional=True)
    growth = max(0.0, math.log(len(scores.members) / max(base.policy.members, 1)))
    alone = [llr for llr in (own.face, own.voice) if llr is not None]
    if own.fused < level.asks(own) + growth or min(alone) < -ODDS:
        found.append(
            _not_like("The probe is not close enough to what the member was enrolled with.")
        )
    if others and own.fused - max(c.fused for c in others) < level.margin:
        found.append(
            Finding(
                "like_another",
                "Another member is as close.",
                "Add captures at an enrolment, in the member's presence.",
            )
        )
    return found


def _not_like(problem: str) -> Finding:
    return Finding(
        "unlike_enrolment", problem, "Add captures at an enrolment, in the member's presence."
    )


def _candidate(scores: Scores, column: int) -> Candidate | None:
    fused = float(scores.fused[0, column])
    if np.isnan(fused):
        return None
    face, voice = float(scores.face[0, column]), float(scores.voice[0, column])
    return Candidate(
        scores.members[column],
        fused,
        None if math.isnan(face) else face,
        None if math.isnan(voice) else voice,
    )
