"""The order of mated and nonmated scores, reduced to what decides EER, minCllr and FNIR at FPIR.

Only the order of scores matters to these figures, and neighbours of one kind with nobody of the
other kind between them always move together. So sorted scores fall into rungs: runs of mated
scores, runs of nonmated scores, and ties that hold both. Tens of thousands of scores become a few
hundred rungs, on which a figure can be computed again for every weighting of a bootstrap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavox.training.metrics.scores import Floats

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rungs:
    """Which rung each score stands on; rung 0 holds the lowest scores."""

    mated: Index
    nonmated: Index
    count: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """Weight of each kind per block of scores, lowest first; the share of mated strictly rises."""

    mated: Floats
    nonmated: Floats


def rungs(mated: Floats, nonmated: Floats) -> Rungs:
    """Sort both kinds of scores into rungs."""
    values, level = np.unique(np.concatenate([mated, nonmated]), return_inverse=True)
    has_mated = np.zeros(values.size, np.bool_)
    has_nonmated = np.zeros(values.size, np.bool_)
    has_mated[level[: mated.size]] = True
    has_nonmated[level[mated.size :]] = True
    tied = has_mated & has_nonmated
    # A value starts a new rung unless it continues a run of its own kind.
    starts = np.ones(values.size, np.bool_)
    starts[1:] = tied[1:] | tied[:-1] | (has_mated[1:] != has_mated[:-1])
    rung = np.cumsum(starts) - 1
    return Rungs(
        rung[level[: mated.size]],
        rung[level[mated.size :]],
        int(rung[-1]) + 1 if values.size else 0,
    )


def pooled(mated: Floats, nonmated: Floats) -> Blocks:
    """Pool adjacent violators: weights per rung → blocks whose share of mated strictly rises.

    The cumulated blocks are the corners of the ROC's convex hull, and the blocks' odds are the
    best monotone calibration of the scores (Brümmer & du Preez 2006; Fawcett & Niculescu-Mizil
    2007). Rungs of no weight are passed over.
    """
    m: list[float] = []
    n: list[float] = []
    for a, b in zip(mated.tolist(), nonmated.tolist(), strict=True):
        if a == 0.0 and b == 0.0:
            continue
        # Shares compared by cross-multiplication: no division, hence exact for counts.
        while m and m[-1] * b >= a * n[-1]:
            a += m.pop()
            b += n.pop()
        m.append(a)
        n.append(b)
    return Blocks(np.array(m, np.float64), np.array(n, np.float64))


def hull_eer(blocks: Blocks) -> float:
    """The error rate where the ROC's convex hull crosses FMR = FNMR; NaN when a kind is absent."""
    total_mated, total_nonmated = blocks.mated.sum(), blocks.nonmated.sum()
    if total_mated == 0 or total_nonmated == 0:
        return float("nan")
    # Corner k refuses the blocks below k: from "accept all" (FMR 1) to "refuse all" (FNMR 1).
    fnmr = np.concatenate([[0.0], np.cumsum(blocks.mated) / total_mated])
    fmr = np.concatenate([[1.0], 1.0 - np.cumsum(blocks.nonmated) / total_nonmated])
    gap = fnmr - fmr  # strictly rising from -1 to 1
    k = int(np.argmax(gap >= 0.0))
    share = gap[k - 1] / (gap[k - 1] - gap[k])
    return float(np.clip(fnmr[k - 1] + share * (fnmr[k] - fnmr[k - 1]), 0.0, 1.0))


def hull_min_cllr(blocks: Blocks) -> float:
    """Cllr in bits after the best monotone calibration; NaN when a kind is absent."""
    total_mated, total_nonmated = blocks.mated.sum(), blocks.nonmated.sum()
    if total_mated == 0 or total_nonmated == 0:
        return float("nan")
    p, q = blocks.mated / total_mated, blocks.nonmated / total_nonmated
    both = (p > 0) & (q > 0)  # a pure block is calibrated to ±inf and costs nothing
    p, q = p[both], q[both]
    return float(0.5 * np.sum(p * np.log2(1.0 + q / p) + q * np.log2(1.0 + p / q)))
