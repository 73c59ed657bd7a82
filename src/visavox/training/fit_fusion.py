"""Weights of face, voice and quality, from simulated fridges."""

import numpy as np

from visavox.fusion import Fusion, Hearing, QualityScale
from visavox.table import EmbeddingTable, Mask
from visavox.training.fit_logit import Floats, logit_weights
from visavox.training.fit_sample import sample

TILT_SPREAD = 0.3
"""Prior standard deviation of a quality's pull on a weight: a third per unit of its spread."""


def fit_fusion(
    table: EmbeddingTable,
    row: np.ndarray[tuple[int], np.dtype[np.intp]],
    face: Floats,
    voice: Floats,
    target: Mask,
    *,
    prior: float,
    people: int,
) -> Fusion:
    """From calibrated LLRs (T,) of both modalities, NaN where missing, and the probes' rows.

    Calibrated LLRs of independent evidence simply add up; the weights are drawn to 1, the bias
    and the tilts to 0.
    """
    scales = tuple(_scale(c.quality[c.present]) for c in (table.face, table.voice))
    z_face, z_voice = scales[0](table.face.quality), scales[1](table.voice.quality)
    both = ~np.isnan(face) & ~np.isnan(voice)
    ways = {
        "both": (both, [(face, z_face), (voice, z_voice)]),
        "face": (~np.isnan(face), [(face, z_face)]),
        "voice": (~np.isnan(voice), [(voice, z_voice)]),
    }
    fitted: dict[str, tuple[list[Hearing], float]] = {}
    for name, (known, experts) in ways.items():
        trials = np.flatnonzero(known)
        # Calibrated LLRs that are added up: close to what is fitted here.
        chosen = sample(np.sum([llr[trials] for llr, _ in experts], axis=0), target[trials])
        at = trials[chosen.rows]
        columns, spread = [np.ones(len(at))], [1.0]
        for llr, z in experts:
            columns += [llr[at], *(llr[at] * z[row[at], q] for q in range(z.shape[1]))]
            spread += [1.0, *[TILT_SPREAD] * z.shape[1]]
        centre = np.zeros(len(columns))
        starts = np.cumsum([1, *(1 + z.shape[1] for _, z in experts)])
        centre[starts[:-1]] = 1.0
        theta = centre
        if target[at].any() and not target[at].all():
            theta = logit_weights(
                np.column_stack(columns),
                target[at],
                prior=prior,
                centre=centre,
                spread=np.array(spread),
                people=people,
                share=chosen.share,
            )
        hearings = [
            _positive(theta[a:b], z)
            for a, b, (_, z) in zip(starts, starts[1:], experts, strict=False)
        ]
        fitted[name] = hearings, float(theta[0])
    (h_face, h_voice), bias = fitted["both"]
    (face_alone,), face_bias = fitted["face"]
    (voice_alone,), voice_bias = fitted["voice"]
    return Fusion(
        scales[0], scales[1], h_face, h_voice, bias, face_alone, face_bias, voice_alone, voice_bias
    )


def _scale(quality: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> QualityScale:
    """Ranges without the outermost hundredth on either side, which one odd capture would set."""
    low, centre, high = np.nanpercentile(quality.astype(np.float64), [1, 50, 99], axis=0)
    spread = np.nanstd(np.clip(quality, low, high), axis=0)
    return QualityScale(low, high, centre, np.where(spread > 1e-9, spread, 1.0))


def _positive(theta: Floats, z: Floats) -> Hearing:
    """A weight that stays positive for every quality seen: tilts are shortened if need be."""
    weight, tilt = max(float(theta[0]), 1e-3), theta[1:]
    pull = float(np.abs(z @ tilt).max(initial=0.0))
    return Hearing(weight, tilt * min(1.0, 0.9 * weight / max(pull, 1e-12)))
