"""Are the log-likelihood ratios worth what they say? Costs in bits (Brümmer & du Preez 2006)."""

import numpy as np
from numpy.typing import ArrayLike

from visavox.training.metrics.rungs import hull_min_cllr, pooled, rungs
from visavox.training.metrics.scores import Floats, checked


def costs(llr: ArrayLike, *, mated: bool) -> Floats:
    """What each natural-log LLR costs, in bits: 1 for an LLR of 0, inf for utter wrongness."""
    values = np.asarray(llr, np.float64)
    return np.asarray(np.logaddexp(0.0, -values if mated else values) / np.log(2.0), np.float64)


def cllr(mated: ArrayLike, nonmated: ArrayLike) -> float:
    """Cost of the LLRs at even weight of both kinds: 0 is perfect, 1 knows nothing.

    A mated LLR of -inf or a nonmated one of +inf makes it infinite: such certainty was wrong.
    """
    m, n = checked(mated, "mated"), checked(nonmated, "nonmated")
    return float(0.5 * (costs(m, mated=True).mean() + costs(n, mated=False).mean()))


def min_cllr(mated: ArrayLike, nonmated: ArrayLike) -> float:
    """Cllr after the best monotone calibration: what discrimination alone costs."""
    m, n = checked(mated, "mated"), checked(nonmated, "nonmated")
    on = rungs(m, n)
    return hull_min_cllr(
        pooled(
            np.bincount(on.mated, minlength=on.count).astype(np.float64),
            np.bincount(on.nonmated, minlength=on.count).astype(np.float64),
        )
    )


def isotonic(values: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """The non-decreasing row nearest to `values` in (weighted) squares, by pooling violators."""
    y = checked(values, "isotonic")
    w = np.ones_like(y) if weights is None else np.asarray(weights, np.float64)
    means: list[float] = []
    masses: list[float] = []
    lengths: list[int] = []
    for value, weight in zip(y.tolist(), w.tolist(), strict=True):
        mean, mass, length = value, weight, 1
        while means and means[-1] >= mean:
            before, before_mass = means.pop(), masses.pop()
            mean = (before * before_mass + mean * mass) / (before_mass + mass)
            mass += before_mass
            length += lengths.pop()
        means.append(mean)
        masses.append(mass)
        lengths.append(length)
    return np.repeat(np.array(means, np.float64), lengths)
