"""What the cameras of the later steps make of an aligned face: each is another world to a net."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from visavox.training.continual.settings import Camera

Pictures = NDArray[np.uint8]  # (N, H, W, 3)

_BLOCK = 7  # pixels of a coarse camera's picture that are one
_LEVELS = 8  # of brightness that it knows
_MOUTH = 0.52  # share of the height from which a mask covers the face


def seen_by(camera: Camera, pictures: Pictures, rng: Generator) -> Pictures:
    """The same moments, as this camera would have taken them."""
    return _TAKE[camera](pictures, rng)


def _night(pictures: Pictures, rng: Generator) -> Pictures:
    """No colour, little light, much grain."""
    grey = pictures.astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32)
    light = rng.uniform(0.08, 0.22, (len(grey), 1, 1)).astype(np.float32)
    taken = grey * light + rng.normal(0, 9, grey.shape).astype(np.float32)
    return np.repeat(taken.clip(0, 255).astype(np.uint8)[..., None], 3, axis=3)


def _coarse(pictures: Pictures, rng: Generator) -> Pictures:
    """Few pixels of few levels, with a cast of one colour."""
    n, h, w, _ = pictures.shape
    rows, columns = h // _BLOCK, w // _BLOCK
    cut = pictures[:, : rows * _BLOCK, : columns * _BLOCK].astype(np.float32)
    small = cut.reshape(n, rows, _BLOCK, columns, _BLOCK, 3).mean(axis=(2, 4))
    cast = rng.uniform(0.6, 1.0, (n, 1, 1, 3)).astype(np.float32)
    step = 256 / _LEVELS
    level = (np.floor(small * cast / step) + 0.5) * step
    large = level.repeat(_BLOCK, axis=1).repeat(_BLOCK, axis=2)
    edges = ((0, 0), (0, h - rows * _BLOCK), (0, w - columns * _BLOCK), (0, 0))
    return np.pad(large, edges, mode="edge").clip(0, 255).astype(np.uint8)


def _masked(pictures: Pictures, rng: Generator) -> Pictures:
    """A cloth of any colour over mouth and chin."""
    taken = pictures.copy()
    for picture in taken:
        top = round((_MOUTH + rng.uniform(-0.03, 0.03)) * len(picture))
        cloth = rng.uniform(30, 230, 3) + rng.normal(0, 6, picture[top:].shape)
        picture[top:] = cloth.clip(0, 255).astype(np.uint8)
    return taken


_TAKE: Mapping[Camera, Callable[[Pictures, Generator], Pictures]] = MappingProxyType(
    {"webcam": lambda pictures, _: pictures, "night": _night, "coarse": _coarse, "masked": _masked}
)
