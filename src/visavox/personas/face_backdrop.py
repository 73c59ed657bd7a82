"""What stands behind the head: the room, the back of the hair, neck and shoulders."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from visavox.personas.face_canvas import Plane, step
from visavox.personas.face_hair import Hair
from visavox.personas.face_identity import Traits
from visavox.personas.face_scene import Look
from visavox.personas.face_surface import skin_colour


def backdrop(
    t: Traits,
    look: Look,
    hair: Hair,
    turn: NDArray[np.float32],
    middle: tuple[float, float],
    scale: float,
    size: tuple[int, int],
    gain: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Everything but the head, (H, W, 3), painted at half resolution where that is enough."""
    less = 2 if scale > 80 else 1
    wide, tall = size[0] // less, size[1] // less
    x = ((np.arange(wide, dtype=np.float32) + 0.5) * less - np.float32(middle[0]))[
        None, :
    ] / np.float32(scale)
    y = ((np.arange(tall, dtype=np.float32) + 0.5) * less - np.float32(middle[1]))[
        :, None
    ] / np.float32(scale)
    image = _room(look, wide, tall)
    soft = 2.5 * less / scale
    bright = 1.0 - 0.12 * look.contrast * np.sign(look.light[0]) * -np.clip(x, -1.0, 1.0)
    _long_hair(image, x, y, t, look, hair, turn, soft)
    lean = turn[1, 0]  # sine of the roll: the neck follows the head half-way
    neck = x + 0.5 * lean * (y - 0.6)
    girth = 0.36 + 0.05 * t.masculinity + look.weight + 0.06 * np.square(np.clip(y - 0.9, 0, None))
    cover = step(girth - np.abs(neck), soft) * step(y - 0.35, 0.3)
    shadow = 0.62 + 0.25 * np.clip((y - 0.95) / 0.5, 0.0, 1.0)
    _lay(image, cover, skin_colour(t, look), shadow * bright)
    span = 1.55 + 0.25 * t.masculinity
    across = np.clip(np.abs(x) / span, 0.0, 1.2)
    slope = 1.16 + 0.22 * across + 0.55 * across**6
    collar = 0.35 * look.collar * np.clip(1.0 - np.abs(x) / 0.45, 0.0, None)
    torso = step(y - slope - collar, soft)
    folds = 0.80 + 0.10 * np.cos(5.0 * x + 3.0 * y)
    _lay(image, torso, np.array(look.shirt, np.float32), folds * bright)
    image *= gain
    if less == 1:
        return image
    seen = Image.fromarray(np.clip(image * 255.0, 0.0, 255.0).astype(np.uint8))
    large = np.asarray(seen.resize(size, Image.Resampling.BILINEAR), np.float32)
    return large * np.float32(1 / 255.0)


def _room(look: Look, wide: int, tall: int) -> NDArray[np.float32]:
    """An out-of-focus room: a wall, and things on it."""
    rng = np.random.default_rng(look.backdrop)
    cells = np.empty((12, 16, 3), np.float32)
    wall = rng.uniform(0.25, 0.85) * (1.0 + rng.uniform(-0.12, 0.12, 3))
    cells[:] = wall
    cells *= np.linspace(rng.uniform(0.8, 1.2), rng.uniform(0.7, 1.1), 16)[None, :, None]
    for _ in range(int(rng.integers(0, 9))):
        r, c = rng.integers(0, 11), rng.integers(0, 15)
        h, w = rng.integers(1, 8), rng.integers(1, 6)
        cells[r : r + h, c : c + w] = rng.uniform(0.05, 1.0) * (1.0 + rng.uniform(-0.25, 0.25, 3))
    small = Image.fromarray(np.clip(cells * 255.0, 0, 255).astype(np.uint8))
    filters = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.BOX)
    large = small.resize((wide, tall), filters[int(rng.integers(3))])
    return np.asarray(large, np.float32) * np.float32(1 / 255.0)


def _long_hair(
    image: NDArray[np.float32],
    x: Plane,
    y: Plane,
    t: Traits,
    look: Look,
    hair: Hair,
    turn: NDArray[np.float32],
    soft: float,
) -> None:
    """The hair behind the face, flat, a little behind the head's middle."""
    if hair.shaved:
        return
    long = hair.end > 0.2
    depth = -0.10 if long else 0.08
    dx, dy = x - turn[0, 2] * depth, y - turn[1, 2] * depth
    hx = turn[0, 0] * dx + turn[1, 0] * dy
    hy = turn[0, 1] * dx + turn[1, 1] * dy
    end = max(hair.end, 0.1)
    cover = step(hair.half_width(t, hy) * (0.98 if long else 0.95) - np.abs(hx), soft * 1.5)
    cover = cover * step(end - hy, 0.12) * step(hy + t.crown + hair.top, soft)
    tint = 0.62 - 0.15 * look.contrast + 0.10 * np.sin(40.0 * hx + 6.0 * np.sin(4.0 * hy))
    _lay(image, cover, hair.colour, tint)


def _lay(
    image: NDArray[np.float32], cover: Plane, colour: NDArray[np.float32], shade: Plane
) -> None:
    rows = np.flatnonzero(cover.any(1))
    if rows.size:
        part = slice(rows[0], rows[-1] + 1)
        thick = cover[part].astype(np.float32)
        image[part] *= 1.0 - thick[..., None]
        image[part] += (thick * np.broadcast_to(shade, cover.shape)[part])[..., None] * colour
