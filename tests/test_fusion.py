"""Fusion of two experts, with one of them silent, and with samples better or worse than known."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from visavox.fusion import Fusion, Hearing, QualityScale

llrs = arrays(np.float64, (3, 4), elements=st.floats(-50, 50))
face_quality = arrays(np.float32, (3, 4), elements=st.floats(-2, 3, width=32))
voice_quality = arrays(np.float32, (3, 3), elements=st.floats(-2, 3, width=32))


def scale(width: int) -> QualityScale:
    return QualityScale(np.zeros(width), np.ones(width), np.full(width, 0.5), np.full(width, 0.25))


FUSION = Fusion(
    face_scale=scale(4),
    voice_scale=scale(3),
    face=Hearing(0.9, np.array([0.1, -0.05, 0.0, 0.02])),
    voice=Hearing(1.1, np.array([0.1, 0.0, -0.1])),
    bias=0.3,
    face_alone=Hearing(0.8, np.array([0.1, 0.0, 0.0, 0.0])),
    face_alone_bias=-0.2,
    voice_alone=Hearing(0.7, np.array([0.0, 0.0, 0.1])),
    voice_alone_bias=0.1,
)


@given(llrs, llrs, face_quality, voice_quality, st.integers(0, 2), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_more_evidence_never_counts_against_a_member(
    face: np.ndarray, voice: np.ndarray, fq: np.ndarray, vq: np.ndarray, i: int, j: int
) -> None:
    before = FUSION(face, voice, fq, vq)
    better = face.copy()
    better[i, j] += 1.0
    after = FUSION(better, voice, fq, vq)
    assert after[i, j] >= before[i, j]
    changed = np.zeros_like(face, dtype=np.bool_)
    changed[i, j] = True
    np.testing.assert_array_equal(after[~changed], before[~changed])


@given(llrs, face_quality, voice_quality)
@settings(max_examples=30, deadline=None)
def test_a_silent_expert_leaves_the_other_with_its_own_weights(
    llr: np.ndarray, fq: np.ndarray, vq: np.ndarray
) -> None:
    silent = np.full_like(llr, np.nan)
    unknown = np.full_like(vq, np.nan)
    face_alone = FUSION(llr, silent, fq, unknown)
    weight = 0.8 + 0.1 * (np.clip(fq[:, :1], 0, 1) - 0.5) / 0.25
    np.testing.assert_allclose(face_alone, llr * weight - 0.2, atol=1e-4)

    voice_alone = FUSION(silent, llr, np.full_like(fq, np.nan), vq)
    weight = 0.7 + 0.1 * (np.clip(vq[:, 2:], 0, 1) - 0.5) / 0.25
    np.testing.assert_allclose(voice_alone, llr * weight + 0.1, atol=1e-4)


def test_each_cell_is_fused_by_what_it_has() -> None:
    face = np.array([[1.0, 1.0, np.nan, np.nan]])
    voice = np.array([[2.0, np.nan, 2.0, np.nan]])
    fused = FUSION(face, voice, np.full((1, 4), 0.5, np.float32), np.full((1, 3), 0.5, np.float32))
    np.testing.assert_allclose(fused, [[0.9 + 2.2 + 0.3, 0.8 - 0.2, 1.4 + 0.1, np.nan]])


@given(llrs, llrs, face_quality, voice_quality)
@settings(max_examples=30, deadline=None)
def test_quality_beyond_what_was_seen_counts_as_its_edge(
    face: np.ndarray, voice: np.ndarray, fq: np.ndarray, vq: np.ndarray
) -> None:
    np.testing.assert_array_equal(
        FUSION(face, voice, fq, vq), FUSION(face, voice, np.clip(fq, 0, 1), np.clip(vq, 0, 1))
    )


def test_unknown_quality_counts_as_average() -> None:
    llr = np.ones((1, 2))
    average = FUSION(llr, llr, np.full((1, 4), 0.5, np.float32), np.full((1, 3), 0.5, np.float32))
    unknown = FUSION(
        llr, llr, np.full((1, 4), np.nan, np.float32), np.full((1, 3), np.nan, np.float32)
    )
    np.testing.assert_array_equal(average, unknown)


def test_stored_and_read_again_it_is_the_same() -> None:
    again = Fusion.of_tensors(FUSION.tensors())
    for name, array in FUSION.tensors().items():
        np.testing.assert_array_equal(again.tensors()[name], array)
