"""Boxes are reckoned with as torchvision and facenet-pytorch do it."""

import numpy as np
import torch
from facenet_pytorch.models.utils import detect_face
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import nms

from visavox.characterizer import boxes as ours


def some(seed: int, count: int, spread: float = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-10, spread, (count, 2))
    made = np.concatenate((corner, corner + rng.uniform(5, 40, (count, 2))), axis=1)
    return made.astype(np.float32), rng.random(count, dtype=np.float32)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(0, 60),
    limit=st.sampled_from((0.3, 0.5, 0.7)),
)
def test_suppression_is_torchvisions(seed: int, count: int, limit: float) -> None:
    boxes, scores = some(seed, count)
    wanted = nms(torch.from_numpy(boxes), torch.from_numpy(scores), limit).tolist()
    assert ours.suppressed(boxes, scores, limit).tolist() == wanted


def test_suppression_of_a_crowd_is_torchvisions() -> None:
    """More boxes than one block holds."""
    boxes, scores = some(1, 900, spread=300)
    wanted = nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.5).tolist()
    assert len(wanted) > 100
    assert ours.suppressed(boxes, scores, 0.5).tolist() == wanted


def test_groups_do_not_suppress_each_other() -> None:
    boxes, scores = some(2, 30, spread=20)
    groups = np.arange(30) % 3
    kept = ours.suppressed(boxes, scores, 0.5, groups=groups)
    apart = [
        np.flatnonzero(groups == g)[
            ours.suppressed(boxes[groups == g], scores[groups == g], 0.5)
        ].tolist()
        for g in range(3)
    ]
    assert sorted(kept.tolist()) == sorted(i for group in apart for i in group)
    assert list(scores[kept]) == sorted(scores[kept], reverse=True)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 40))
def test_the_last_suppression_is_facenets(seed: int, count: int) -> None:
    boxes, scores = some(seed, count)
    wanted = detect_face.nms_numpy(boxes, scores, 0.7, "Min").tolist()
    assert ours.suppressed_by_the_smaller(boxes, scores, 0.7).tolist() == wanted


def test_squares_and_corrections_are_facenets() -> None:
    boxes, _ = some(3, 20)
    offset = np.random.default_rng(3).normal(0, 0.2, (20, 4)).astype(np.float32)
    squares = detect_face.rerec(torch.from_numpy(boxes.copy())).numpy()
    np.testing.assert_allclose(ours.squared(boxes), squares, rtol=1e-5)
    moved = detect_face.bbreg(torch.from_numpy(boxes.copy()), torch.from_numpy(offset)).numpy()
    np.testing.assert_allclose(
        ours.corrected(boxes, offset, whole_pixels=True), moved, rtol=1e-4, atol=1e-4
    )


def test_boxes_are_cut_as_facenet_cuts_them_and_left_out_when_outside() -> None:
    boxes, _ = some(4, 30)
    outside = np.array([(-30, -30, -5, -5), (70, 5, 90, 20)], np.float32)
    there, corners = ours.inside(np.concatenate((boxes, outside)), width=64, height=48)
    assert not {30, 31} & set(there.tolist())
    y, ey, x, ex = detect_face.pad(torch.from_numpy(boxes[there]), 64, 48)
    np.testing.assert_array_equal(corners, np.stack((x - 1, y - 1, ex, ey), axis=1))
