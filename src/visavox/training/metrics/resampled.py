"""Figures for many weightings of the same trials at once: the engine of the bootstrap.

Trials that share their cell (one person at one fridge) always carry the same weight. So counts per
cell and rung are made once, and each replicate is a product of its cells' weights with them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from visavox.training.metrics.calibration import costs
from visavox.training.metrics.identification import Mated
from visavox.training.metrics.rungs import Rungs, hull_eer, hull_min_cllr, pooled, rungs
from visavox.training.metrics.scores import Floats

Weights = Floats  # (R, C): one row per replicate, one column per cell
Cell = NDArray[np.intp]  # (N,): the cell of each trial


@dataclass(frozen=True, slots=True)
class Ladder:
    """Weight of both kinds of trials on each rung, per replicate."""

    mated: Floats  # (R, K)
    nonmated: Floats  # (R, K)

    def hulls(self) -> tuple[Floats, Floats]:
        """(R,) equal error rates and (R,) minCllr in bits, both from one pooling."""
        pools = [pooled(m, n) for m, n in zip(self.mated, self.nonmated, strict=True)]
        return (
            np.array([hull_eer(blocks) for blocks in pools], np.float64),
            np.array([hull_min_cllr(blocks) for blocks in pools], np.float64),
        )


def ladder(
    mated: Floats, mated_cells: Cell, nonmated: Floats, nonmated_cells: Cell, weights: Weights
) -> Ladder:
    """Sort scores into rungs, and weigh the rungs for each replicate."""
    on = rungs(mated, nonmated)
    return Ladder(
        _per_rung(on.mated, mated_cells, on, weights),
        _per_rung(on.nonmated, nonmated_cells, on, weights),
    )


def cllrs(
    mated: Floats, mated_cells: Cell, nonmated: Floats, nonmated_cells: Cell, weights: Weights
) -> Floats:
    """(R,) Cllr in bits."""
    sides = (
        means(costs(mated, mated=True), mated_cells, weights),
        means(costs(nonmated, mated=False), nonmated_cells, weights),
    )
    return np.asarray(0.5 * (sides[0] + sides[1]), np.float64)


def means(values: Floats | NDArray[np.bool_], cells: Cell, weights: Weights) -> Floats:
    """(R,) weighted means, of costs or of errors; NaN where a replicate drew no such trial."""
    count = weights.shape[1]
    given = np.asarray(values, np.float64)
    sums = weights @ np.bincount(cells, np.where(np.isfinite(given), given, 0.0), count)
    mass = weights @ np.bincount(cells, minlength=count)
    # An infinite cost counts wherever its cell was drawn; 0 × inf would be NaN everywhere.
    ruined = weights @ np.bincount(cells[np.isinf(given)], minlength=count) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(ruined, np.inf, sums / mass)


def fnirs_at_fpir(
    searches: Mated,
    mated_cells: Cell,
    top: Floats,
    nonmated_cells: Cell,
    weights: Weights,
    target: float,
) -> Floats:
    """(R,) FNIR, each replicate at its own lowest threshold with an FPIR of at most `target`."""
    hit, scored = searches.right, ~np.isnan(top)
    count = weights.shape[1]
    totals = [
        weights @ np.bincount(cells, minlength=count) for cells in (mated_cells, nonmated_cells)
    ]
    at = ladder(searches.own[hit], mated_cells[hit], top[scored], nonmated_cells[scored], weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        # From the best rung down: a rung is open while all strangers on it and above may pass.
        passed = np.cumsum(at.nonmated[:, ::-1], axis=1) / totals[1][:, None]
        opened = passed <= target * (1 + 1e-12)
        found = np.sum(at.mated[:, ::-1] * opened, axis=1) / totals[0]
        return np.where(totals[1] > 0, 1.0 - found, np.nan)


def _per_rung(rung: NDArray[np.intp], cells: Cell, on: Rungs, weights: Weights) -> Floats:
    shape = (on.count, weights.shape[1])
    counts = coo_array((np.ones(rung.size), (rung, cells)), shape=shape).tocsr()  # adds up
    return np.ascontiguousarray((counts @ weights.T).T)
