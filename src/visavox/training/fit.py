"""One fridge's discriminator and policy, from its members' captures and a cohort of strangers.

    cohort → prepare → Background ─┬─ fit_members → Fitted     one fridge
                                   └─ fit_members → Fitted     the next one

What rests on the cohort alone is computed once and shared; what rests on the members costs the
same for each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visavox.decision import Policy
from visavox.discriminator import Discriminator, Expert
from visavox.errors import DataError
from visavox.table import EmbeddingTable
from visavox.training.fit_background import Background, Calibrated, prepare
from visavox.training.fit_cohort import People, people_of
from visavox.training.fit_logit import Floats
from visavox.training.fit_policy import fit_policy, highest
from visavox.training.fit_settings import DiscriminatorSettings
from visavox.types import Modality

__all__ = ["Background", "DiscriminatorSettings", "Fitted", "fit", "fit_members", "prepare"]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a bundle holds of one fridge."""

    discriminator: Discriminator
    policy: Policy


def fit(
    enrolment: EmbeddingTable,
    people: Sequence[str],
    cohort: EmbeddingTable,
    cohort_people: Sequence[str],
    settings: DiscriminatorSettings,
    *,
    seed: int,
    cohort_sessions: Sequence[str] | None = None,
) -> Fitted:
    """Fit one fridge. With several on the same cohort, `prepare` once and `fit_members` each."""
    background = prepare(cohort, cohort_people, settings, seed=seed, sessions=cohort_sessions)
    return fit_members(background, enrolment, people, seed=seed)


def fit_members(
    background: Background, enrolment: EmbeddingTable, people: Sequence[str], *, seed: int
) -> Fitted:
    """Enrol the people of one fridge, and find its thresholds with the cohort's strangers."""
    members = people_of(enrolment, people, what="enrolment")
    counts = np.bincount(members.owner, minlength=len(members)).astype(np.intp)
    calibrated = background.calibration(counts, seed=seed)
    experts = {m: _expert(background, calibrated, members, m, seed) for m in Modality}
    discriminator = Discriminator(
        background.settings.family,
        members.names,
        experts[Modality.FACE],
        experts[Modality.VOICE],
        calibrated.fusion,
    )
    strangers = background.roles.strangers
    policy = fit_policy(
        maxima(discriminator, strangers.table),
        members=len(members),
        strangers=len(strangers),
        kappa=calibrated.kappa,
        settings=background.settings,
    )
    return Fitted(discriminator, policy)


def _expert(
    background: Background, calibrated: Calibrated, members: People, modality: Modality, seed: int
) -> Expert:
    vectors, owner = members.of(modality)
    known = background.roles.model.table.column(modality).vectors.shape[1]
    if vectors.shape[1] != known:
        raise DataError(
            f"The members' {modality} embeddings have {vectors.shape[1]} dimensions,"
            f" the cohort's {known}.",
            next_step="Embed both with the same Characterizer.",
        )
    counts = np.bincount(owner, minlength=len(members)).astype(np.intp)
    scorer = background.models[modality].enrol(vectors, owner, len(members), seed=seed)
    return Expert(scorer, calibrated.lines[modality](counts), counts > 0)


def maxima(discriminator: Discriminator, table: EmbeddingTable) -> dict[str, Floats]:
    """Each capture's highest LLR against the members: all heard, face alone, voice alone."""
    scores = discriminator.score(table)
    silent = np.full_like(scores.face, np.nan)
    fusion, quality = discriminator.fusion, (table.face.quality, table.voice.quality)
    both = np.where(np.isnan(scores.face) | np.isnan(scores.voice), np.nan, scores.fused)
    return {
        "both": highest(both),
        "face": highest(fusion(scores.face, silent, *quality)),
        "voice": highest(fusion(silent, scores.voice, *quality)),
    }
