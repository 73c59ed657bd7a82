"""From a family's raw score to a log-likelihood ratio: one rising line per member."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavox.types import Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """LLR = slope · raw + offset; one pair per member, since a member enrolled with five
    captures is known better than one enrolled with a single capture."""

    slope: NDArray[np.float64]  # (M,) > 0: a higher raw score never means a lower LLR
    offset: NDArray[np.float64]  # (M,)

    def __call__(self, raw: Matrix) -> Matrix:
        return raw * self.slope + self.offset
