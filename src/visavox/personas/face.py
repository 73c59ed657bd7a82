"""From a face, a day and a moment to a picture, with the true place of its landmarks."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from visavox.personas import face_hair, face_surface
from visavox.personas.face_backdrop import backdrop
from visavox.personas.face_canvas import Canvas, Plane, hill, step
from visavox.personas.face_identity import FaceIdentity
from visavox.personas.face_scene import Look, Moment
from visavox.types import Pixels

SIZE = (640, 480)
HEAD = 122.0
"""Pixels per half head in a picture of the full size."""

_SHARPEST = 84.0  # pixels per half head that the head is painted with, at most
_REACH = (-1.15, 1.15, -1.38, 1.16)  # of the head's canvas: left, right, top, bottom


class Rendered(NamedTuple):
    pixels: Pixels  # (H, W, 3)
    landmarks: NDArray[np.float32]  # (5, 2): eyes, nose, mouth corners, left before right; x, y


class _Box(NamedTuple):
    rows: slice
    columns: slice


@dataclass(frozen=True, slots=True)
class _Camera:
    """Where the head stands in the picture."""

    turn: NDArray[np.float32]  # (3, 3): from the head's axes to the camera's
    middle: tuple[float, float]  # pixels
    scale: float  # pixels per half head

    def box(self, size: tuple[int, int]) -> _Box:
        """All that the head and its hair can cover."""
        (x, y), s = self.middle, self.scale
        left, right = max(int(x - 1.28 * s), 0), min(int(x + 1.28 * s), size[0])
        top, bottom = max(int(y - 1.48 * s), 0), min(int(y + 1.30 * s), size[1])
        return _Box(slice(top, bottom), slice(left, right))


def render(
    face: FaceIdentity,
    look: Look,
    moment: Moment,
    *,
    size: tuple[int, int] = SIZE,
    head: float = HEAD,
) -> Rendered:
    """One picture (width, height = `size`) with a head of about 2 × `head` pixels in it.

    Pictures smaller than the full size, with a smaller head, are cheaper and look the same
    but for their resolution: what trains a net on crops wants those.
    """
    canvas = Canvas(*_REACH, min(_SHARPEST, head))
    camera = _camera(moment, size, head)
    hair = face_hair.hair_of(face.traits, look)
    gain = np.array(look.balance, np.float32) * np.float32(look.exposure * moment.flicker)
    height, layers = _head(canvas, face, look, moment, hair, camera.turn, gain)
    frame = backdrop(face.traits, look, hair, camera.turn, camera.middle, camera.scale, size, gain)
    _place(frame, canvas, height, layers, camera)
    if moment.cover is not None:
        _hold(frame, moment.cover, camera, look)
    scale = head / HEAD
    blur = float(np.hypot(look.sharpness, moment.blur)) * scale
    return Rendered(
        _sensor(frame, camera.box(size), blur, look.noise, moment.seed),
        _landmarks(face, moment, canvas, height, camera),
    )


def _camera(m: Moment, size: tuple[int, int], head: float) -> _Camera:
    cy, sy = np.cos(m.yaw), np.sin(m.yaw)
    cp, sp = np.cos(m.pitch), np.sin(m.pitch)
    cr, sr = np.cos(m.roll), np.sin(m.roll)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    scale = head * m.nearness
    middle = (size[0] * 0.5 + m.right * head, size[1] * 0.48 + m.down * head)
    return _Camera((roll @ pitch @ yaw).astype(np.float32), middle, scale)


def _head(
    canvas: Canvas,
    face: FaceIdentity,
    look: Look,
    m: Moment,
    hair: face_hair.Hair,
    turn: NDArray[np.float32],
    gain: NDArray[np.float32],
) -> tuple[Plane, NDArray[np.float32]]:
    """The head's height (H, W) and its lit colour with cover, premultiplied (H, W, 4)."""
    t = face.traits
    shape = face_surface.shape(canvas, t, look, m)
    bare = shape.height.copy()
    face_surface.skin(canvas, face, look, m)
    face_surface.brows(canvas, t, look, m, hair.colour)
    face_hair.beard(canvas, face, look, m, shape)
    edge = 2.0 / canvas.density
    cover = step((1.0 - shape.radius) * 0.7, edge)
    ears = _ears(canvas, face, shape.half_width)
    height = shape.height
    locks = face_hair.hairdo(canvas, face, hair, shape, height)
    face_hair.glasses(canvas, t, look)
    cover = np.maximum(np.maximum(cover, ears), locks if not hair.shaved else cover)
    canvas.pixels *= _light(canvas, height, look, turn)
    out = np.empty((canvas.height, canvas.width, 4), np.float32)
    np.multiply(
        (canvas.pixels * gain[:, None, None]).transpose(1, 2, 0), cover[..., None], out=out[..., :3]
    )
    out[..., 3] = cover
    return bare, out


def _ears(canvas: Canvas, face: FaceIdentity, half_width: Plane) -> Plane:
    t = face.traits
    y = t.eye_level + 0.14
    cover = np.zeros((canvas.height, canvas.width), np.float32)
    for side in (-1, 1):
        w = canvas.window(side * (t.width + 0.01), y, 0.2, 0.3)
        out = np.square(w.x / (0.03 + max(t.ear_stick_out, 0.0))) + np.square(w.y / t.ear_size)
        ear = step(1.0 - out, 0.35)
        beyond = ear * step(np.abs(canvas.x[:, w.columns]) - half_width[w.rows], 0.02)
        canvas.shade(w, beyond * (0.35 + 0.4 * hill(out - 0.3, 0.3)), (0.78, 0.62, 0.58))
        cover[w.rows, w.columns] = np.maximum(cover[w.rows, w.columns], ear)
    return cover


def _light(canvas: Canvas, height: Plane, look: Look, turn: NDArray[np.float32]) -> Plane:
    """How bright each point of the head is: a lamp, and light from everywhere."""
    gy, gx = np.gradient(height, np.float32(1.0 / canvas.density))
    nz = 1.0 / np.sqrt(gx * gx + gy * gy + 1.0)
    lamp = np.array(look.light, np.float32)
    lamp = turn.T @ (lamp / np.linalg.norm(lamp))
    lit = np.clip((lamp[2] - lamp[0] * gx - lamp[1] * gy) * nz, 0.0, None)
    eye = turn[2]
    facing = np.clip((eye[2] - eye[0] * gx - eye[1] * gy) * nz, 0.0, None)
    k = np.float32(look.contrast)
    shade = np.sqrt((1 - k) * (0.45 + 0.55 * facing) + k * (1.25 * lit + 0.03))
    gloss = np.square(np.square(np.square(np.clip(lit, 0.0, 1.0))))
    gloss = gloss * gloss * gloss * np.square(facing)
    return np.asarray(shade + np.float32(0.16) * k * gloss, np.float32)


def _place(
    frame: NDArray[np.float32],
    canvas: Canvas,
    height: Plane,
    layer: NDArray[np.float32],
    camera: _Camera,
) -> None:
    """Turn the head and lay it over `frame` (H, W, 3), in place."""
    (mx, my), s = camera.middle, camera.scale
    box = camera.box((frame.shape[1], frame.shape[0]))
    r0, r1, c0, c1 = box.rows.start, box.rows.stop, box.columns.start, box.columns.stop
    # The way back from the picture to the canvas is smooth: solve it on a coarse grid.
    every = 4 if s > 80 else 2
    px = np.arange(c0, c1 + every, every, dtype=np.float32)
    py = np.arange(r0, r1 + every, every, dtype=np.float32)
    u, v = _unproject(
        (px[None, :] + 0.5 - mx) / s, (py[:, None] + 0.5 - my) / s, canvas, height, camera
    )
    col = _enlarged((u - canvas.left) * canvas.density - 0.5, every, r1 - r0, c1 - c0)
    row = _enlarged((v - canvas.top) * canvas.density - 0.5, every, r1 - r0, c1 - c0)
    seen = _sampled(layer, row, col)
    part = frame[box.rows, box.columns]
    part *= 1.0 - seen[..., 3:]
    part += seen[..., :3]


def _unproject(
    sx: Plane, sy: Plane, canvas: Canvas, height: Plane, camera: _Camera
) -> tuple[Plane, Plane]:
    """Which (x, y) of the head is seen at each point: Newton's method on the height field."""
    turn = camera.turn
    a, b, c, d = turn[0, 0], turn[0, 1], turn[1, 0], turn[1, 1]
    det = a * d - b * c
    gy, gx = np.gradient(height, np.float32(1.0 / canvas.density))
    field = np.stack([height, np.clip(gx, -2.5, 2.5), np.clip(gy, -2.5, 2.5)], -1)
    # Off the canvas its edge goes on, level: this keeps rays that pass the head by there.
    field[[0, -1], :, 1:] = field[:, [0, -1], 1:] = 0.0
    z = np.full(np.broadcast_shapes(sx.shape, sy.shape), 0.5, np.float32)
    u = v = z
    for _ in range(6):
        ex, ey = sx - turn[0, 2] * z, sy - turn[1, 2] * z
        u, v = (d * ex - b * ey) / det, (a * ey - c * ex) / det
        at = _sampled(
            field, (v - canvas.top) * canvas.density - 0.5, (u - canvas.left) * canvas.density - 0.5
        )
        # d(u, v)/dz is constant, so one unknown is left: the height itself.
        du, dv = (-d * turn[0, 2] + b * turn[1, 2]) / det, (-a * turn[1, 2] + c * turn[0, 2]) / det
        slope = np.clip(1.0 - at[..., 1] * du - at[..., 2] * dv, 0.4, 2.5)
        z = z - (z - at[..., 0]) / slope
    return u, v


def _enlarged(coarse: Plane, every: int, tall: int, wide: int) -> Plane:
    """`coarse`, known at every nth pixel, for every pixel."""
    rows, columns = coarse.shape
    r = np.minimum(np.arange(tall) / every, rows - 1.001).astype(np.float32)
    c = np.minimum(np.arange(wide) / every, columns - 1.001).astype(np.float32)
    ri, ci = r.astype(np.intp), c.astype(np.intp)
    rf, cf = (r - ri)[:, None], c - ci
    lines = coarse[ri] * (1 - rf) + coarse[ri + 1] * rf
    return np.asarray(lines[:, ci] * (1 - cf) + lines[:, ci + 1] * cf, np.float32)


def _sampled(image: NDArray[np.float32], row: Plane, col: Plane) -> NDArray[np.float32]:
    """`image` (H, W, C) between its pixels, edges held."""
    tall, wide, depth = image.shape
    flat = image.reshape(-1, depth)
    row = np.clip(row, 0.0, tall - 1.001)
    col = np.clip(col, 0.0, wide - 1.001)
    r, c = row.astype(np.int32), col.astype(np.int32)
    fr, fc = (row - r)[..., None], (col - c)[..., None]
    at = r * wide + c
    upper, lower = flat.take(at, 0), flat.take(at + wide, 0)
    upper += fc * (flat.take(at + 1, 0) - upper)
    lower += fc * (flat.take(at + wide + 1, 0) - lower)
    lower -= upper
    lower *= fr
    lower += upper
    return np.asarray(lower, np.float32)


def _hold(
    frame: NDArray[np.float32], cover: tuple[float, float, float], camera: _Camera, look: Look
) -> None:
    """Something held before the lower face: a cup, a hand, a scarf."""
    x, y, radius = cover
    tall, wide = frame.shape[:2]
    mx, my = camera.middle[0] + x * camera.scale, camera.middle[1] + y * camera.scale
    reach = int(radius * 1.3 * camera.scale)
    c0, c1 = max(int(mx) - reach, 0), min(int(mx) + reach, wide)
    r0, r1 = max(int(my) - reach, 0), min(int(my) + reach, tall)
    px = (np.arange(c0, c1, dtype=np.float32)[None, :] - mx) / (radius * camera.scale)
    py = (np.arange(r0, r1, dtype=np.float32)[:, None] - my) / (radius * camera.scale)
    mask = step(1.0 - px**4 - py**4, 0.25)[..., None]
    colour = np.array(look.shirt[::-1], np.float32) * (0.85 - 0.25 * px[..., None])
    frame[r0:r1, c0:c1] += mask * (colour - frame[r0:r1, c0:c1])


def _sensor(
    frame: NDArray[np.float32], around: _Box, blur: float, noise: float, seed: int
) -> Pixels:
    """Lens, light and silicon: blur, saturation, noise.

    Only what is near the head is blurred, for the rest is out of focus as it is.
    """
    seen = np.clip(frame * np.float32(255.0), 0.0, 255.0).astype(np.uint8)
    if blur > 0.25:
        part = Image.fromarray(seen[around.rows, around.columns])
        seen[around.rows, around.columns] = np.asarray(part.filter(ImageFilter.GaussianBlur(blur)))
    tall, wide = seen.shape[:2]
    sheet = _noise(max(1024, tall + 1, wide + 1))
    r, c = seed % (len(sheet) - tall), (seed // 977) % (len(sheet) - wide)
    grains = (sheet[r : r + tall, c : c + wide].astype(np.int16) * int(noise * 16.0)) >> 8
    grains += seen
    return np.asarray(np.clip(grains, 0, 255), np.uint8)


@lru_cache(maxsize=2)
def _noise(side: int) -> NDArray[np.int8]:
    """A sheet of sensor noise, 16 to a standard deviation; each shot lies elsewhere on it."""
    noise = np.random.default_rng(22).standard_normal((side, side, 3)) * 16.0
    return np.clip(noise, -127, 127).astype(np.int8)


def _landmarks(
    face: FaceIdentity, m: Moment, canvas: Canvas, height: Plane, camera: _Camera
) -> NDArray[np.float32]:
    t = face.traits
    mouth = face_surface.mouth_of(t, m)
    (_, lx, ly), (_, rx, ry) = face_surface.eyes_of(t)
    points = np.array(
        [
            (lx, ly),
            (rx, ry),
            (t.skew_nose, t.eye_level + t.nose_length - 0.04),
            (mouth.x - mouth.half_width, mouth.y + mouth.corner),
            (mouth.x + mouth.half_width, mouth.y + mouth.corner),
        ],
        np.float32,
    )
    row = (points[:, 1] - canvas.top) * canvas.density - 0.5
    col = (points[:, 0] - canvas.left) * canvas.density - 0.5
    z = _sampled(height[..., None], row, col)
    seen = np.concatenate([points, z], 1) @ camera.turn[:2].T
    return np.asarray(seen * camera.scale + np.array(camera.middle), np.float32)
