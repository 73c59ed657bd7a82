"""A small net whose last class is *nobody*.

A softmax over members alone makes a lone member match everybody. Here a member's score is how
much more probable the net holds them than nobody, and the share that each class had in training
is taken out again, so what is left is a likelihood ratio.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from visavox.discriminator.plda import PROJECTION_SHAPES, Projection, projection_of
from visavox.parts import Array, pick
from visavox.types import Matrix, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class MlpScorer:
    """Dense, ReLU, dense; dropout is for training alone."""

    FAMILY: ClassVar[str] = "mlp"

    projection: Projection
    hidden: NDArray[np.float64]  # (d, H)
    hidden_bias: NDArray[np.float64]  # (H,)
    output: NDArray[np.float64]  # (H, M) each member's weights less nobody's
    output_bias: NDArray[np.float64]  # (M,) likewise, less the log of the classes' shares

    @property
    def dimension(self) -> int:
        return len(self.projection.mean)

    @property
    def width(self) -> int:
        return len(self.output_bias)

    def raw(self, vectors: Vectors) -> Matrix:
        # The softmax's denominator cancels in the ratio of two classes.
        active = np.maximum(self.projection(vectors) @ self.hidden + self.hidden_bias, 0.0)
        scores: Matrix = active @ self.output + self.output_bias
        return scores

    def tensors(self) -> dict[str, Array]:
        own = {"hidden": self.hidden, "hidden_bias": self.hidden_bias}
        own |= {"output": self.output, "output_bias": self.output_bias}
        return self.projection.tensors() | own

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        own = {"hidden": "dh", "hidden_bias": "h", "output": "hm", "output_bias": "m"}
        t = pick(tensors, PROJECTION_SHAPES | own)
        projection = projection_of(t)
        return cls(projection, t["hidden"], t["hidden_bias"], t["output"], t["output_bias"])
