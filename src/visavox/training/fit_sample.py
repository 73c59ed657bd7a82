"""Which of many trials to fit on: the foreign ones grow with the square of the cohort.

A fit of a few parameters learns next to nothing from the millionth trial that is clearly foreign,
and much from each that is nearly taken for genuine. So all of those are kept, and of the others a
sample whose trials stand for as many as were left out: the cost that is minimised stays, on
average, the cost over all trials.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavox.table import Mask
from visavox.training.fit_logit import Floats

FOREIGN = 60_000
"""Foreign trials that are fitted on, at the most; half of them are those that look most genuine."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows of the trials, and how many trials each row stands for."""

    rows: NDArray[np.intp]
    share: Floats


def sample(score: Floats, target: Mask, *, limit: int = FOREIGN) -> Sample:
    """All genuine trials and at most `limit` foreign ones; `score` is the higher, the more genuine.

    The same trials give the same sample.
    """
    foreign = np.flatnonzero(~target)
    if len(foreign) <= limit:
        return Sample(np.arange(len(target), dtype=np.intp), np.ones(len(target)))
    hard = limit // 2
    order = np.argpartition(score[foreign], len(foreign) - hard)
    rest = foreign[order[: len(foreign) - hard]]
    drawn = np.random.default_rng(0).choice(len(rest), size=limit - hard, replace=False)
    rows = np.sort(np.concatenate([np.flatnonzero(target), foreign[order[-hard:]], rest[drawn]]))
    share = np.ones(len(target))
    share[rest] = len(rest) / (limit - hard)
    return Sample(rows.astype(np.intp), share[rows])
