"""How far to trust the cohort's within-person covariance: asked of people it was not taken from.

Nets that were trained with a margin leave within-person variation almost round, and a few hundred
people cannot tell where it is not; other embeddings are far from round. So the pull towards a
sphere is a matter of trial: models of one part of the cohort score simulated fridges of another,
and the pull with the lowest cost wins. Nothing that thresholds are set on takes part.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from visavox.table import Mask
from visavox.training.fit_calibration import Lines
from visavox.training.fit_cohort import Roles
from visavox.training.fit_logit import Floats
from visavox.training.fit_plda import PldaModel
from visavox.training.fit_settings import PldaSettings
from visavox.training.fit_simulation import fridges_of, joined, scored
from visavox.types import Modality

SHRINKAGES = (0.1, 0.5, 0.9, 1.0)
"""What is tried; between two neighbours the cost hardly differs."""
PARTS = 2
"""Folds that are asked; each costs a training per shrinkage."""


def choose_shrinkage(
    roles: Roles, settings: PldaSettings, *, seed: int, tried: Sequence[float] = SHRINKAGES
) -> Mapping[Modality, float]:
    """The pull that tells people apart best, for each modality."""
    rng = np.random.default_rng([seed, 5])
    people, most = roles.model, roles.model.most
    sides = {(m, s): [] for m in Modality for s in tried}  # type: ignore[var-annotated]
    targets: list[Mask] = []
    for part in range(PARTS):
        others = people.take(np.flatnonzero(roles.fold != part))
        players = np.flatnonzero(roles.fold == part)
        fridges = list(fridges_of(people, players, counts=[most], rng=rng))
        for m in Modality:
            vectors, owner = others.of(m)
            for s in tried:
                model = PldaModel.train(vectors, owner, settings, shrinkage=s, most=most)
                sides[m, s] += [scored(people, f, m, model, seed) for f in fridges]
        for fridge in fridges:
            own = people.owner[fridge.probes][:, None] == fridge.members
            targets.append(own.ravel())
    target = np.concatenate(targets)
    chosen = {}
    for m in Modality:
        costs = []
        for s in tried:
            side = joined(sides[m, s])
            line = Lines.fit(side, target, prior=0.5, people=len(people), what=m)
            costs.append(_cost(line(side.count)(side.raw), target))
        chosen[m] = tried[int(np.argmin(costs))]
    return chosen


def _cost(llr: Floats, target: Mask) -> float:
    """Cllr, but for its unit."""
    known = ~np.isnan(llr)
    genuine, foreign = llr[known & target], llr[known & ~target]
    return float(np.logaddexp(0, -genuine).mean() + np.logaddexp(0, foreign).mean())
