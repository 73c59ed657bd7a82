"""The numbers whose distribution is watched. Training and serving take them from here alike."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visavox.table import EmbeddingTable, Scores
from visavox.types import FACE_QUALITY, VOICE_QUALITY, Embedding, Embeddings, Modality, Rejected

Floats = NDArray[np.float64]
Centres = Mapping[Modality, Floats]
"""The mean embedding of strangers, per modality."""

MEASURES: Mapping[Modality, tuple[str, ...]] = {
    Modality.FACE: FACE_QUALITY,
    Modality.VOICE: VOICE_QUALITY,
}
NORM = "norm"
SCORE, MARGIN = "score.known", "score.margin"

FEATURES: tuple[str, ...] = (
    *(f"{m.value}.{name}" for m in Modality for name in (*MEASURES[m], NORM)),
    SCORE,
    MARGIN,
)
"""All of them, in one order: so many hypotheses are tested at once."""


def centres(strangers: EmbeddingTable) -> dict[Modality, Floats]:
    """Where embeddings lie on average; a modality that nobody has given is not there."""
    found = {}
    for modality in Modality:
        column = strangers.column(modality)
        if column.present.any():
            found[modality] = column.vectors[column.present].mean(axis=0, dtype=np.float64)
    return found


def of_captures(table: EmbeddingTable, around: Centres) -> dict[str, Floats]:
    """Quality and norm of each capture; NaN where it has none."""
    found: dict[str, Floats] = {}
    for modality in Modality:
        column = table.column(modality)
        for i, name in enumerate(MEASURES[modality]):
            found[f"{modality.value}.{name}"] = column.quality[:, i].astype(np.float64)
        if modality in around:
            found[f"{modality.value}.{NORM}"] = _norms(column.vectors, around[modality])
    return found


def of_probe(seen: Embeddings, around: Centres) -> dict[str, float]:
    """The norms of one probe."""
    cells = ((Modality.FACE, seen.face), (Modality.VOICE, seen.voice))
    return {
        f"{m.value}.{NORM}": float(_norms(cell.vector[None], around[m])[0])
        for m, cell in cells
        if isinstance(cell, Embedding) and m in around and len(around[m]) == len(cell.vector)
    }


def of_quality(seen: Embeddings) -> dict[str, float]:
    """The quality of one probe's accepted modalities."""
    cells = ((Modality.FACE, seen.face), (Modality.VOICE, seen.voice))
    return {
        f"{m.value}.{name}": float(cell.quality[name])
        for m, cell in cells
        if isinstance(cell, Embedding)
        for name in MEASURES[m]
        if name in cell.quality
    }


def of_rejected(rejected: Sequence[Rejected]) -> dict[str, float]:
    """What was measured where quality refused: what is too dark to be judged is dark all the same."""
    return {
        f"{cell.modality.value}.{name}": float(cell.measured[name])
        for cell in rejected
        for name in MEASURES[cell.modality]
        if name in cell.measured
    }


def measured(seen: Embeddings) -> dict[str, float]:
    """The quality of a probe, accepted or not."""
    rejected = [cell for cell in (seen.face, seen.voice) if isinstance(cell, Rejected)]
    return of_quality(seen) | of_rejected(rejected)


def of_scores(scores: Scores) -> dict[str, Floats]:
    """The best LLR of each probe that is more likely a member's than nobody's, and its lead.

    Of the others nobody could say whether they should be known, so how many strangers come to the
    door must not look like drift.
    """
    fused = np.where(np.isnan(scores.fused), -np.inf, scores.fused)
    if fused.shape[1] == 0:
        return {}
    best = np.sort(fused, axis=1)[:, ::-1]
    known = best[:, 0] > 0
    found = {SCORE: np.where(known, best[:, 0], np.nan)}
    if fused.shape[1] > 1:
        lead = best[:, 0] - np.where(known, best[:, 1], 0.0)
        found[MARGIN] = np.where(known & np.isfinite(best[:, 1]), lead, np.nan)
    return found


def one_each(values: Floats, clusters: Sequence[Hashable]) -> Floats:
    """The mean of each cluster: captures of one visit are no independent witnesses."""
    at: dict[Any, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        if np.isfinite(value):
            at.setdefault(cluster, []).append(float(value))
    return np.array([np.mean(of) for of in at.values()], np.float64)


def _norms(vectors: NDArray[Any], centre: Floats) -> Floats:
    """Distances from the centre: the embeddings themselves are of length one."""
    found: Floats = np.linalg.norm(vectors.astype(np.float64) - centre, axis=1)
    return found
