"""Cosine to a member's template, normalised against the cohort from both sides (AS-norm).

A cosine of 0.6 is much for a face like no other and little for a common one. So it is read in
units of the member's own spread over their closest cohort captures, and of the probe's own
spread over its closest cohort people, and the mean of both is the score.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from visavox.errors import BundleError
from visavox.parts import Array, pick
from visavox.types import Matrix, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class PrototypeScorer:
    """One template per member, with the statistics of its closest cohort captures."""

    FAMILY: ClassVar[str] = "prototype"

    centre: NDArray[np.float64]  # (D,) mean of the cohort
    templates: NDArray[np.float64]  # (D, M) unit length
    mean: NDArray[np.float64]  # (M,) of each template's `top` highest cohort cosines
    spread: NDArray[np.float64]  # (M,) their standard deviation
    cohort: NDArray[np.float64]  # (D, C) unit length; what probes are held against
    top: int

    @property
    def dimension(self) -> int:
        return len(self.centre)

    @property
    def width(self) -> int:
        return len(self.mean)

    def raw(self, vectors: Vectors) -> Matrix:
        x = unit(vectors - self.centre)
        cosine = x @ self.templates  # (N, M)
        mean, spread = top_statistics(x @ self.cohort, self.top)  # (N,), (N,)
        return 0.5 * (
            (cosine - self.mean) / self.spread + (cosine - mean[:, None]) / spread[:, None]
        )

    def tensors(self) -> dict[str, Array]:
        return {
            "centre": self.centre,
            "templates": self.templates,
            "mean": self.mean,
            "spread": self.spread,
            "cohort": self.cohort,
            "top": np.array(float(self.top)),
        }

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        shapes = {"centre": "e", "templates": "em", "mean": "m", "spread": "m", "cohort": "ec"}
        t = pick(tensors, shapes | {"top": ""})
        top = int(t["top"])
        if not 0 < top <= t["cohort"].shape[1]:
            raise BundleError(
                f"The stored discriminator takes the {top} closest of {t['cohort'].shape[1]}.",
                next_step="Restore the bundle, or train it again.",
            )
        return cls(t["centre"], t["templates"], t["mean"], t["spread"], t["cohort"], top)


def unit(vectors: NDArray[np.floating]) -> Matrix:
    """Each row at length 1; a row of zeros stays one."""
    length = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    scaled: Matrix = vectors / np.maximum(length, np.finfo(np.float64).tiny)[:, None]
    return scaled


def top_statistics(scores: Matrix, top: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the `top` highest scores of each row."""
    highest = np.partition(scores, scores.shape[1] - top, axis=1)[:, -top:]
    # Equal scores have no spread; cosines differ by more than this when they differ at all.
    return highest.mean(axis=1), np.maximum(highest.std(axis=1), 1e-6)
