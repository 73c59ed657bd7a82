"""Forgetting in figures: who is still told apart after which step, and how sure that is.

Row 0 is the net before any step; row k the net after learning step k. Column i is the people of
step i. An error is an equal error rate; a score is one minus it, so that more is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavox.training.characterizer.verification import Trials
from visavox.training.intervals import percentile
from visavox.training.metrics import eer

Floats = NDArray[np.float64]
Draws = Sequence[NDArray[np.int64]]  # one array of people per replicate


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval over people."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


def draws(people: int, replicates: int, seed: int) -> Draws:
    """People drawn with replacement; the same for all nets, so that differences are paired."""
    rng = np.random.default_rng((seed, people))
    return [rng.integers(people, size=people) for _ in range(replicates)]


def errors(of: Trials, drawn: Draws) -> Floats:
    """The equal error rate first, then that of each replicate: (1 + R,)."""
    rows = [np.flatnonzero(of.owner == p) for p in range(of.scores.shape[1])]
    found = [eer(of.mated, of.foreign)]
    for people in drawn:
        mated = np.concatenate([of.mated[rows[p]] for p in people])
        # A person drawn twice must not meet their own template as a stranger's.
        once = np.unique(people)
        if len(once) < 2:
            found.append(float("nan"))
            continue
        block = of.scores[np.concatenate([rows[p] for p in once])][:, once]
        own = np.repeat(np.arange(len(once)), [len(rows[p]) for p in once])
        found.append(eer(mated, Trials(block, own).foreign))
    return np.asarray(found, np.float64)


def separation(of: Trials) -> float:
    """d': the distance of mated and foreign cosines in units of their common spread."""
    spread = (of.mated.var() + of.foreign.var()) / 2
    return float((of.mated.mean() - of.foreign.mean()) / np.sqrt(spread))


def cells(of: Floats) -> list[list[Figure]]:
    """(S seeds, K+1 rows, K+1 columns, 1+R) errors → the forgetting matrix, mean over seeds."""
    mean = of.mean(axis=0)
    return [[figure(mean[k, i]) for i in range(mean.shape[1])] for k in range(mean.shape[0])]


def backward_transfer(of: Floats) -> Figure:
    """How much better (negative: worse) former people fare at the end than when they were new."""
    score = 1 - of.mean(axis=0)
    last = score.shape[0] - 1
    return figure(np.mean([score[last, i] - score[i, i] for i in range(last)], axis=0))


def learned(of: Floats) -> Figure:
    """How much better new people fare right after their step than before any of them."""
    score = 1 - of.mean(axis=0)
    return figure(np.mean([score[k, k] - score[0, k] for k in range(1, score.shape[0])], axis=0))


def at_the_end(of: Floats) -> Figure:
    """The mean error over everybody after the last step."""
    return figure(of.mean(axis=0)[-1].mean(axis=0))


def figure(replicates: Floats) -> Figure:
    """The first is the figure, the others are its bootstrap."""
    spread = percentile(replicates[1:])
    value = float(replicates[0])
    return Figure(value, min(value, spread.low), max(value, spread.high))
