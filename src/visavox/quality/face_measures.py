"""Numbers that say how well a face can be seen."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from visavox.types import DetectedFace, Pixels

Luma: TypeAlias = NDArray[np.float32]  # (H, W), 0..1

_SCALE = 64  # pixels of face height at which detail is measured: no accepted face is smaller
_SAMPLE = 160  # pixels on a side of the patch in which noise is measured
_STEEP = 97  # percentile of the slopes
# What white noise of deviation 1 adds to that percentile: 2.65 deviations of a Rayleigh variable,
# times the gain of the Sobel filter alone, and after two binomials.
_NOISE_SLOPE, _NOISE_SLOPE_SOFT = 2.65 * 0.433, 2.65 * 0.09


class Seen(NamedTuple):
    brightness: float  # mean luma, 0..1
    contrast: float  # standard deviation of luma
    sharpness: float  # 0 is fog


def frontal(face: DetectedFace) -> float:
    """1 when the nose stands midway between eyes and mouth corners, 0 beyond either of them."""
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks.astype(np.float64)
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    across = right_eye - left_eye
    span = float(np.hypot(*across))
    down = mouth - eyes
    drop = float(np.hypot(*down))
    if span < 1e-6 or drop < 1e-6:
        return 0.0
    turned = abs(float((nose - (eyes + mouth) / 2) @ across)) / span / (span / 2)
    # Seen from the front the nose's tip is a little below the middle of eyes and mouth.
    tilted = abs(float((nose - eyes) @ down) / drop**2 - 0.55) / 0.55
    return float(np.clip(1.0 - max(turned, tilted), 0.0, 1.0))


def seen(frame: Pixels, face: DetectedFace) -> Seen:
    """Look at the face between the temples and from brow to chin.

    Sharpness is how much its steepest edges lose when it is blurred a little more: who is
    blurred already has nothing left to lose. The fixed scale takes the camera's resolution out,
    the ratio takes out light and contrast, and what noise adds to the slopes is subtracted.
    """
    core = _core(frame, face)
    luma = _scaled(core, face)
    noise = _noise(core) * min(1.0, _SCALE / _height(face))  # scaling down averages it
    sharp = _steepest(luma[2:-2, 2:-2], noise * _NOISE_SLOPE)
    soft = _steepest(_smoothed(_smoothed(luma)), noise * _NOISE_SLOPE_SOFT)
    return Seen(float(luma.mean()), float(luma.std()), max(sharp / soft - 1.0, 0.0))


def _height(face: DetectedFace) -> float:
    return float(face.box[3] - face.box[1])


def _core(frame: Pixels, face: DetectedFace) -> Image.Image:
    """The middle of the face in grey, as large as it was taken."""
    left, top, right, bottom = (float(edge) for edge in face.box)
    width, height = right - left, bottom - top
    wanted = np.array([left + 0.15 * width, top + 0.2 * height, right - 0.15 * width, bottom])
    x0, y0, x1, y1 = np.clip(wanted, 0, frame.shape[1::-1] * 2).round().astype(int)
    return Image.fromarray(frame[y0:y1, x0:x1]).convert("L")


def _scaled(core: Image.Image, face: DetectedFace) -> Luma:
    """As it would be in a face of `_SCALE` pixels, 0..1."""
    scale = _SCALE / _height(face)
    size = max(12, round(core.width * scale)), max(12, round(core.height * scale))
    return np.asarray(core.resize(size, Image.Resampling.BOX), np.float32) / np.float32(255)


def _steepest(luma: Luma, noise: float) -> float:
    """Length of the steepest gradients (Sobel), less what noise adds to them."""
    across, along = luma[:, 2:] - luma[:, :-2], luma[2:] - luma[:-2]
    across = (across[:-2] + 2 * across[1:-1] + across[2:]) / 8
    along = (along[:, :-2] + 2 * along[:, 1:-1] + along[:, 2:]) / 8
    slope = float(np.percentile(np.hypot(across, along), _STEEP))
    return float(np.sqrt(max(slope**2 - noise**2, 1e-8)))


def _smoothed(luma: Luma) -> Luma:
    """By a binomial of three pixels; one pixel is lost on each side."""
    across = luma[:, :-2] + 2 * luma[:, 1:-1] + luma[:, 2:]
    smooth: Luma = (across[:-2] + 2 * across[1:-1] + across[2:]) / np.float32(16)
    return smooth


def _noise(core: Image.Image) -> float:
    """Standard deviation of the camera's noise (Immerkær 1996, by the median: edges are few)."""
    left, top = max(0, (core.width - _SAMPLE) // 2), max(0, (core.height - _SAMPLE) // 2)
    part = core.crop((left, top, min(left + _SAMPLE, core.width), min(top + _SAMPLE, core.height)))
    luma = np.asarray(part, np.float32) / np.float32(255)
    if min(luma.shape) < 3:
        return 0.0
    across = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    curved = across[:-2] - 2 * across[1:-1] + across[2:]
    return float(np.median(np.abs(curved))) / 0.6745 / 6
