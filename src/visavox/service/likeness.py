"""Is everybody in these captures one person, and does the fridge know that person already?

LLRs are calibrated, so the questions are put in odds: captures are of several people where the
odds are against one; a newcomer is a member already where the kiosk would have let them in.
"""

import math

import numpy as np
from numpy.typing import NDArray

from visavox.bundle import Bundle
from visavox.discriminator import newcomers
from visavox.errors import Finding
from visavox.service.answer import Likeness
from visavox.service.snapshot import Snapshot
from visavox.table import EmbeddingTable, Scores
from visavox.types import Candidate

ODDS = math.log(99)
"""Against one person, in one modality, before captures count as of several; for one person, in one
modality alone, before two members are said to be alike."""


def strangers_among(base: Bundle, captures: EmbeddingTable) -> list[Finding]:
    """Captures that are of somebody else than the other ones; empty where all are of one person.

    Each is scored against a member enrolled with all the others.
    """
    count = len(captures)
    if count < 2:
        return []
    own = [_alone(base, captures, i) for i in range(count)]
    return [_finding(i) for i, scores in enumerate(own) if _is_stranger(scores)]


def strangers_to(snapshot: Snapshot, member: str, captures: EmbeddingTable) -> list[Finding]:
    """Captures that are of somebody else than that member; empty where nobody can tell."""
    scores = snapshot.score(captures)
    if member not in scores.members:
        return []
    column = scores.members.index(member)
    return [_finding(i) for i in range(len(captures)) if _is_stranger(_cell(scores, i, column))]


def alike(
    snapshot: Snapshot, captures: EmbeddingTable, *, but: str | None = None
) -> list[Likeness]:
    """Members whom the newcomer resembles, the closest first: `already_enrolled` where the kiosk
    would take one for the other, `looks_like` and `sounds_like` where one modality would."""
    scores = snapshot.score(captures)
    if not scores.members:  # nobody is enrolled, or nobody can be scored
        return []
    level = snapshot.policy.level(snapshot.risk)
    growth = max(0.0, math.log(len(scores.members) / max(snapshot.policy.members, 1)))
    found: list[tuple[float, Likeness]] = []
    for column, member in enumerate(scores.members):
        if member == but:
            continue
        fused = scores.fused[:, column]
        asked = np.array(
            [level.asks(_candidate(scores, row, column)) + growth for row in range(len(fused))]
        )
        if (fused >= asked).any():  # NaN is not
            text = "This person is a member already, as far as face and voice can tell."
            found.append((_best(fused), Likeness("already_enrolled", member, text)))
            continue
        for code, llr, text in (
            (
                "looks_like",
                scores.face[:, column],
                "They look alike: the voice must tell them apart.",
            ),
            (
                "sounds_like",
                scores.voice[:, column],
                "They sound alike: the face must tell them apart.",
            ),
        ):
            if _middle(llr) >= ODDS + growth:
                found.append((_best(llr), Likeness(code, member, text)))
    found.sort(key=lambda pair: -pair[0])
    return [likeness for _, likeness in found]


def _alone(base: Bundle, captures: EmbeddingTable, row: int) -> tuple[float, float, float]:
    others = np.flatnonzero(np.arange(len(captures)) != row).astype(np.intp)
    one = newcomers.enrol(base.discriminator, {"others": captures.take(others)})
    return _cell(one.score(captures.take(np.array([row], np.intp))), 0, 0)


def _cell(scores: Scores, row: int, column: int) -> tuple[float, float, float]:
    return (
        float(scores.fused[row, column]),
        float(scores.face[row, column]),
        float(scores.voice[row, column]),
    )


def _is_stranger(scores: tuple[float, float, float]) -> bool:
    fused, face, voice = scores  # NaN where there is nothing to compare: never against anybody
    return fused < 0.0 or face < -ODDS or voice < -ODDS


def _finding(row: int) -> Finding:
    return Finding(
        "several_people",
        f"Capture {row + 1} is of somebody else than the others.",
        "Take every capture of the same person, alone.",
        field=f"captures[{row}]",
    )


def _candidate(scores: Scores, row: int, column: int) -> Candidate:
    fused, face, voice = _cell(scores, row, column)
    return Candidate(
        scores.members[column],
        fused,
        None if math.isnan(face) else face,
        None if math.isnan(voice) else voice,
    )


def _best(llr: NDArray[np.float64]) -> float:
    known = llr[~np.isnan(llr)]
    return float(known.max()) if len(known) else -math.inf


def _middle(llr: NDArray[np.float64]) -> float:
    known = llr[~np.isnan(llr)]
    return float(np.median(known)) if len(known) else -math.inf
