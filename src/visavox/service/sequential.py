"""Whether a challenger is proven, however often somebody looks: tests by betting.

Each request gives a difference d of -1, 0 or 1: errors of the challenger less errors of the
champion. A gambler bets against a null hypothesis about the mean of d, at odds that are fair under
it, so that their wealth is expected to stay what it was. By Ville's inequality it ever reaches
1/alpha with a probability of at most alpha, at whatever moment one looks; so a verdict may be
taken at any time, again and again, and errs no more often than was stated.

How much to bet nobody knows beforehand, so the wealth is split among several stakes, and is their
mean. It depends on the three counts alone, not on their order. See Waudby-Smith and Ramdas,
"Estimating means of bounded random variables by betting" (2024).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STAKES = np.array([*np.arange(1, 16) / 16, 1.0])
"""Shares of the largest stake that cannot lose more than all."""
_SPLIT = np.array([*np.full(15, 0.5 / 15), 0.5])
"""Half of the wealth bets that nothing will ever be worse: without any disagreement that is all but
the rule of three. It is lost with the first one; the other half bets on."""
_ALL = -1e250
"""The logarithm of next to nothing."""

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tally:
    """In how many requests the challenger was better, the same and worse than the champion."""

    better: int
    equal: int
    worse: int

    @property
    def trials(self) -> int:
        return self.better + self.equal + self.worse


def no_worse(tally: Tally, margin: float) -> float:
    """The evidence against "its error rate is higher by `margin` or more"; 1 to begin with."""
    return _evidence(log_no_worse(tally.better, tally.equal, tally.worse, margin))


def harmful(tally: Tally) -> float:
    """The evidence against "its error rate is no higher"; 1 to begin with."""
    return _evidence(log_harmful(tally.better, tally.worse))


def log_no_worse(better: ArrayLike, equal: ArrayLike, worse: ArrayLike, margin: float) -> Counts:
    """`no_worse` of many tallies at once, as natural logarithms."""
    stakes = _STAKES / (1 - margin)
    return _mixture([(better, stakes * (1 + margin)), (equal, stakes * margin), (worse, -_STAKES)])


def log_harmful(better: ArrayLike, worse: ArrayLike) -> Counts:
    """`harmful` of many tallies at once, as natural logarithms."""
    return _mixture([(better, -_STAKES), (worse, _STAKES)])


def needed(margin: float, alpha: float) -> int:
    """Requests without any disagreement that prove a challenger no worse by `margin`."""
    low, high = 0, 1
    while log_no_worse(0, high, 0, margin) < -math.log(alpha):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if log_no_worse(0, middle, 0, margin) < -math.log(alpha):
            low = middle
        else:
            high = middle
    return high


def _mixture(payoffs: list[tuple[ArrayLike, Counts]]) -> Counts:
    """Log wealth: each count times the log of what one such request pays per stake."""
    wealth = np.log(_SPLIT)
    for count, gain in payoffs:
        with np.errstate(divide="ignore"):
            # Of all that was staked nothing is left; and 0 times that is no loss.
            paid = np.maximum(np.log1p(np.maximum(gain, -1.0)), _ALL)
        wealth = wealth + np.asarray(count, np.float64)[..., None] * paid
    most = wealth.max(axis=-1)
    return np.asarray(most + np.log(np.exp(wealth - most[..., None]).sum(axis=-1)), np.float64)


def _evidence(log: Counts) -> float:
    """As a plain number, which JSON can hold."""
    return float(math.exp(min(float(log), 690.0)))
