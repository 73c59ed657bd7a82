"""Error rates that were counted, and how far they can be trusted; without what training needs."""

import math
from dataclasses import dataclass

import numpy as np

from visavox.errors import DataError

LEVEL = 0.95
_HALVINGS = 60
"""Bisections of [0, 1]: more than a float can tell apart."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many errors in so many independent trials, with the exact interval.

    Without trials the rate is None and the interval says nothing: 0 to 1.
    """

    errors: int
    trials: int
    rate: float | None
    low: float
    high: float

    @classmethod
    def of(cls, errors: int, trials: int, level: float = LEVEL) -> "Rate":
        """The rate with its Clopper-Pearson interval."""
        low, high = clopper_pearson(errors, trials, level)
        return cls(errors, trials, errors / trials if trials else None, low, high)


def clopper_pearson(errors: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Both ends of the exact interval; it holds for a number of trials fixed beforehand."""
    if trials < 0 or not 0 <= errors <= trials:
        raise DataError(
            f"{errors} errors in {trials} trials cannot be.", next_step="Count them again."
        )
    tail = (1 - level) / 2
    low = 0.0 if errors == 0 else _where(errors, trials, tail)
    # As many or fewer errors at p are as many or more non-errors at 1 - p.
    high = 1.0 if errors == trials else 1.0 - _where(trials - errors, trials, tail)
    return low, high


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of paired differences; the interval is the normal approximation, None below two."""

    count: int
    mean: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> "Mean":
        """The mean at 95 %."""
        if not len(values):
            return cls(0, None, None, None)
        mean = float(values.mean())
        if len(values) < 2:
            return cls(1, mean, None, None)
        half = 1.959964 * float(values.std(ddof=1)) / math.sqrt(len(values))
        return cls(len(values), mean, mean - half, mean + half)


def _where(at_least: int, trials: int, tail: float) -> float:
    """The p at which P(X >= at_least) = tail, for X binomial in `trials`."""
    k = np.arange(at_least, trials + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    ways = logs[trials] - logs[k] - logs[trials - k]
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        p = (low + high) / 2
        terms = ways + k * math.log(p) + (trials - k) * math.log1p(-p)
        if float(np.exp(terms).sum()) < tail:
            low = p
        else:
            high = p
    return (low + high) / 2
