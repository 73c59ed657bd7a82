"""All that a cohort of strangers decides, before any member is known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavox.fusion import Fusion
from visavox.table import EmbeddingTable
from visavox.training.fit_calibration import Lines
from visavox.training.fit_cohort import Owners, People, Roles, assign, people_of
from visavox.training.fit_families import Models, train_models
from visavox.training.fit_fusion import fit_fusion
from visavox.training.fit_policy import lead, nearest
from visavox.training.fit_selection import choose_shrinkage
from visavox.training.fit_settings import DiscriminatorSettings
from visavox.training.fit_simulation import Fridge, fridge_like, fridges_of, simulate
from visavox.types import Modality

LEAST_MEMBERS = 10
"""Members of a simulated fridge: a smaller one gives too few genuine trials to calibrate on."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What simulated fridges taught."""

    lines: dict[Modality, Lines]
    fusion: Fusion
    kappa: float  # how far a lead over the next member can be trusted, see `lead`


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """A part of the cohort, with models that have not met it."""

    players: NDArray[np.intp]
    models: Models


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What one cohort and one set of settings decide; serves any number of fridges."""

    settings: DiscriminatorSettings
    roles: Roles
    models: Models
    folds: tuple[Fold, ...]
    calibrated: Calibrated | None  # None where it takes a fridge's make-up to know

    def calibration(self, counts: Owners, *, seed: int) -> Calibrated:
        """For a fridge whose members have `counts` enrolment captures.

        Where a member's scores rest on their own captures, one calibration serves all fridges.
        The members of an `mlp` are trained against each other: its fridges are simulated with
        as many members, enrolled with as many captures, and trained in the same way.
        """
        if self.calibrated is not None:
            return self.calibrated
        return _calibrate(self.roles.model, self._alike(counts, seed), self.settings, seed)

    def _alike(self, counts: Owners, seed: int) -> Iterator[tuple[Fridge, Models]]:
        rng = np.random.default_rng([seed, 2])
        if len(counts) < LEAST_MEMBERS:
            counts = np.resize(counts if len(counts) else np.ones(1, np.intp), LEAST_MEMBERS)
        for fold in self.folds[: self.settings.mlp.fridges]:
            yield fridge_like(self.roles.model, fold.players, counts, rng=rng), fold.models


def prepare(
    cohort: EmbeddingTable,
    cohort_people: Sequence[str],
    settings: DiscriminatorSettings,
    *,
    seed: int,
    sessions: Sequence[str] | None = None,
) -> Background:
    """Models, calibration and fusion from the cohort; NotEnoughData where it is too small.

    A member comes back on another day, in other light: with `sessions`, one per cohort capture,
    nobody is calibrated on a probe from a session that they were enrolled in.
    """
    roles = assign(
        people_of(cohort, cohort_people, what="cohort", sessions=sessions),
        strangers=settings.strangers,
        folds=settings.folds,
        least=settings.least_people,
        seed=seed,
    )
    shrinkage = _shrinkage(roles, settings, seed)
    models = train_models(roles.model, settings, shrinkage, seed=seed)
    folds = tuple(
        Fold(
            np.flatnonzero(roles.fold == part),
            train_models(
                roles.model.take(np.flatnonzero(roles.fold != part)), settings, shrinkage, seed=seed
            ),
        )
        for part in range(settings.folds)
    )
    calibrated = None
    if settings.family != "mlp":
        fridges = _of_all_counts(roles, folds, settings, seed)
        calibrated = _calibrate(roles.model, fridges, settings, seed)
    return Background(settings, roles, models, folds, calibrated)


def _shrinkage(
    roles: Roles, settings: DiscriminatorSettings, seed: int
) -> Mapping[Modality, float]:
    given = settings.plda.shrinkage
    if given is not None:
        return dict.fromkeys(Modality, given)
    if settings.family == "prototype":
        return {}
    return choose_shrinkage(roles, settings.plda, seed=seed)


def _of_all_counts(
    roles: Roles, folds: Sequence[Fold], settings: DiscriminatorSettings, seed: int
) -> Iterator[tuple[Fridge, Models]]:
    """Fridges with each number of enrolment captures that the cohort can play."""
    rng = np.random.default_rng([seed, 2])
    most = roles.model.most
    dear = settings.family == "logistic"
    counts = sorted({1, (1 + most) // 2, most}) if dear else range(1, most + 1)
    for fold in folds:
        players = fold.players[: settings.logistic.players] if dear else fold.players
        for fridge in fridges_of(roles.model, players, counts=counts, rng=rng):
            yield fridge, fold.models


def _calibrate(
    people: People,
    fridges: Iterator[tuple[Fridge, Models]],
    settings: DiscriminatorSettings,
    seed: int,
) -> Calibrated:
    simulated = simulate(people, fridges, seed=seed)
    lines, llr = {}, {}
    for m in Modality:
        side = simulated.side(m)
        lines[m] = Lines.fit(
            side, simulated.target, prior=settings.prior, people=len(people), what=m
        )
        llr[m] = lines[m](side.count)(side.raw)
    fusion = fit_fusion(
        people.table,
        simulated.row,
        llr[Modality.FACE],
        llr[Modality.VOICE],
        simulated.target,
        prior=settings.prior,
        people=len(people),
    )
    # Of the many others, only the one who comes closest to a probe says how far a lead can be
    # trusted; who that is, the plain sum of what face and voice say tells.
    both = np.stack([llr[m] for m in Modality])
    told = np.where(np.isnan(both).all(axis=0), np.nan, np.nansum(both, axis=0))
    close = simulated.take(nearest(simulated, told))
    face, voice = (lines[m](close.side(m).count)(close.side(m).raw) for m in Modality)
    fused = fusion(
        face[:, None],
        voice[:, None],
        people.table.face.quality[close.row],
        people.table.voice.quality[close.row],
    )[:, 0]
    return Calibrated(lines, fusion, lead(close, fused))
