"""What chance alone does to two distributions, drawn anew many times: the null of every test.

Nothing is assumed of the shape or the size of what is compared, so the level holds for windows of
any size. Most windows are steady, and a few draws show it; only where those do not, many are made.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from visavox.monitoring.features import Floats

Shares = NDArray[np.float64]  # (…, bins), each row sums to 1
Draw = Callable[[Generator, int], tuple[Shares, Shares]]
"""So many draws of reference and window, as they could be if nothing had changed."""

_CHUNK, _MOST = 1_000, 50_000
_PLAUSIBLE = 10
_RARE = 0.99


@dataclass(frozen=True, slots=True)
class Chance:
    """How often chance moves both statistics as far as was seen, and where it rarely gets."""

    p: float  # of the rarer of both, not corrected
    psi: float  # chance alone stays below it 99 times of 100
    ks: float


def psi(one: Shares, other: Shares, n: float) -> Floats:
    """Population stability index over the last axis; each bin is given half an observation of n."""
    p, q = ((shares * n + 0.5) / (n + 0.5 * shares.shape[-1]) for shares in (one, other))
    found: Floats = ((p - q) * np.log(p / q)).sum(axis=-1)
    return found


def ks(one: Shares, other: Shares, *, ordered: bool = True) -> Floats:
    """The largest distance of the cumulative shares; of categories, the share that has moved."""
    apart = one - other
    found: Floats
    if ordered:
        found = np.abs(np.cumsum(apart, axis=-1)).max(axis=-1)
    else:
        found = np.abs(apart).sum(axis=-1) / 2
    return found


def measured(
    seen: tuple[Shares, Shares], draw: Draw, *, n: float, seed: list[int], ordered: bool = True
) -> Chance:
    """Where what was seen stands among what chance does; the same seed, the same answer.

    Drawing stops as soon as chance has got as far ten times (Besag and Clifford 1991): what is
    plausible is seen to be so at once, and only what is not costs all the draws.
    """
    rng = np.random.default_rng(seed)
    # What is equal but for rounding is as extreme.
    far, apart = psi(*seen, n) - 1e-9, ks(*seen, ordered=ordered) - 1e-9
    beyond, draws = np.zeros(2, np.int64), 0
    rare: tuple[float, float] | None = None
    while draws < _MOST and beyond.min() < _PLAUSIBLE:
        drawn = draw(rng, _CHUNK)
        psis, kss = psi(*drawn, n), ks(*drawn, ordered=ordered)
        beyond += [(psis >= far).sum(), (kss >= apart).sum()]
        draws += _CHUNK
        if rare is None:
            rare = float(np.quantile(psis, _RARE)), float(np.quantile(kss, _RARE))
    assert rare is not None
    return Chance((int(beyond.min()) + 1) / (draws + 1), *rare)


def pooled(reference: NDArray[np.int64], window: NDArray[np.int64]) -> Draw:
    """Independent observations: any of them could have fallen into the window."""
    both, n = reference + window, int(window.sum())

    def draw(rng: Generator, draws: int) -> tuple[Shares, Shares]:
        taken = rng.multivariate_hypergeometric(both, n, size=draws, method="marginals")
        return (both - taken) / max(int(reference.sum()), 1), taken / n

    return draw


def within(reference: NDArray[np.intp], window: list[NDArray[np.intp]], bins: int) -> Draw:
    """One observation of each person against several later ones: any of theirs could be the first.

    Whoever is seen more often than others weighs no more. `reference` and `window` hold bins.
    """
    people, most = len(reference), max(map(len, window)) + 1
    sizes = np.array([len(w) + 1 for w in window])
    marks = np.zeros((people, most, bins))
    for i, (first, later) in enumerate(zip(reference, window, strict=True)):
        marks[i, np.arange(sizes[i]), np.r_[first, later]] = 1.0
    every = marks.sum(axis=1)  # (people, bins)
    rows = np.arange(people)

    def draw(rng: Generator, draws: int) -> tuple[Shares, Shares]:
        firsts = marks[rows, rng.integers(0, sizes, (draws, people))]  # (draws, people, bins)
        later = (every - firsts) / (sizes - 1)[:, None]
        return firsts.mean(axis=1), later.mean(axis=1)

    return draw


def log_fewest_pooled(reference: int, window: int) -> float:
    """Logarithm of how many ways there are to draw: no p-value is smaller than one of them."""
    total = reference + window
    return math.lgamma(total + 1) - math.lgamma(window + 1) - math.lgamma(reference + 1)


def log_fewest_within(window: list[NDArray[np.intp]]) -> float:
    """As `log_fewest_pooled`."""
    return sum(math.log(len(w) + 1) for w in window)
