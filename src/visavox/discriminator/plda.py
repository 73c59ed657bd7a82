"""Two-covariance PLDA: how likely is it that one person made both, against two people?

A person is y ~ N(0, B), a capture of them x = y + e with e ~ N(0, W). In the basis stored here
W is the identity and B = diag(ψ), so every dimension stands alone. With n enrolment captures of
mean m,

    x | same person ~ N(c·m, v),  c = nψ / (1 + nψ),  v = 1 + ψ / (1 + nψ)
    x | stranger    ~ N(0, 1 + ψ)

and the log-likelihood ratio is a quadratic in x: two matrix products for any number of members.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from visavox.parts import Array, pick
from visavox.types import Matrix, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Embedding → the space of PLDA: centred, projected, length-normalised, rotated."""

    mean: NDArray[np.float64]  # (D,)
    reduce: NDArray[np.float64]  # (D, R) linear discriminants
    shift: NDArray[np.float64]  # (R,) mean after length normalisation
    rotate: NDArray[np.float64]  # (R, d) W becomes the identity, B diagonal

    def __call__(self, vectors: NDArray[np.floating]) -> Matrix:
        z = (vectors - self.mean) @ self.reduce
        # Length √R, so that each coordinate has unit variance, as the Gaussians assume.
        length = np.sqrt(np.einsum("nr,nr->n", z, z) / z.shape[1])
        z /= np.maximum(length, np.finfo(np.float64).tiny)[:, None]
        rotated: Matrix = (z - self.shift) @ self.rotate
        return rotated

    def tensors(self) -> dict[str, Array]:
        return {
            "mean": self.mean,
            "reduce": self.reduce,
            "shift": self.shift,
            "rotate": self.rotate,
        }


@dataclass(frozen=True, slots=True, eq=False)
class PldaScorer:
    """Members as the three coefficients of their quadratic."""

    FAMILY: ClassVar[str] = "plda"

    projection: Projection
    square: NDArray[np.float64]  # (d, M)
    linear: NDArray[np.float64]  # (d, M)
    constant: NDArray[np.float64]  # (M,)

    @classmethod
    def enrol(
        cls,
        projection: Projection,
        between: NDArray[np.float64],
        means: Matrix,
        counts: NDArray[np.float64],
    ) -> Self:
        """Members from the means (M, d) of their projected captures, and how many there were.

        `between` (d,) is ψ. A member of zero captures scores 0 against everybody.
        """
        n, psi = counts[None, :], between[:, None]  # (1, M), (d, 1)
        gain = n * psi / (1 + n * psi)  # (d, M)
        variance = 1 + psi / (1 + n * psi)
        expected = gain * np.where(counts > 0, means.T, 0.0)
        return cls(
            projection,
            0.5 * (1 / (1 + psi) - 1 / variance),
            expected / variance,
            0.5 * (np.log1p(psi) - np.log(variance) - expected**2 / variance).sum(axis=0),
        )

    @property
    def dimension(self) -> int:
        return len(self.projection.mean)

    @property
    def width(self) -> int:
        return len(self.constant)

    def raw(self, vectors: Vectors) -> Matrix:
        x = self.projection(vectors)
        scores: Matrix = x**2 @ self.square + x @ self.linear + self.constant
        return scores

    def tensors(self) -> dict[str, Array]:
        own = {"square": self.square, "linear": self.linear, "constant": self.constant}
        return self.projection.tensors() | own

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        t = pick(tensors, PROJECTION_SHAPES | {"square": "dm", "linear": "dm", "constant": "m"})
        return cls(projection_of(t), t["square"], t["linear"], t["constant"])


PROJECTION_SHAPES = {"mean": "e", "reduce": "er", "shift": "r", "rotate": "rd"}


def projection_of(t: Mapping[str, Array]) -> Projection:
    return Projection(t["mean"], t["reduce"], t["shift"], t["rotate"])
