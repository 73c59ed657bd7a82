"""Many captures at once, as arrays: what features stores and what scoring reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from visavox.types import (
    FACE_QUALITY,
    VOICE_QUALITY,
    Embedding,
    Embeddings,
    Matrix,
    Modality,
    Rejected,
    Vectors,
)

Mask = NDArray[np.bool_]  # (N,)


@dataclass(frozen=True, slots=True)
class Column:
    """One modality of N captures. Rows that are not `present` hold NaN and must not be read."""

    vectors: Vectors  # (N, D), unit length
    present: Mask  # (N,)
    quality: NDArray[np.float32]  # (N, Q), in the order of FACE_QUALITY or VOICE_QUALITY
    reasons: tuple[str, ...]  # (N,) why a row is absent, "" where it is present

    def take(self, rows: NDArray[np.intp] | Mask) -> "Column":
        reasons = np.asarray(self.reasons, dtype=object)[rows]
        return Column(self.vectors[rows], self.present[rows], self.quality[rows], tuple(reasons))


@dataclass(frozen=True, slots=True)
class EmbeddingTable:
    """N captures as the Characterizer sees them, in the order of `captures`."""

    captures: tuple[str, ...]
    face: Column
    voice: Column

    def __len__(self) -> int:
        return len(self.captures)

    def column(self, modality: Modality) -> Column:
        return self.face if modality is Modality.FACE else self.voice

    def take(self, rows: NDArray[np.intp] | Mask) -> "EmbeddingTable":
        captures = tuple(np.asarray(self.captures, dtype=object)[rows])
        return EmbeddingTable(captures, self.face.take(rows), self.voice.take(rows))

    @classmethod
    def of(
        cls, captures: Sequence[str], seen: Sequence[Embeddings], *, face_dim: int, voice_dim: int
    ) -> Self:
        """A table of single captures; the dimensions serve where no row has the modality."""
        return cls(
            tuple(captures),
            _column([e.face for e in seen], face_dim, FACE_QUALITY),
            _column([e.voice for e in seen], voice_dim, VOICE_QUALITY),
        )


def _column(cells: Sequence[Embedding | Rejected], dim: int, names: Sequence[str]) -> Column:
    vectors = np.full((len(cells), dim), np.nan, np.float32)
    quality = np.full((len(cells), len(names)), np.nan, np.float32)
    for i, cell in enumerate(cells):
        if isinstance(cell, Embedding):
            vectors[i] = cell.vector
            quality[i] = [cell.quality[name] for name in names]
    return Column(
        vectors,
        np.array([isinstance(c, Embedding) for c in cells], dtype=np.bool_),
        quality,
        tuple(c.reason.value if isinstance(c, Rejected) else "" for c in cells),
    )


@dataclass(frozen=True, slots=True)
class Scores:
    """Calibrated LLRs (natural log) of N probes against M members.

    Rows of a modality that the probe does not have are NaN; `fused` is NaN only where both are.
    """

    members: tuple[str, ...]
    face: Matrix  # (N, M)
    voice: Matrix  # (N, M)
    fused: Matrix  # (N, M)
