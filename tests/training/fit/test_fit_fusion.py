"""Fusion weights on trials whose right weights are known."""

import numpy as np

from visavox.fusion import Fusion
from visavox.table import Column, EmbeddingTable
from visavox.training.fit_fusion import fit_fusion

ROWS = 6000


def table(face_quality: np.ndarray, voice_quality: np.ndarray) -> EmbeddingTable:
    columns = [
        Column(
            np.zeros((ROWS, 1), np.float32),
            ~np.isnan(q).all(axis=1),
            q.astype(np.float32),
            ("",) * ROWS,
        )
        for q in (face_quality, voice_quality)
    ]
    return EmbeddingTable(tuple(map(str, range(ROWS))), columns[0], columns[1])


def trials(seed: int, strength: float = 2.0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    target = rng.uniform(size=ROWS) < 0.3
    llr = [
        np.where(target, 0.5, -0.5) * strength**2 + strength * rng.standard_normal(ROWS)
        for _ in range(2)
    ]
    return llr[0], llr[1], target, rng.uniform(size=(ROWS, 4)), rng.uniform(size=(ROWS, 3))


def fused(seen: EmbeddingTable, face: np.ndarray, voice: np.ndarray, target: np.ndarray) -> Fusion:
    return fit_fusion(seen, np.arange(ROWS), face, voice, target, prior=0.5, people=300)


def test_independent_calibrated_evidence_adds_up() -> None:
    face, voice, target, fq, vq = trials(0)
    fusion = fused(table(fq, vq), face, voice, target)
    np.testing.assert_allclose([fusion.face.weight, fusion.voice.weight], 1.0, atol=0.12)
    assert abs(fusion.bias) < 0.2
    np.testing.assert_allclose(fusion.face_alone.weight, 1.0, atol=0.12)


def test_an_overconfident_expert_is_heard_less() -> None:
    face, voice, target, fq, vq = trials(1)
    fusion = fused(table(fq, vq), face * 3, voice, target)
    np.testing.assert_allclose(fusion.face.weight, 1 / 3, atol=0.06)
    np.testing.assert_allclose(fusion.face_alone.weight, 1 / 3, atol=0.06)


def test_a_quality_that_matters_is_used_and_one_that_does_not_is_not() -> None:
    face, voice, target, fq, vq = trials(2)
    bad = fq[:, 1] < 0.5
    face = np.where(bad, np.random.default_rng(3).permutation(face), face)
    fusion = fused(table(fq, vq), face, voice, target)
    assert fusion.face.tilt[1] > 0.1
    assert np.abs(np.delete(fusion.face.tilt, 1)).max() < 0.5 * fusion.face.tilt[1]
    assert np.abs(fusion.voice.tilt).max() < 0.5 * fusion.face.tilt[1]


def test_weights_stay_positive_for_every_quality() -> None:
    face, voice, target, fq, vq = trials(4)
    backwards = np.where(fq[:, 0] < 0.3, -face, face)
    fusion = fused(table(fq, vq), backwards, voice, target)
    weights = fusion.face(fusion.face_scale(fq.astype(np.float32)))
    assert weights.min() > 0


def test_a_quality_without_spread_and_one_that_is_unknown_do_no_harm() -> None:
    face, voice, target, fq, vq = trials(5)
    fq[:, 2] = 0.7
    vq[:100] = np.nan
    voice[:100] = np.nan
    fusion = fused(table(fq, vq), face, voice, target)
    assert fusion.face.tilt[2] == 0
    assert all(np.isfinite(a).all() for a in fusion.tensors().values())


def test_without_trials_of_both_kinds_evidence_simply_adds_up() -> None:
    face, voice, _, fq, vq = trials(6)
    fusion = fused(table(fq, vq), face, voice, np.zeros(ROWS, np.bool_))
    assert (fusion.face.weight, fusion.voice.weight, fusion.bias) == (1, 1, 0)
