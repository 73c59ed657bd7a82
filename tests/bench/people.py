"""Embeddings with the shape of real ones, for costs that do not depend on their values."""

import numpy as np
from numpy.typing import NDArray

from visavox.table import Column, EmbeddingTable
from visavox.types import FACE_QUALITY, VOICE_QUALITY


def crowd(
    people: int, captures: int, *, face_dim: int, voice_dim: int, seed: int
) -> tuple[EmbeddingTable, list[str]]:
    """`people` × `captures` unit vectors around a centre for each person, and whose they are."""
    rng = np.random.default_rng(seed)
    n = people * captures
    table = EmbeddingTable(
        tuple(f"c{i}" for i in range(n)),
        _column(rng, people, captures, face_dim, len(FACE_QUALITY)),
        _column(rng, people, captures, voice_dim, len(VOICE_QUALITY)),
    )
    return table, [f"p{i}" for i in range(people) for _ in range(captures)]


def _column(
    rng: np.random.Generator, people: int, captures: int, dim: int, qualities: int
) -> Column:
    centres = np.repeat(rng.standard_normal((people, dim)), captures, axis=0)
    vectors = centres + 0.6 * rng.standard_normal(centres.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    present: NDArray[np.bool_] = np.ones(len(vectors), dtype=np.bool_)
    quality = rng.uniform(0.2, 0.8, (len(vectors), qualities)).astype(np.float32)
    return Column(vectors.astype(np.float32), present, quality, ("",) * len(vectors))
