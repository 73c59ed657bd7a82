"""One logistic regression per member: these captures of theirs, against the whole cohort."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from visavox.discriminator.plda import PROJECTION_SHAPES, Projection, projection_of
from visavox.parts import Array, pick
from visavox.types import Matrix, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class LogisticScorer:
    """Log-odds that a probe is a member's, linear in the space that PLDA works in.

    A member's weights come from their captures and the cohort alone, so a new member is one
    more column, and nobody else's scores move.
    """

    FAMILY: ClassVar[str] = "logistic"

    projection: Projection
    weights: NDArray[np.float64]  # (d, M)
    bias: NDArray[np.float64]  # (M,)

    @property
    def dimension(self) -> int:
        return len(self.projection.mean)

    @property
    def width(self) -> int:
        return len(self.bias)

    def raw(self, vectors: Vectors) -> Matrix:
        scores: Matrix = self.projection(vectors) @ self.weights + self.bias
        return scores

    def tensors(self) -> dict[str, Array]:
        return self.projection.tensors() | {"weights": self.weights, "bias": self.bias}

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        t = pick(tensors, PROJECTION_SHAPES | {"weights": "dm", "bias": "m"})
        return cls(projection_of(t), t["weights"], t["bias"])
