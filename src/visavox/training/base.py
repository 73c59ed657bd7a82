"""Step `base`: what a fridge starts from, fitted on strangers alone, before it has any member.

    dvc repro base@cohort        → data/bundles/cohort/base/<digest>/

The bundle holds no members. It holds what enrols one in milliseconds: PLDA, a calibration line
per number of captures, fusion, and a policy fitted on fridges that strangers play.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from visavox import __version__
from visavox.config import settings
from visavox.decision import Policy
from visavox.discriminator import Discriminator, Expert
from visavox.discriminator.base import BaseScorer
from visavox.discriminator.calibration import Calibration
from visavox.discriminator.newcomers import enrol
from visavox.errors import ConfigError, NotEnoughData
from visavox.table import EmbeddingTable
from visavox.training import provenance
from visavox.training.dataset import Dataset
from visavox.training.fit import DiscriminatorSettings, Fitted, maxima, prepare
from visavox.training.fit_background import Background
from visavox.training.fit_cohort import People
from visavox.training.fit_logit import Floats
from visavox.training.fit_plda import PldaModel
from visavox.training.fit_policy import fit_policy
from visavox.training.reference import reference
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.training.train import inputs, write
from visavox.types import Modality

log = logging.getLogger(__name__)

FRIDGE = "base"
"""What a base bundle names in place of a fridge."""

Count = Annotated[int, Field(ge=1)]


@settings
class Newcomers:
    """Fridges that strangers play, for the thresholds of members whom no training has seen."""

    members: Annotated[int, Field(ge=2)] = 10
    """In each. A real fridge with more asks for more, one with fewer for the same."""
    enrol: tuple[Count, ...] = (1, 2, 3)
    """Captures that they are enrolled with, in turn."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Of the strangers' captures that a trained member may let in, how many a newcomer may."""


@settings
class BaseSettings:
    data: Dataset
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    newcomers: Newcomers = Newcomers()
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What the base bundle holds, and what it was measured on."""

    fitted: Fitted
    drift: dict[str, Any]


@stage(BaseSettings)
def base(settings: BaseSettings, run: Run) -> None:
    """Fit the bundle that newcomers are enrolled on, from a cohort of strangers."""
    cohort = inputs(settings.data.root, settings.data.features)
    made = fit_base(
        cohort.seen.table,
        cohort.people,
        settings.discriminator,
        settings.newcomers,
        seed=settings.seed,
        sessions=cohort.sessions,
    )
    lineage = _lineage(settings, run)
    run.tags({k: str(v) for k, v in lineage.items()})
    write(settings.data.bundles / FRIDGE, FRIDGE, made.fitted, cohort.seen, lineage, made.drift)
    levels = made.fitted.policy
    run.metrics(
        {f"threshold.{risk}": level.threshold for risk, level in levels.levels.items()}
        | {f"provisional.{risk}": level.threshold for risk, level in levels.provisional.items()}
    )
    log.info("%s: a base of %d strangers", settings.data.name, levels.strangers)


def fit_base(
    cohort: EmbeddingTable,
    people: Sequence[str],
    discriminator: DiscriminatorSettings,
    newcomers: Newcomers,
    *,
    seed: int,
    sessions: Sequence[str] | None = None,
) -> Made:
    """The base, its policy, and the distributions that its drift is measured against."""
    if discriminator.family != "plda":
        raise ConfigError(
            f"A base cannot be of the family {discriminator.family!r}.",
            next_step="Leave `discriminator` at plda: newcomers are enrolled by its formula.",
        )
    background = prepare(cohort, people, discriminator, seed=seed, sessions=sessions)
    empty = Discriminator(
        BaseScorer.FAMILY,
        (),
        _expert(background, Modality.FACE),
        _expert(background, Modality.VOICE),
        _calibrated(background).fusion,
    )
    strangers = background.roles.strangers
    played = list(_played(empty, strangers, newcomers, seed))
    levels = _policy(played, background, discriminator.risks, newcomers)
    stricter = _policy(
        played,
        background,
        {risk: fpir * newcomers.share for risk, fpir in discriminator.risks.items()},
        newcomers,
    )
    policy = replace(levels, provisional=stricter.levels)
    nobody = strangers.table.take(np.empty(0, np.intp))
    first = played[0]
    drift = reference(first.fridge, first.fridge, nobody, [], first.seekers, nobody)
    return Made(Fitted(empty, policy), drift)


def _calibrated(background: Background) -> Any:
    calibrated = background.calibrated
    assert calibrated is not None  # PLDA is calibrated on the cohort alone
    return calibrated


def _expert(background: Background, modality: Modality) -> Expert:
    model, lines = background.models[modality], _calibrated(background).lines[modality]
    assert isinstance(model, PldaModel)
    scorer = BaseScorer(model.projection, model.between, lines.slope, lines.offset, model.most)
    none = np.empty(0)
    return Expert(scorer, Calibration(none, none), none.astype(np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class _Played:
    """A fridge of strangers, and other strangers who search it."""

    fridge: Discriminator
    seekers: EmbeddingTable


def _played(
    empty: Discriminator, strangers: People, how: Newcomers, seed: int
) -> Iterator[_Played]:
    """Each half of the strangers plays members once, while the other half comes to the kiosk."""
    if len(strangers) < 2 * how.members:
        raise NotEnoughData(
            f"The cohort leaves {len(strangers)} strangers; {2 * how.members} are needed to play"
            f" fridges of {how.members} and their visitors.",
            next_step="Enlarge the cohort, or lower newcomers.members.",
        )
    order = np.random.default_rng([seed, 9]).permutation(len(strangers))
    halves = np.array_split(order, 2)
    for own, others in (halves, halves[::-1]):
        seekers = strangers.take(others).table
        for start in range(0, len(own) - how.members + 1, how.members):
            members = own[start : start + how.members]
            yield _Played(enrol(empty, _captures(strangers, members, how.enrol)), seekers)


def _captures(
    strangers: People, members: NDArray[np.intp], counts: Sequence[int]
) -> dict[str, EmbeddingTable]:
    rows = {int(p): np.flatnonzero(strangers.owner == p) for p in members}
    return {
        strangers.names[p]: strangers.table.take(own[: counts[i % len(counts)]])
        for i, (p, own) in enumerate(rows.items())
    }


def _policy(
    played: Sequence[_Played], background: Background, risks: dict[str, float], how: Newcomers
) -> Policy:
    parts = [maxima(p.fridge, p.seekers) for p in played]
    highest: dict[str, Floats] = {k: np.concatenate([part[k] for part in parts]) for k in parts[0]}
    strangers = background.roles.strangers
    policy = fit_policy(
        highest,
        members=how.members,
        strangers=len(strangers),
        kappa=_calibrated(background).kappa,
        settings=replace(background.settings, risks=risks),
    )
    # Each capture searched many fridges; that makes it no more captures.
    return replace(policy, captures=len(strangers.table))


def _lineage(settings: BaseSettings, run: Run) -> dict[str, Any]:
    code, data = provenance.commit(), settings.data
    return {
        "visavox": __version__,
        "commit": code.sha,
        "dirty": code.dirty,
        "cohort": data.name,
        "cohort_sha256": provenance.data_hash(data.root),
        "cohort_dvc": provenance.dvc_hash(data.root),
        "config_sha256": provenance.digest(asdict(settings)),
        "seed": settings.seed,
        "run": run.id,
    }


if __name__ == "__main__":
    base.main()
