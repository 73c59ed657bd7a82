"""From a picture and a detected face to the pixels that a face net wants.

Two kinds of crop exist, and a net names its own: `aligned-112`, turned and scaled so that the
landmarks lie where ArcFace puts them, and `box-160`, facenet-pytorch's, the detector's box alone.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from visavox.errors import CharacterizerError
from visavox.types import DetectedFace, Pixels

TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
"""Where eyes, nose and mouth corners lie in ArcFace's 112 × 112 crop; x, y."""

ALIGNED_SIDE = 112
BOX_SIDE = 160


class Crop(StrEnum):
    ALIGNED_112 = "aligned-112"
    BOX_160 = "box-160"

    @property
    def side(self) -> int:
        return {Crop.ALIGNED_112: ALIGNED_SIDE, Crop.BOX_160: BOX_SIDE}[self]


def cut(frame: Pixels, face: DetectedFace, crop: Crop) -> Pixels:
    """The face as (side, side, 3) pixels."""
    return _CUTS[crop](frame, face)


def aligned(frame: Pixels, landmarks: NDArray[np.float32], side: int = ALIGNED_SIDE) -> Pixels:
    """The face with its landmarks where TEMPLATE has them: (side, side, 3).

    By the similarity (turn, scale, shift) with the least squared error. Black beyond the frame.
    Smaller pixels are averaged, not skipped, when the face is larger than the crop.
    """
    turn, shift = similarity(landmarks, TEMPLATE * (side / ALIGNED_SIDE))
    # Which part of the frame the crop shows, with a pixel more for interpolation.
    corners = np.array([-1, side, -1 + 1j * side, side + 1j * side]) - shift
    shown = corners / turn
    width, height = frame.shape[1], frame.shape[0]
    left = max(int(np.floor(shown.real.min())) - 1, 0)
    top = max(int(np.floor(shown.imag.min())) - 1, 0)
    right = min(int(np.ceil(shown.real.max())) + 2, width)
    bottom = min(int(np.ceil(shown.imag.max())) + 2, height)
    if left >= right or top >= bottom:
        return np.zeros((side, side, 3), np.uint8)
    part = Image.fromarray(frame[top:bottom, left:right])
    # Shrink with averaging to the crop's own scale first: a plain affine map would alias.
    across = down = 1.0
    if abs(turn) < 1:
        wide, high = (max(round(length * abs(turn)), 1) for length in part.size)
        across, down = wide / part.width, high / part.height
        part = part.resize((wide, high), Image.Resampling.BILINEAR)
    # Pillow maps from the crop back to the part, both measured from a corner of the first pixel.
    back = 1 / turn
    origin = (-0.5 * (1 + 1j) - shift) * back + 0.5 * (1 + 1j) - (left + 1j * top)
    coefficients = (
        back.real * across, -back.imag * across, origin.real * across,
        back.imag * down, back.real * down, origin.imag * down,
    )  # fmt: skip
    made = part.transform(
        (side, side), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(made)


def similarity(
    landmarks: NDArray[np.floating], template: NDArray[np.floating]
) -> tuple[complex, complex]:
    """`turn` and `shift` such that turn · z + shift is nearest the template, z = x + iy.

    Umeyama's least-squares estimate; in the plane a complex number holds turn and scale at once.
    """
    z = landmarks[:, 0].astype(float) + 1j * landmarks[:, 1]
    w = template[:, 0] + 1j * template[:, 1]
    spread = z - z.mean()
    power = float(np.vdot(spread, spread).real)
    turn = complex(np.vdot(spread, w - w.mean())) / power if power > 0 else 0j
    if not (np.isfinite(turn) and abs(turn) > 0):
        raise CharacterizerError(
            "Five landmarks of a face must lie apart; these coincide or are not finite.",
            next_step="Pass landmarks as the detector gives them.",
        )
    return turn, complex(w.mean() - turn * z.mean())


def boxed(frame: Pixels, face: DetectedFace) -> Pixels:
    """The detector's box, as facenet-pytorch's `extract_face` cuts it with no margin."""
    left, top = (int(max(edge, 0)) for edge in face.box[:2])
    right = int(min(face.box[2], frame.shape[1]))
    bottom = int(min(face.box[3], frame.shape[0]))
    if left >= right or top >= bottom:
        raise CharacterizerError(
            f"A face's box must lie in its frame; this one ends at {left, top, right, bottom}.",
            next_step="Pass boxes as the detector gives them.",
        )
    part = Image.fromarray(frame[top:bottom, left:right])
    return np.asarray(part.resize((BOX_SIDE, BOX_SIDE), Image.Resampling.BILINEAR))


_CUTS: Mapping[Crop, Callable[[Pixels, DetectedFace], Pixels]] = {
    Crop.ALIGNED_112: lambda frame, face: aligned(frame, face.landmarks),
    Crop.BOX_160: boxed,
}
