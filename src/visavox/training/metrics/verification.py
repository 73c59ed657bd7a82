"""One probe against one member: is it the same person?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from visavox.training.metrics.rungs import hull_eer, pooled, rungs
from visavox.training.metrics.scores import Floats, checked


@dataclass(frozen=True, slots=True)
class Steps:
    """Every operating point the scores distinguish, from "accept all" to "refuse all".

    `threshold` rises; the last is +inf and stands for "refuse all", even where a score is +inf.
    """

    threshold: Floats
    fmr: Floats
    fnmr: Floats

    def fnmr_at_fmr(self, fmr: ArrayLike) -> Floats:
        """The lowest FNMR reached with an FMR of at most each of `fmr`."""
        # FMR falls along the steps; the first step that is low enough has the lowest FNMR.
        asked = np.atleast_1d(np.asarray(fmr, np.float64))
        first = np.searchsorted(-self.fmr, -asked, side="left")
        return np.asarray(self.fnmr[np.minimum(first, self.fnmr.size - 1)], np.float64)


def fmr(nonmated: ArrayLike, threshold: ArrayLike) -> Floats:
    """False match rate: the share of nonmated scores ≥ each threshold."""
    ordered = np.sort(checked(nonmated, "nonmated"))
    below = np.searchsorted(ordered, np.asarray(threshold, np.float64), side="left")
    return np.asarray((ordered.size - below) / ordered.size, np.float64)


def fnmr(mated: ArrayLike, threshold: ArrayLike) -> Floats:
    """False non-match rate: the share of mated scores < each threshold."""
    ordered = np.sort(checked(mated, "mated"))
    below = np.searchsorted(ordered, np.asarray(threshold, np.float64), side="left")
    return np.asarray(below / ordered.size, np.float64)


def steps(mated: ArrayLike, nonmated: ArrayLike) -> Steps:
    """FMR and FNMR at every distinct score, ties moving together, and at "refuse all"."""
    m, n = checked(mated, "mated"), checked(nonmated, "nonmated")
    thresholds = np.unique(np.concatenate([m, n]))
    return Steps(
        np.append(thresholds, np.inf),
        np.append(fmr(n, thresholds), 0.0),
        np.append(fnmr(m, thresholds), 1.0),
    )


def eer(mated: ArrayLike, nonmated: ArrayLike) -> float:
    """Equal error rate: where the convex hull of the ROC crosses FMR = FNMR.

    Every point of the hull is reached by choosing at random between two thresholds, so the figure
    is attainable, depends on the order of scores alone, and needs no rule for ties.
    """
    m, n = checked(mated, "mated"), checked(nonmated, "nonmated")
    on = rungs(m, n)
    return hull_eer(
        pooled(
            np.bincount(on.mated, minlength=on.count).astype(np.float64),
            np.bincount(on.nonmated, minlength=on.count).astype(np.float64),
        )
    )


def probit(rate: ArrayLike) -> Floats:
    """The axis of a DET plot, on which normal scores draw straight lines; 0 and 1 are ∓inf."""
    return np.asarray(ndtri(np.asarray(rate, np.float64)), np.float64)
