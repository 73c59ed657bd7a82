"""Averages over areas are torch's adaptive average pooling, exactly where torch is exact."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import adaptive_avg_pool2d

from visavox.characterizer.area import AreaPicture, Scratch
from visavox.types import Pixels


def picture(seed: int, height: int, width: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def pooled(frame: Pixels, height: int, width: int) -> np.ndarray:
    planes = torch.from_numpy(frame.transpose(2, 0, 1).astype(np.float32))
    out: np.ndarray = adaptive_avg_pool2d(planes[None], (height, width)).numpy()
    return out


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 50), st.integers(1, 60)),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_resized_pictures_are_pooled_ones(
    seed: int, shape: tuple[int, int], size: tuple[int, int]
) -> None:
    frame = picture(seed, *shape)
    sizes = (size, (1, 1), size[::-1])
    levels = AreaPicture.of(frame, Scratch()).pyramid(sizes)
    for made, (height, width) in zip(levels, sizes, strict=True):
        assert made.dtype == np.float32
        np.testing.assert_allclose(made, pooled(frame, height, width), atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    corners=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 20), st.integers(1, 34), st.integers(1, 30)),
        min_size=1,
        max_size=5,
    ),
    side=st.integers(1, 24),
)
def test_crops_are_pooled_cuts(
    seed: int, corners: list[tuple[int, int, int, int]], side: int
) -> None:
    frame = picture(seed, 50, 64)
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.int64)
    made = AreaPicture.of(frame, Scratch()).crops(boxes, side)
    for crop, (left, top, right, bottom) in zip(made, boxes, strict=True):
        cut = frame[top:bottom, left:right]
        np.testing.assert_allclose(crop[None], pooled(cut, side, side), atol=1e-3)


def test_windows_whose_sums_float32_cannot_hold_are_averaged_right() -> None:
    """A bright picture's sum over a quarter of it has more than 24 bits."""
    frame = np.maximum(picture(3, 600, 800), 254)
    (made,) = AreaPicture.of(frame, Scratch()).pyramid(((2, 2),))
    wanted = frame.reshape(2, 300, 2, 400, 3).mean(axis=(1, 3), dtype=np.float64)
    np.testing.assert_array_equal(made[0], wanted.transpose(2, 0, 1).astype(np.float32))


def test_sums_that_wrap_around_do_no_harm() -> None:
    """9 million white pixels, three colours: the running sum passes 2³² once and 2³¹ thrice."""
    frame = np.full((3000, 3000, 3), 255, np.uint8)
    white = AreaPicture.of(frame, Scratch())
    for made in (*white.pyramid(((1, 1), (3, 5))), white.crops(np.array([[0, 0, 3000, 3000]]), 4)):
        assert (made == 255).all()


def test_memory_that_is_used_again_holds_nothing_of_the_last_picture() -> None:
    scratch = Scratch()
    AreaPicture.of(np.full((30, 40, 3), 255, np.uint8), scratch)
    frame = picture(1, 30, 40)
    (made,) = AreaPicture.of(frame, scratch).pyramid(((7, 9),))
    np.testing.assert_allclose(made, pooled(frame, 7, 9), atol=1e-3)


def test_a_plan_is_not_used_for_another_size() -> None:
    scratch = Scratch()
    for shape, size in (((30, 40), (7, 9)), ((40, 30), (7, 9)), ((30, 40), (9, 7))):
        frame = picture(2, *shape)
        (made,) = AreaPicture.of(frame, scratch).pyramid((size,))
        np.testing.assert_allclose(made, pooled(frame, *size), atol=1e-3)


def test_large_pictures_do_not_keep_their_memory() -> None:
    scratch = Scratch()
    assert scratch.integral(1500, 2000) is not scratch.integral(1500, 2000)
    assert scratch.integral(48, 64) is scratch.integral(48, 64)
    large, small = ((1500, 2000),), ((48, 64),)
    assert scratch.plan(1500, 2000, large) is not scratch.plan(1500, 2000, large)
    assert scratch.plan(480, 640, small) is scratch.plan(480, 640, small)
