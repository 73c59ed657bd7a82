"""How far a figure can be trusted: intervals for independent and for dependent trials.

Captures of one person resemble each other, and so do searches of one fridge. Independent are only
people and fridges; the bootstrap therefore draws those, both at once (the pigeonhole bootstrap of
Owen 2007, which errs on the wide side), and never single trials.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from visavox.errors import DataError, NotEnoughData
from visavox.training.metrics.scores import Floats, rate_checked

LEVEL = 0.95
FEW = 10
"""With fewer erring people than this, resampling them does not show what another draw would."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends of a confidence interval."""

    low: float
    high: float


def wilson(errors: float, trials: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval for `errors` in so many independent trials."""
    _counts(errors, trials)
    z = float(ndtri(0.5 + rate_checked(level, "level") / 2))
    p, spread = errors / trials, z * z / trials
    middle = (p + spread / 2) / (1 + spread)
    half = z / (1 + spread) * float(np.sqrt(p * (1 - p) / trials + spread / (4 * trials)))
    return Interval(
        0.0 if errors == 0 else max(0.0, middle - half),
        1.0 if errors == trials else min(1.0, middle + half),
    )


def clopper_pearson(errors: float, trials: float, level: float = LEVEL) -> Interval:
    """The exact interval for `errors` in so many independent trials; counts may be fractions."""
    _counts(errors, trials)
    tail = (1 - rate_checked(level, "level")) / 2
    right = trials - errors
    return Interval(
        0.0 if errors == 0 else float(betaincinv(errors, right + 1, tail)),
        1.0 if right == 0 else float(betaincinv(errors + 1, right, 1 - tail)),
    )


def rule_of_three(trials: int, level: float = LEVEL) -> float:
    """The error rate that no errors in `trials` independent trials still allow: about 3/n."""
    _counts(0, trials)
    return float(1 - (1 - rate_checked(level, "level")) ** (1 / trials))


def people_needed(rate: float, level: float = LEVEL) -> int:
    """How many independent trials without any error it takes to prove a rate of at most `rate`."""
    if not 0 < rate_checked(rate, "rate") < 1:
        raise DataError(
            f"No number of trials proves an error rate of at most {rate}.",
            next_step="Ask for a rate above 0 and below 1.",
        )
    return int(np.ceil(np.log(1 - level) / np.log1p(-rate) - 1e-9))


@dataclass(frozen=True, slots=True)
class Resamples:
    """How often each person and each fridge was drawn, per replicate."""

    people: NDArray[np.float64]  # (R, P)
    fridges: NDArray[np.float64]  # (R, F)

    def weights(self, people: NDArray[np.intp], fridges: NDArray[np.intp]) -> Floats:
        """(R, C) weights of cells, each one person at one fridge."""
        return np.asarray(self.people[:, people] * self.fridges[:, fridges], np.float64)


def resample(strata: ArrayLike, fridges: int, *, replicates: int, seed: int) -> Resamples:
    """Draw people with replacement within their stratum (one label per person), and fridges.

    A single fridge is never drawn away: its figures then speak of that fridge alone.
    """
    labels = np.asarray(strata)
    if labels.size == 0 or fridges < 1 or replicates < 1:
        raise NotEnoughData(
            f"Nothing can be drawn from {labels.size} people at {fridges} fridges "
            f"{replicates} times.",
            next_step="Give at least one of each.",
        )
    rng = np.random.default_rng(seed)
    people = np.zeros((replicates, labels.size))
    for label in np.unique(labels):
        of = np.flatnonzero(labels == label)
        people[:, of] = rng.multinomial(of.size, np.full(of.size, 1 / of.size), size=replicates)
    drawn = rng.multinomial(fridges, np.full(fridges, 1 / fridges), size=replicates)
    return Resamples(people, drawn.astype(np.float64))


def percentile(replicates: Floats, level: float = LEVEL) -> Interval:
    """The middle of the replicates; those that drew no trial of a kind (NaN) say nothing."""
    said = replicates[~np.isnan(replicates)]
    if said.size == 0:
        raise NotEnoughData(
            "No replicate of the bootstrap holds a trial of each kind.",
            next_step="Evaluate on more people.",
        )
    tail = (1 - rate_checked(level, "level")) / 2
    # method "higher"/"lower": no interpolation, so that an infinite replicate stays infinite.
    low = np.quantile(said, tail, method="lower")
    high = np.quantile(said, 1 - tail, method="higher")
    return Interval(float(low), float(high))


def rate_interval(
    rate: float, replicates: Floats, *, erring: int, people: int, level: float = LEVEL
) -> Interval:
    """Interval of an error rate made by `erring` of so many independent people.

    The bootstrap's, but where only a few erred also no narrower than the exact interval of as many
    independent trials as there are people: none erring is no proof of a rate of zero.
    """
    drawn = percentile(replicates, level)
    if FEW <= erring <= people - FEW:
        return drawn
    exact = clopper_pearson(min(rate, 1.0) * people, people, level)
    return Interval(min(drawn.low, exact.low), max(drawn.high, exact.high))


def _counts(errors: float, trials: float) -> None:
    if trials <= 0:
        raise NotEnoughData(
            "There are no trials.", next_step="Give at least one; a rate of nothing is not zero."
        )
    if not 0 <= errors <= trials:
        raise DataError(
            f"{errors} errors in {trials} trials cannot be.", next_step="Count them again."
        )
