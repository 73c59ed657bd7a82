"""How well settings fit people they have not met: the number that sweeps compare.

Cohort people play fridges: some are enrolled, some come as strangers, and the rest of the cohort
is what they are fitted on. The data that is reported on is never looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from visavox.config import settings
from visavox.errors import NotEnoughData
from visavox.table import EmbeddingTable, Scores
from visavox.training import metrics
from visavox.training.fit import DiscriminatorSettings, fit
from visavox.types import Matrix

Count = Annotated[int, Field(ge=1)]
Names = NDArray[np.object_]  # (N,) per capture
Rows = NDArray[np.intp]


@settings
class Validation:
    """How many cohort people play what."""

    rounds: Annotated[int, Field(ge=0)] = 1
    """Draws of other people; 0 to leave validation out."""
    members: Count = 20
    """People enrolled, in each round."""
    strangers: Count = 40
    """People who are not."""
    enrol: Count = 3
    """Captures that each member is enrolled with; those of later sessions are probes."""


@dataclass(frozen=True, slots=True)
class Validated:
    """Calibrated LLRs of held-out people, in one number per stream, and over how many trials."""

    fused: float
    face: float
    voice: float
    mated: int
    nonmated: int

    @property
    def objective(self) -> float:
        """Cllr of the fused LLRs in bits: discrimination and calibration at once."""
        return self.fused

    def figures(self) -> dict[str, float]:
        return {
            "validation.fused.cllr": self.fused,
            "validation.face.cllr": self.face,
            "validation.voice.cllr": self.voice,
            "validation.mated": self.mated,
            "validation.nonmated": self.nonmated,
        }


def validate(
    cohort: EmbeddingTable,
    people: Sequence[str],
    sessions: Sequence[str],
    how: Validation,
    discriminator: DiscriminatorSettings,
    *,
    seed: int,
) -> Validated:
    """Fit on a part of the cohort, and score another part that it has not met.

    Nobody is probed with a capture of a session that they were enrolled in.
    """
    names, days = np.asarray(people, dtype=object), np.asarray(sessions, dtype=object)
    mated: dict[str, list[Matrix]] = {s: [] for s in ("fused", "face", "voice")}
    nonmated: dict[str, list[Matrix]] = {s: [] for s in ("fused", "face", "voice")}
    for turn, (enrol, probe, rest) in enumerate(_rounds(names, days, how, seed)):
        fitted = fit(
            cohort.take(enrol),
            list(names[enrol]),
            cohort.take(rest),
            list(names[rest]),
            discriminator,
            seed=seed + turn,
            cohort_sessions=list(days[rest]),
        )
        scores = fitted.discriminator.score(cohort.take(probe))
        own = names[probe][:, None] == np.asarray(scores.members, dtype=object)[None, :]
        for stream in mated:
            llr = _stream(scores, stream)
            known = ~np.isnan(llr)
            mated[stream].append(llr[own & known])
            nonmated[stream].append(llr[~own & known])
    cost = {
        s: float(metrics.cllr(np.concatenate(mated[s]), np.concatenate(nonmated[s]))) for s in mated
    }
    return Validated(
        **cost,
        mated=sum(len(a) for a in mated["fused"]),
        nonmated=sum(len(a) for a in nonmated["fused"]),
    )


def _rounds(
    names: Names, days: Names, how: Validation, seed: int
) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Rows to enrol, to probe with, and to fit on, for each round."""
    everyone = sorted(set(names))
    able = [p for p in everyone if _can_be_member(days[names == p], how.enrol)]
    needed = 2 * (how.members + how.strangers)
    if len(able) < how.members or len(everyone) < needed:
        raise NotEnoughData(
            f"Validation needs {how.members} cohort people with {how.enrol} captures and one more"
            f" of another session, and {needed} people in all;"
            f" there are {len(able)} and {len(everyone)}.",
            next_step="Enlarge the cohort, or lower validation.members, .strangers or .enrol.",
        )
    for turn in range(how.rounds):
        rng = np.random.default_rng([seed, 8, turn])
        members = rng.choice(np.array(able, dtype=object), how.members, replace=False)
        others = np.setdiff1d(np.array(everyone, dtype=object), members)
        strangers = rng.choice(others, how.strangers, replace=False)
        split = [_enrolled(np.flatnonzero(names == p), days, how.enrol, rng) for p in members]
        enrol = np.concatenate([own for own, _ in split])
        met = np.flatnonzero(np.isin(names, strangers))
        probe = np.concatenate([*(later for _, later in split), met])
        rest = np.flatnonzero(~np.isin(names, np.concatenate([members, strangers])))
        yield enrol, probe, rest


def _can_be_member(days: Names, enrol: int) -> bool:
    """Whether `enrol` captures leave a session over, whichever sessions come first."""
    counts = sorted(int(np.sum(days == day)) for day in set(days))
    return sum(counts[:-1]) >= enrol


def _enrolled(rows: Rows, days: Names, enrol: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """The first captures, session by session, and all captures of the sessions after."""
    own = days[rows]
    order = rng.permutation(np.array(sorted(set(own)), dtype=object))
    sorted_rows = np.concatenate([rng.permutation(rows[own == day]) for day in order])
    taken = sorted_rows[:enrol]
    later = sorted_rows[~np.isin(days[sorted_rows], days[taken])]
    return taken.astype(np.intp), later.astype(np.intp)


def _stream(scores: Scores, name: str) -> Matrix:
    llr: Matrix = getattr(scores, name)
    return llr
