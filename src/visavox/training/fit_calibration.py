"""Raw scores to LLRs: a line per number of enrolment captures."""

from dataclasses import dataclass

import numpy as np

from visavox.discriminator.calibration import Calibration
from visavox.errors import NotEnoughData
from visavox.table import Mask
from visavox.training.fit_cohort import Owners
from visavox.training.fit_logit import Floats, logit_weights
from visavox.training.fit_sample import sample
from visavox.training.fit_simulation import Side

_LEAST = 8
"""Genuine trials without which a number of captures gets no line of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """LLR = slope · raw + offset for members enrolled with 1, 2, … captures."""

    slope: Floats  # (C,)
    offset: Floats  # (C,)

    @classmethod
    def fit(cls, side: Side, target: Mask, *, prior: float, people: int, what: str) -> "Lines":
        """One line for all trials, then one per count, drawn to the common one.

        A count that too few people could play takes the line of the count below it: as if the
        member had been enrolled with fewer captures.
        """
        known = ~np.isnan(side.raw)
        raw, count, target = side.raw[known], side.count[known], target[known]
        if target.sum() < _LEAST or (~target).sum() < _LEAST:
            raise NotEnoughData(
                f"The cohort gives {int(target.sum())} genuine and {int((~target).sum())} foreign"
                f" {what} trials, {_LEAST} of each are needed to calibrate.",
                next_step="Add people to the cohort, with at least two captures each.",
            )
        common = _line(raw, target, _gaussian(raw, target), prior=prior, people=people)
        lines = [common]
        for n in range(1, int(count.max()) + 1):
            mine = count == n
            enough = target[mine].sum() >= _LEAST
            lines.append(
                _line(raw[mine], target[mine], common, prior=prior, people=people)
                if enough
                else lines[-1]
            )
        table = np.array(lines[1:])
        return cls(table[:, 0], table[:, 1])

    def __call__(self, counts: Owners) -> Calibration:
        """The calibration of members enrolled with `counts` captures each."""
        which = np.clip(counts, 1, len(self.slope)) - 1
        return Calibration(self.slope[which], self.offset[which])


def _gaussian(raw: Floats, target: Mask) -> Floats:
    """The line that is right if both kinds of trial are normal with a common variance."""
    genuine, foreign = raw[target], raw[~target]
    high, low = float(genuine.mean()), float(foreign.mean())
    variance = 0.5 * (float(genuine.var()) + float(foreign.var()))
    # A family that tells nobody apart still gets a rising line, if a flat one.
    slope = max((high - low) / max(variance, 1e-12), 1e-6)
    return np.array([slope, -slope * 0.5 * (high + low)])


def _line(raw: Floats, target: Mask, start: Floats, *, prior: float, people: int) -> Floats:
    """A rising line near `start` (slope, offset), by prior-weighted cross-entropy."""
    chosen = sample(raw, target)
    llr = raw[chosen.rows] * start[0] + start[1]  # in these units the answer is near (1, 0)
    a, b = logit_weights(
        np.column_stack([llr, np.ones_like(llr)]),
        target[chosen.rows],
        prior=prior,
        centre=np.array([1.0, 0.0]),
        spread=np.ones(2),
        people=people,
        share=chosen.share,
    )
    a = max(float(a), 1e-3)
    return np.array([a * start[0], a * start[1] + b])
