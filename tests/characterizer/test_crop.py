"""Crops: landmarks land where ArcFace wants them; boxes are cut as facenet-pytorch cuts them."""

import numpy as np
import pytest
from facenet_pytorch.models.utils.detect_face import extract_face
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from visavox.characterizer.crop import TEMPLATE, Crop, aligned, cut, similarity
from visavox.errors import CharacterizerError
from visavox.types import DetectedFace, Pixels


def face(landmarks: np.ndarray, box: tuple[float, ...] = (10, 10, 60, 80)) -> DetectedFace:
    return DetectedFace(np.array(box, np.float32), landmarks.astype(np.float32), 1.0)


def placed(scale: float, angle: float, x: float, y: float) -> np.ndarray:
    """Landmarks such that the crop shows `scale` of a picture's size, turned, about (x, y)."""
    turn = scale * np.exp(1j * angle)
    z = (TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1] - (56 + 56j)) / turn + x + 1j * y
    return np.stack((z.real, z.imag), axis=1)


def slope(height: int = 480, width: int = 640) -> Pixels:
    """Red grows to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    made = np.stack((x / width, y / height, np.full((height, width), 0.5)), axis=-1) * 255
    return np.round(made).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(
    scale=st.floats(0.25, 2.5),
    angle=st.floats(-0.6, 0.6),
    x=st.floats(240, 400),
    y=st.floats(180, 300),
)
def test_each_pixel_of_an_aligned_crop_shows_its_own_place(
    scale: float, angle: float, x: float, y: float
) -> None:
    crop = aligned(slope(), placed(scale, angle, x, y).astype(np.float32)).astype(float)
    v, u = np.mgrid[:112, :112]
    place = (u + 1j * v - (56 + 56j)) / (scale * np.exp(1j * angle)) + x + 1j * y
    shown = (place.real > 6) & (place.real < 633) & (place.imag > 6) & (place.imag < 473)
    # Two grey levels are five pixels of this slope; rounding alone takes one.
    assert np.abs(crop[..., 0] - place.real / 640 * 255)[shown].max() < 2.5
    assert np.abs(crop[..., 1] - place.imag / 480 * 255)[shown].max() < 2.5


def test_similarity_has_the_least_error_of_all_turns_scales_and_shifts() -> None:
    rng = np.random.default_rng(0)
    landmarks = placed(0.6, 0.2, 300, 200) + rng.normal(0, 4, (5, 2))

    def squares(turn: complex, shift: complex) -> float:
        z = landmarks[:, 0] + 1j * landmarks[:, 1]
        return float((np.abs(turn * z + shift - TEMPLATE @ (1, 1j)) ** 2).sum())

    turn, shift = similarity(landmarks, TEMPLATE)
    for step in (1e-3, -1e-3, 1e-3j, -1e-3j):
        assert squares(turn + step, shift) > squares(turn, shift)
        assert squares(turn, shift + 100 * step) > squares(turn, shift)


def test_fine_stripes_are_averaged_when_a_large_face_is_shrunk() -> None:
    stripes = np.zeros((480, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = aligned(stripes, placed(0.3, 0.0, 320, 240).astype(np.float32))
    assert crop.std() < 8
    assert abs(float(crop.mean()) - 127) < 6


def test_what_lies_beyond_the_frame_is_black() -> None:
    white = np.full((200, 200, 3), 255, np.uint8)
    crop = aligned(white, placed(1.0, 0.0, 0, 100).astype(np.float32))
    assert not crop[:, :50].any()
    assert (crop[20:90, 65:] > 250).all()
    assert not aligned(white, placed(1.0, 0.0, 900, 900).astype(np.float32)).any()


def test_a_crop_does_not_depend_on_the_rest_of_the_picture() -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)
    landmarks = placed(0.9, 0.1, 100, 100).astype(np.float32)
    other = frame.copy()
    other[220:, 220:] = 0
    assert np.array_equal(aligned(frame, landmarks), aligned(other, landmarks))


def test_landmarks_on_one_spot_are_refused() -> None:
    with pytest.raises(CharacterizerError, match="lie apart"):
        aligned(slope(), np.full((5, 2), 7, np.float32))
    with pytest.raises(CharacterizerError, match="finite"):
        aligned(slope(), np.full((5, 2), np.nan, np.float32))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    corner=st.tuples(st.floats(-30, 100), st.floats(-30, 80)),
    size=st.tuples(st.floats(35, 200), st.floats(35, 200)),
)
def test_boxes_are_cut_as_facenet_cuts_them(
    seed: int, corner: tuple[float, float], size: tuple[float, float]
) -> None:
    frame = np.random.default_rng(seed).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    box = (*corner, corner[0] + size[0], corner[1] + size[1])
    made = cut(frame, face(np.zeros((5, 2)), box), Crop.BOX_160)
    wanted = extract_face(Image.fromarray(frame), np.array(box, np.float32), 160).numpy()
    np.testing.assert_array_equal(made, wanted.transpose(1, 2, 0).astype(np.uint8))


def test_boxes_outside_of_the_frame_are_refused() -> None:
    with pytest.raises(CharacterizerError, match="lie in its frame"):
        cut(slope(), face(np.zeros((5, 2)), (700, 10, 900, 80)), Crop.BOX_160)


@pytest.mark.parametrize("crop", list(Crop))
def test_every_kind_of_crop_has_its_side(crop: Crop) -> None:
    made = cut(slope(), face(placed(0.8, 0.0, 300, 200), (200, 100, 400, 300)), crop)
    assert made.shape == (crop.side, crop.side, 3)
    assert made.dtype == np.uint8
