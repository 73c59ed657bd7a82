"""The door of every metric: what comes in must be scores."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visavox.errors import DataError, NotEnoughData

Floats = NDArray[np.float64]


def checked(scores: ArrayLike, name: str) -> Floats:
    """`scores` as a flat, non-empty array without NaN; ±inf is allowed."""
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1:
        raise DataError(
            f"The {name} scores must be one row of numbers, but have the shape {array.shape}.",
            next_step="Give one score per comparison.",
        )
    if array.size == 0:
        raise NotEnoughData(
            f"There are no {name} scores.",
            next_step="Give at least one; a rate of nothing is not zero.",
        )
    missing = int(np.isnan(array).sum())
    if missing:
        raise DataError(
            f"{missing} of {array.size} {name} scores are NaN.",
            next_step="Leave out what could not be scored, and report it as failure to acquire.",
        )
    return array


def rate_checked(value: float, name: str) -> float:
    """A share between 0 and 1."""
    if not 0.0 <= value <= 1.0:
        raise DataError(
            f"The {name} must lie between 0 and 1, but is {value}.", next_step="Give a share."
        )
    return float(value)
