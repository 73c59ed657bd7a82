"""Training of PLDA: linear discriminants, length normalisation, two covariances.

Covariances come from moments (analysis of variance), not from EM: one pass, no start, no stop,
and the same answer every time.
"""

from dataclasses import dataclass

import numpy as np

from visavox.discriminator.plda import PldaScorer, Projection
from visavox.training.fit_cohort import Owners
from visavox.training.fit_logit import Floats
from visavox.training.fit_settings import PldaSettings


@dataclass(frozen=True, slots=True, eq=False)
class PldaModel:
    """What the cohort taught about people in general."""

    projection: Projection
    between: Floats  # (d,) ψ, decreasing
    most: int  # captures per member beyond which more are not trusted to tell more

    @classmethod
    def train(
        cls, vectors: Floats, owner: Owners, settings: PldaSettings, *, shrinkage: float, most: int
    ) -> "PldaModel":
        """(N, D) vectors of many people, at least two each for some of them."""
        mean = vectors.mean(axis=0)
        reduce, _ = discriminants(vectors - mean, owner, settings.dimensions, shrinkage=shrinkage)
        still = np.zeros(reduce.shape[1])
        reduced = Projection(mean, reduce, still, np.eye(reduce.shape[1]))(vectors)
        shift = reduced.mean(axis=0)
        rotate, between = discriminants(
            reduced - shift, owner, reduce.shape[1], shrinkage=shrinkage
        )
        return cls(
            Projection(mean, reduce, shift, rotate),
            between,
            most,
        )

    def enrol(self, vectors: Floats, owner: Owners, members: int, *, seed: int) -> PldaScorer:
        """A member's weights rest on their own captures alone."""
        del seed
        counts = np.bincount(owner, minlength=members).astype(np.float64)
        means = person_means(self.projection(vectors), owner, members)
        return PldaScorer.enrol(self.projection, self.between, means, np.minimum(counts, self.most))


def discriminants(
    centred: Floats, owner: Owners, dimensions: int, *, shrinkage: float
) -> tuple[Floats, Floats]:
    """A basis (D, d) in which the within-person covariance is the identity and the
    between-person covariance is diagonal, with that diagonal (d,), largest first."""
    people = int(owner.max()) + 1
    counts = np.bincount(owner, minlength=people)
    means = person_means(centred, owner, people)
    residual = centred - means[owner]
    seen = int((counts > 0).sum())
    within = shrunk(residual, len(residual) - seen, shrinkage)
    whiten = np.linalg.inv(np.linalg.cholesky(within)).T  # (D, D)
    # Singular values of the person means hold the between-person scatter without forming it.
    _, singular, right = np.linalg.svd(
        np.sqrt(counts)[:, None] * (means @ whiten), full_matrices=False
    )
    # Expected scatter of one person's mean of n captures: n·ψ + 1, with n averaged as in ANOVA.
    usual = (len(owner) - (counts**2).sum() / len(owner)) / (seen - 1)
    between = (singular**2 / (seen - 1) - 1) / usual
    keep = np.flatnonzero(between > 0)[: min(dimensions, seen - 1)]
    return whiten @ right[keep].T, between[keep]


def shrunk(residual: Floats, freedom: int, shrinkage: float) -> Floats:
    """The covariance of `residual` (N, D), pulled towards a sphere."""
    count, width = residual.shape
    covariance = residual.T @ residual / count
    sphere = np.trace(covariance) / width * np.eye(width)
    mixed: Floats = (1 - shrinkage) * covariance + shrinkage * sphere
    mixed *= count / freedom
    return mixed


def person_means(vectors: Floats, owner: Owners, people: int) -> Floats:
    """(P, D) mean of each person's rows; zero for people without any."""
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=people)
    sums = np.zeros((people, vectors.shape[1]))
    filled = np.flatnonzero(counts)
    if len(filled):
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[filled]
        sums[filled] = np.add.reduceat(vectors[order], starts, axis=0)
    means: Floats = sums / np.maximum(counts, 1)[:, None]
    return means
