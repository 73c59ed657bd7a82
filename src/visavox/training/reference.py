"""What a fridge's scores and captures looked like when it was trained: the zero of drift.

Each distribution is kept as counts between quantiles, which the population stability index
compares directly, with open ends, so that whatever comes later falls into some bin.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visavox.discriminator import Discriminator
from visavox.monitoring import features
from visavox.table import EmbeddingTable, Scores
from visavox.types import FACE_QUALITY, VOICE_QUALITY, Modality

BINS = 10
_NAMES = {Modality.FACE: FACE_QUALITY, Modality.VOICE: VOICE_QUALITY}


def reference(
    served: Discriminator,
    held_out: Discriminator,
    genuine: EmbeddingTable,
    people: Sequence[str],
    strangers: EmbeddingTable,
    enrolment: EmbeddingTable,
    visits: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Histograms of scores and of quality, as JSON.

    Genuine scores are of captures that `held_out`, fitted without them, has not met. Strangers'
    scores are their highest against any member of `served`: what a stranger at the kiosk gets.
    `visits` says which captures of `enrolment` were taken together; without it each stands alone.
    """
    around, scores = features.centres(strangers), held_out.score(genuine)
    watched = {
        name: histogram(features.one_each(values, visits or enrolment.captures))
        for name, values in features.of_captures(enrolment, around).items()
    } | {
        name: histogram(features.one_each(values, people))
        for name, values in features.of_scores(scores).items()
    }
    return {
        "drift": {
            # Counts and edges alone: they go into a bundle that outlives those it learned from.
            "features": {
                name: {key: made[key] for key in ("edges", "counts")}
                for name, made in watched.items()
                if made["n"]
            },
            "centres": {m.value: centre.round(6).tolist() for m, centre in around.items()},
        },
        "scores": {
            "genuine": _own(scores, people),
            "stranger": _best(served.score(strangers)),
        },
        "quality": {
            m.value: {
                name: histogram(enrolment.column(m).quality[enrolment.column(m).present, i])
                for i, name in enumerate(_NAMES[m])
            }
            for m in Modality
        },
        "rejected": {
            m.value: dict(sorted(Counter(filter(None, enrolment.column(m).reasons)).items()))
            for m in Modality
        },
        "captures": len(enrolment),
    }


def histogram(values: NDArray[Any]) -> dict[str, Any]:
    """Counts between the quantiles of `values`; no edges where there are no values."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if len(known) == 0:
        return {"n": 0, "edges": [], "counts": [0]}
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return {
        "n": len(known),
        "edges": [float(e) for e in edges],
        "counts": [int(c) for c in counts],
        "mean": float(known.mean()),
        "sd": float(known.std()),
    }


def _own(scores: Scores, people: Sequence[str]) -> dict[str, Any]:
    column = {m: i for i, m in enumerate(scores.members)}
    at = np.array([column[p] for p in people], dtype=np.intp)
    rows = np.arange(len(at))
    return {
        name: histogram(llr[rows, at])
        for name, llr in (("fused", scores.fused), ("face", scores.face), ("voice", scores.voice))
    }


def _best(scores: Scores) -> dict[str, Any]:
    out = {}
    for name, llr in (("fused", scores.fused), ("face", scores.face), ("voice", scores.voice)):
        out[name] = histogram(np.where(np.isnan(llr), -np.inf, llr).max(axis=1, initial=-np.inf))
    return out
