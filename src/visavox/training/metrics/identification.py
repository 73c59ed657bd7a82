"""One probe against all members of a fridge: who is it, or nobody? (open set)

A search of nothing (a probe that quality refused) is never accepted: for a member it is a miss,
for a stranger a right refusal. Such scores are NaN here, and only here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visavox.errors import NotEnoughData
from visavox.training.metrics.scores import Floats, rate_checked


@dataclass(frozen=True, slots=True)
class Mated:
    """Searches by members: the score of the right member, and the best of the others.

    `own` is NaN where the search could not be scored; `other` is -inf where there is no other.
    """

    own: Floats
    other: Floats

    @property
    def right(self) -> NDArray[np.bool_]:
        """Searches whose right member stands first; a tie for the first place is not first."""
        return np.asarray(self.own > self.other)  # NaN compares false

    @property
    def hits(self) -> Floats:
        """The highest threshold at which each search still finds the right member, else NaN."""
        return np.where(self.right, self.own, np.nan)


def fpir(top: ArrayLike, threshold: ArrayLike) -> Floats:
    """False positive identification rate: the share of strangers' best scores ≥ each threshold."""
    ordered = _ordered(top, "nonmated")
    at = np.asarray(threshold, np.float64)
    scored = ordered[~np.isnan(ordered)]
    accepted = scored.size - np.searchsorted(scored, at, side="left")
    return np.asarray(accepted / ordered.size, np.float64)


def tpir(searches: Mated, threshold: ArrayLike) -> Floats:
    """True positive identification rate: right member first, and ≥ each threshold."""
    found, of = _found(searches, threshold)
    return np.asarray(found / of, np.float64)


def fnir(searches: Mated, threshold: ArrayLike) -> Floats:
    """False negative identification rate: 1 - TPIR; another member's place counts as a miss."""
    found, of = _found(searches, threshold)
    return np.asarray((of - found) / of, np.float64)


def rank1(searches: Mated) -> float:
    """The share of members' searches whose right member stands first, whatever the score."""
    _ordered(searches.hits, "mated")
    return float(searches.right.mean())


def threshold_at_fpir(top: ArrayLike, target: float) -> float:
    """The lowest threshold whose FPIR is at most `target`; -inf when everything may pass."""
    ordered = _ordered(top, "nonmated")
    rate_checked(target, "target FPIR")
    scored = ordered[~np.isnan(ordered)][::-1]  # best first
    allowed = _allowed(target, ordered.size)
    if allowed >= scored.size:
        return float("-inf")
    # Just above the first score that must not pass, so that its ties do not pass either.
    return float(np.nextafter(scored[allowed], np.inf))


def fnir_at_fpir(searches: Mated, top: ArrayLike, target: float) -> float:
    """FNIR at the lowest threshold that keeps the FPIR at or under `target`."""
    at = threshold_at_fpir(top, target)
    # nextafter(inf) is inf, and would let a score of inf pass after all.
    blocked = at == np.inf and bool(np.any(np.asarray(top) == np.inf))
    return 1.0 if blocked else float(fnir(searches, at))


def _found(searches: Mated, threshold: ArrayLike) -> tuple[NDArray[np.intp], int]:
    ordered = _ordered(searches.hits, "mated")
    hits = ordered[~np.isnan(ordered)]
    below = np.searchsorted(hits, np.asarray(threshold, np.float64), side="left")
    return np.asarray(hits.size - below), ordered.size


def _allowed(target: float, searches: int) -> int:
    # 0.29 × 100 is 29, not 28.999999999999996 and therefore 28.
    return int(np.floor(target * searches * (1 + 1e-12)))


def _ordered(scores: ArrayLike, name: str) -> Floats:
    array = np.sort(np.asarray(scores, np.float64))  # NaN last
    if array.size == 0:
        raise NotEnoughData(
            f"There are no {name} searches.", next_step="A rate of nothing is not zero."
        )
    return array
