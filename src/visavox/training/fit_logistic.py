"""All members' logistic regressions at once: same negatives, Newton's method side by side."""

from dataclasses import dataclass

import numpy as np

from visavox.discriminator.logistic import LogisticScorer
from visavox.training.fit_cohort import Owners
from visavox.training.fit_logit import Floats, sigmoid
from visavox.training.fit_plda import PldaModel
from visavox.training.fit_settings import LogisticSettings

_STEPS = 30
_BATCH = 256
"""Members solved side by side; a bound on memory."""


@dataclass(frozen=True, slots=True, eq=False)
class LogisticModel:
    """The space of PLDA, and the cohort captures that members are told apart from."""

    space: PldaModel
    negatives: Floats  # (K, d)
    penalty: float

    @classmethod
    def train(
        cls, space: PldaModel, vectors: Floats, settings: LogisticSettings, *, seed: int
    ) -> "LogisticModel":
        rng = np.random.default_rng([seed, 3])
        rows = rng.permutation(len(vectors))[: settings.negatives]
        return cls(space, space.projection(vectors[rows]), settings.penalty)

    def enrol(self, vectors: Floats, owner: Owners, members: int, *, seed: int) -> LogisticScorer:
        """A member's weights rest on their own captures and the cohort."""
        del seed
        positives = self.space.projection(vectors)
        weights = np.zeros((positives.shape[1] + 1, members))
        enrolled = np.unique(owner)
        for start in range(0, len(enrolled), _BATCH):
            batch = enrolled[start : start + _BATCH]
            groups = [positives[owner == member] for member in batch]
            weights[:, batch] = one_against_cohort(groups, self.negatives, self.penalty)
        return LogisticScorer(self.space.projection, weights[:-1], weights[-1])


def one_against_cohort(groups: list[Floats], negatives: Floats, penalty: float) -> Floats:
    """(d + 1, M): weights and bias of each group (n, d) against the same `negatives` (K, d).

    Each side's mean loss counts one half, however few captures stand behind it; the squared
    norm of the weights is penalised, the bias is free but for a trace that keeps it finite.
    """
    K, d = negatives.shape
    X = np.column_stack([negatives, np.ones(K)])  # (K, e) with e = d + 1
    upper = np.triu_indices(d + 1)
    products = X[:, upper[0]] * X[:, upper[1]]  # (K, e(e+1)/2): all Hessians in one product
    ridge = np.append(np.full(d, penalty), 1e-6)
    P = [np.column_stack([g, np.ones(len(g))]) for g in groups]
    W = np.zeros((d + 1, len(groups)))

    def cost(W: Floats) -> Floats:
        near = np.array([np.logaddexp(0, -p @ w).mean() for p, w in zip(P, W.T, strict=True)])
        far = np.logaddexp(0, X @ W).mean(axis=0)
        total: Floats = 0.5 * (near + far + ridge @ W**2)
        return total

    now = cost(W)
    for _ in range(_STEPS):
        probability = sigmoid(X @ W)  # (K, M)
        gradient = 0.5 * X.T @ probability / K + ridge[:, None] * W
        flat = 0.5 * products.T @ (probability * (1 - probability)) / K
        curve = np.empty((len(groups), d + 1, d + 1))
        curve[:, upper[0], upper[1]] = flat.T
        curve[:, upper[1], upper[0]] = flat.T
        for m, p in enumerate(P):
            q = sigmoid(p @ W[:, m])
            gradient[:, m] -= 0.5 * p.T @ (1 - q) / len(p)
            curve[m] += 0.5 * (p * (q * (1 - q))[:, None]).T @ p / len(p) + np.diag(ridge)
        step = np.linalg.solve(curve, gradient.T[:, :, None])[:, :, 0].T
        promised = (step * gradient).sum(axis=0)
        if (promised < 1e-10).all():
            break
        scale = np.ones(len(groups))
        for _ in range(20):  # each member's step is halved until it descends
            moved = W - scale * step
            then = cost(moved)
            bad = then > now - 1e-4 * scale * promised + 1e-15
            if not bad.any():
                break
            scale = np.where(bad, scale / 2, scale)
        W, now = np.where(bad, W, moved), np.where(bad, now, then)
    return W
