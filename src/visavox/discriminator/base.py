"""One modality before any member is known: all that it takes to enrol a newcomer in milliseconds.

A fridge's own model is trained in minutes. Until then a newcomer is scored by PLDA, fitted on
strangers alone: their captures give the member's quadratic, and a line per number of captures
gives its worth as a log-likelihood ratio.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from visavox.discriminator.calibration import Calibration
from visavox.discriminator.plda import PROJECTION_SHAPES, PldaScorer, Projection, projection_of
from visavox.errors import BundleError
from visavox.parts import Array, pick
from visavox.table import Column
from visavox.types import Matrix, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class BaseScorer:
    """A scorer of no members yet."""

    FAMILY: ClassVar[str] = "base"

    projection: Projection
    between: NDArray[np.float64]  # (d,) ψ of PLDA
    slope: NDArray[np.float64]  # (C,) of members enrolled with 1, 2, … captures
    offset: NDArray[np.float64]  # (C,)
    most: int  # captures per member beyond which more are not trusted to tell more

    @property
    def dimension(self) -> int:
        return len(self.projection.mean)

    @property
    def width(self) -> int:
        return 0

    def raw(self, vectors: Vectors) -> Matrix:
        return np.empty((len(vectors), 0))

    def enrol(self, columns: list[Column]) -> tuple[PldaScorer, Calibration, NDArray[np.bool_]]:
        """One member per column: their quadratics, their calibration, and who gave anything."""
        counts = np.array([int(c.present.sum()) for c in columns], dtype=np.intp)
        means = np.zeros((len(columns), len(self.between)))
        for i, column in enumerate(columns):
            if counts[i]:
                means[i] = self.projection(column.vectors[column.present]).mean(axis=0)
        trusted = np.minimum(counts, self.most).astype(np.float64)
        which = np.clip(counts, 1, len(self.slope)) - 1
        return (
            PldaScorer.enrol(self.projection, self.between, means, trusted),
            Calibration(self.slope[which], self.offset[which]),
            counts > 0,
        )

    def tensors(self) -> dict[str, Array]:
        return self.projection.tensors() | {
            "between": self.between,
            "lines.slope": self.slope,
            "lines.offset": self.offset,
            "most": np.array([float(self.most)]),
        }

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        own = {"between": "d", "lines.slope": "c", "lines.offset": "c", "most": "o"}
        t = pick(tensors, PROJECTION_SHAPES | own)
        if not len(t["lines.slope"]) or (t["lines.slope"] <= 0).any() or len(t["most"]) != 1:
            raise BundleError(
                "The stored base holds no calibration that rises.",
                next_step="Restore the base bundle, or fit it again.",
            )
        return cls(
            projection_of(t), t["between"], t["lines.slope"], t["lines.offset"], int(t["most"][0])
        )
