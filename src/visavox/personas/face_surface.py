"""The bare head: its shape as a height field, and the colour of its skin, eyes and mouth."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visavox.personas.face_canvas import Canvas, Plane, hill, step
from visavox.personas.face_identity import FaceIdentity, Traits
from visavox.personas.face_scene import Look, Moment

_TONES = np.array([[0.96, 0.80, 0.71], [0.80, 0.59, 0.45], [0.57, 0.38, 0.27], [0.30, 0.19, 0.14]])


@dataclass(frozen=True, slots=True)
class Head:
    """The head's outline and height over a canvas."""

    half_width: Plane  # (H, 1)
    radius: Plane  # (H, W): 0 in the middle, 1 on the outline
    height: Plane  # (H, W)


@dataclass(frozen=True, slots=True)
class Mouth:
    """Where the mouth is at this moment."""

    x: float
    y: float
    half_width: float
    corner: float  # how far the corners lie below the middle
    gap: float  # half the opening


def mouth_of(t: Traits, m: Moment) -> Mouth:
    smile = m.smile
    return Mouth(
        x=t.skew_mouth,
        y=t.mouth_level + 0.035 * m.mouth_open - 0.012 * smile,
        half_width=t.mouth_width * (1.0 + 0.17 * smile - 0.10 * m.mouth_open),
        corner=-t.mouth_bend - 0.040 * smile - 0.020 * m.mouth_open,
        gap=0.004 + 0.075 * m.mouth_open + 0.010 * max(smile, 0.0),
    )


def eyes_of(t: Traits) -> tuple[tuple[int, float, float], ...]:
    """(side, x, y) of both eyes; side -1 is the picture's left."""
    return (
        (-1, -t.eye_apart, t.eye_level - t.skew_eye),
        (1, t.eye_apart, t.eye_level + t.skew_eye),
    )


def skin_colour(t: Traits, look: Look) -> NDArray[np.float32]:
    tone = np.clip(t.tone + look.tan, 0.0, 1.0)
    base = np.array([np.interp(tone, (0.0, 0.45, 0.75, 1.0), _TONES[:, c]) for c in range(3)])
    red, yellow = t.skin_red, t.skin_yellow
    return np.asarray(base * (1 + np.array([red, -red * 0.5, -yellow - red * 0.5])), np.float32)


def shape(canvas: Canvas, t: Traits, look: Look, m: Moment) -> Head:
    """The height field, in half heads."""
    x, y = canvas.x, canvas.y
    full = t.fullness + look.weight
    chin = t.chin + 0.055 * m.mouth_open
    down = np.clip((y - 0.02) / (chin - 0.02), 0.0, 1.0)
    half_width = (t.width + full * hill(y - 0.45, 0.45)) * (1.0 - t.jaw * down**t.jaw_power)
    half_width += t.cheekbone * hill(y - 0.12, 0.22)
    half_height = np.where(y < 0, np.float32(t.crown), np.float32(chin))
    # Skulls are squarer above than chins are below.
    power = 2.1 + 0.5 * step(-y, 0.9)
    radius = np.sqrt(np.abs(x / half_width) ** power + np.abs(y / half_height) ** power)
    z = np.float32(t.relief) * dome(radius)

    def add(amount: float, cx: float, cy: float, wx: float, wy: float) -> None:
        nonlocal z
        z += np.float32(amount) * hill(x - cx, wx) * hill(y - cy, wy)

    def add_pair(amount: float, cx: float, cy: float, wx: float, wy: float) -> None:
        nonlocal z
        z += (np.float32(amount) * hill(y - cy, wy)) * (hill(x - cx, wx) + hill(x + cx, wx))

    e, length, nx = t.eye_level, t.nose_length, t.skew_nose
    tip = e + length
    add(t.nose_height, nx, tip - 0.035, t.nose_tip, 0.075)
    add(0.62 * t.nose_height, nx * 0.5, e + 0.42 * length, t.nose_bridge, 0.62 * length)
    add(t.nose_hump, nx * 0.5, e + 0.35 * length, t.nose_bridge * 0.8, 0.09)
    add_pair(0.36 * t.nose_height, t.nose_width * 0.78, tip - 0.015, t.nose_width * 0.42, 0.045)
    add_pair(-t.eye_depth, t.eye_apart, e, 0.165, 0.105)
    add_pair(0.055, t.eye_apart, e, t.eye_width * 0.9, t.eye_height * 1.5)
    add_pair(t.forehead, t.eye_apart * 0.9, e - t.brow_height, 0.19, 0.06)
    add_pair(t.cheekbone + 0.02 + 0.03 * max(m.smile, 0.0), 0.39, 0.20, 0.17, 0.16)
    mouth = mouth_of(t, m)
    lips = (t.lip_upper + t.lip_lower) * 0.9 + mouth.gap
    add(0.055, mouth.x, mouth.y, mouth.half_width * 0.9, lips)
    add(-0.03, mouth.x, mouth.y + t.lip_lower + mouth.gap + 0.06, 0.15, 0.04)
    add(t.chin_point, 0.0, chin - 0.14, t.chin_width, 0.12)
    return Head(half_width, radius, z)


def dome(radius: Plane) -> Plane:
    """Height over the distance from the middle: a ball, with a straight skirt at its rim.

    A ball's rim is upright, and a turned head would hide a part of it behind another; with
    slopes below 2 every point of a face turned by ±0.42 is seen just once.
    """
    rim = 0.85
    slope = rim / np.sqrt(1.0 - rim * rim)
    ball = np.sqrt(1.0 - np.square(np.minimum(radius, np.float32(rim))))
    return np.asarray(ball - np.float32(slope) * np.maximum(radius - np.float32(rim), 0.0))


def skin(canvas: Canvas, face: FaceIdentity, look: Look, m: Moment) -> None:
    """Skin, brows, eyes, nose and mouth, without light."""
    t = face.traits
    base = skin_colour(t, look)
    canvas.pixels[:] = base[:, None, None]
    _blush(canvas, t, m)
    _marks(canvas, face)
    _folds(canvas, t, look, m)
    for side, x, y in eyes_of(t):
        _eye(canvas, t, look, m, base, side, x, y)
    _nose(canvas, t)
    _mouth(canvas, t, look, m, base)


def brows(canvas: Canvas, t: Traits, look: Look, m: Moment, colour: NDArray[np.float32]) -> None:
    """Brows lie over the skin; their colour follows the hair's."""
    thick = max(t.brow_thick * (1.0 + 1.2 * look.brow_groomed), 0.008)
    for side, ex, ey in eyes_of(t):
        y = ey - t.brow_height - 0.035 * m.brows_up + side * t.skew_brow
        w = canvas.window(ex * 1.03, y, t.brow_width * 1.4, 0.11)
        u = w.x * (side / t.brow_width)  # -1 at the nose, 1 at the temple
        line = w.y + t.brow_arch * (1.0 - u * u) + t.brow_tilt * 0.12 * u - 0.01
        taper = np.clip(1.15 - 0.45 * (u + 0.4) ** 2, 0.12, None) * thick
        cover = step(1.0 - np.abs(line) / taper, 1.0) * step(1.08 - np.abs(u), 0.25)
        dense = min(max(t.brow_dense + 0.25 * look.make_up, 0.15), 0.95)
        canvas.paint(w, cover * np.float32(dense), colour * 0.75)


def _blush(canvas: Canvas, t: Traits, m: Moment) -> None:
    for side in (-1, 1):
        w = canvas.window(side * 0.40, 0.22, 0.42, 0.38)
        strength = max(t.blush, 0.0) * (1.0 + 0.5 * max(m.smile, 0.0))
        canvas.shade(
            w, hill(w.x, 0.18) * hill(w.y, 0.15) * np.float32(strength), (1.04, 0.72, 0.74)
        )
    w = canvas.window(t.skew_nose, t.eye_level + t.nose_length, 0.2, 0.15)
    canvas.shade(w, hill(w.x, 0.08) * hill(w.y, 0.06) * np.float32(0.12), (1.02, 0.75, 0.75))


def _marks(canvas: Canvas, face: FaceIdentity) -> None:
    """Uneven skin, freckles and moles: this person's alone."""
    t = face.traits
    rng = np.random.default_rng(face.marks)
    grain = _grain()
    r0, c0 = rng.integers(0, 64, 2)
    part = grain[r0 : r0 + canvas.height, c0 : c0 + canvas.width]
    canvas.pixels *= 1.0 + np.float32(0.008 + 0.020 * t.age) * part
    moles = int(t.moles**2 * 7)
    freckled = max(t.freckles - 0.72, 0.0) / 0.28 * max(0.75 - t.tone, 0.0)
    spots = [
        (0.55, 0.008, 0.016, 0.45, 0.75, moles),
        (0.30 * freckled, 0.006, 0.011, 0.40, 0.16, int(60 * freckled)),
    ]
    for dark, small, large, wide, tall, count in spots:
        places = rng.normal(0.0, 1.0, (count, 2)) * (wide / 1.5, tall / 1.5) + (0.0, 0.12)
        sizes = rng.uniform(small, large, count)
        for (x, y), size in zip(places, sizes, strict=True):
            w = canvas.window(float(x), float(y), 0.04, 0.04)
            cover = hill(w.x, float(size)) * hill(w.y, float(size))
            canvas.shade(w, cover * np.float32(dark), (0.45, 0.30, 0.25))


def _folds(canvas: Canvas, t: Traits, look: Look, m: Moment) -> None:
    """Lines that age, tiredness and smiles draw."""
    deep = max(t.folds, 0.0)
    dark = (0.62, 0.50, 0.45)
    for side in (-1, 1):
        # From the nose's wing around the mouth.
        w = canvas.window(side * 0.27, 0.36, 0.20, 0.22)
        line = side * w.x - 0.35 * w.y - 0.02
        cover = hill(line, 0.022) * hill(w.y, 0.13)
        strength = min(0.10 + 1.3 * deep + 0.25 * max(m.smile, 0.0), 0.75)
        canvas.shade(w, cover * np.float32(strength), dark)
        # Beside the eye.
        x = side * (t.eye_apart + t.eye_width + 0.07)
        w = canvas.window(x, t.eye_level, 0.09, 0.10)
        fan = np.abs(np.sin((w.y / (0.06 + side * w.x * 0.5 + 0.04)) * 4.0))
        cover = hill(w.x, 0.05) * hill(w.y, 0.06) * (1.0 - fan)
        canvas.shade(w, cover * np.float32(min(deep * (1.2 + max(m.smile, 0.0)), 0.7)), dark)
        # Under the eye.
        y = t.eye_level + t.eye_height + 0.055
        w = canvas.window(side * t.eye_apart, y, 0.20, 0.08)
        cover = hill(w.x, 0.10) * hill(w.y, 0.024)
        strength = min(max(t.bags + 0.12 * look.tired, 0.0), 0.8)
        canvas.shade(w, cover * np.float32(strength), (0.70, 0.60, 0.62))
    for k, y in enumerate((-0.33, -0.41, -0.49)):
        w = canvas.window(0.0, y - 0.01 * m.brows_up, 0.42, 0.04)
        cover = hill(w.x, 0.30) * hill(w.y - 0.05 * w.x * w.x, 0.010)
        strength = min((deep * 0.9 + 0.10 * max(m.brows_up, 0.0)) * (1.0 - 0.2 * k), 0.7)
        canvas.shade(w, cover * np.float32(strength), dark)


def _eye(
    canvas: Canvas,
    t: Traits,
    look: Look,
    m: Moment,
    base: NDArray[np.float32],
    side: int,
    x: float,
    y: float,
) -> None:
    soft = 1.3 / canvas.density
    wide = t.eye_width
    tall = t.eye_height * (1.0 - 0.18 * max(m.smile, 0.0)) * (1.0 - 0.10 * look.tired)
    w = canvas.window(x, y, wide * 1.6, 0.17)
    tilted = w.y + (t.eye_tilt * side) * w.x
    arc = np.clip(1.0 - np.square(w.x / wide), 0.0, None) ** 0.75
    upper = -tall * m.eyes_open * arc
    lower = 0.72 * tall * arc
    inside = (
        step(tilted - upper, soft) * step(lower - tilted, soft) * step(wide - np.abs(w.x), soft)
    )
    # The socket is darker, the more so with make-up.
    socket = hill(w.x, wide * 1.1) * hill(tilted + tall * 1.2, 0.055)
    canvas.shade(w, socket * np.float32(0.22 + 0.45 * look.make_up), (0.62, 0.50, 0.50))
    canvas.paint(w, inside, (0.93, 0.91, 0.89))
    ix, iy = w.x - m.gaze[0] * wide * 0.45, tilted + tall * 0.10 - m.gaze[1] * tall * 0.5
    out = np.sqrt(ix * ix + iy * iy)
    iris = _iris(t)
    canvas.paint(w, inside * step(t.iris_size - out, soft), iris)
    canvas.paint(w, inside * hill(out - t.iris_size, 0.010) * np.float32(0.6), iris * 0.35)
    canvas.paint(w, inside * step(t.iris_size * 0.45 - out, soft), (0.02, 0.02, 0.02))
    glint = hill(ix + 0.016, 0.011) * hill(iy + 0.016, 0.011)
    canvas.paint(w, inside * glint * np.float32(0.85), (1.0, 1.0, 1.0))
    canvas.shade(w, inside * hill(tilted - upper, 0.022) * np.float32(0.55), (0.45, 0.40, 0.40))
    # Lashes and the lid's fold.
    near = step(wide * 1.08 - np.abs(w.x), 0.03)
    lash = min(max(t.lash + 0.5 * look.make_up, 0.2), 1.0)
    canvas.paint(
        w,
        near * hill(tilted - upper, 0.012 + 0.006 * look.make_up) * np.float32(lash),
        (0.07, 0.05, 0.05),
    )
    canvas.shade(w, near * hill(tilted - lower, 0.010) * np.float32(0.45), (0.50, 0.38, 0.36))
    fold = tilted + tall * max(m.eyes_open, 0.8) * arc + max(t.lid_fold, 0.004)
    canvas.shade(w, near * hill(fold, 0.009) * np.float32(0.55), (0.50, 0.38, 0.35))
    del base


def _iris(t: Traits) -> NDArray[np.float32]:
    """Brown in most, and in the pale-skinned blue, grey or green."""
    brown = np.array([0.30, 0.17, 0.08]) * (0.35 + 0.9 * t.iris_tone)
    pale = (
        np.array([0.30, 0.45, 0.62]) * (1 - t.iris_hue) + np.array([0.35, 0.45, 0.25]) * t.iris_hue
    )
    light = np.clip((0.55 - t.tone) * 2.5, 0.0, 1.0) * np.clip((t.iris_tone - 0.45) * 6.0, 0.0, 1.0)
    return np.asarray(brown * (1 - light) + pale * light, np.float32)


def _nose(canvas: Canvas, t: Traits) -> None:
    y = t.eye_level + t.nose_length
    for side in (-1, 1):
        w = canvas.window(t.skew_nose + side * t.nose_width * 0.55, y + 0.018, 0.09, 0.06)
        cover = hill(w.x, t.nose_width * 0.24) * hill(w.y - 0.15 * side * w.x, 0.016)
        canvas.shade(
            w, cover * np.float32(min(max(t.nostril + 0.25, 0.25), 0.95)), (0.22, 0.13, 0.11)
        )
        w = canvas.window(t.skew_nose + side * t.nose_width * 1.15, y - 0.02, 0.09, 0.10)
        bow = side * w.x - 0.012 + 5.0 * w.y * w.y
        canvas.shade(w, hill(bow, 0.016) * hill(w.y, 0.045) * np.float32(0.45), (0.60, 0.45, 0.40))
    w = canvas.window(t.skew_nose, y + 0.045, 0.18, 0.06)
    canvas.shade(
        w, hill(w.x, t.nose_width) * hill(w.y, 0.022) * np.float32(0.35), (0.62, 0.50, 0.46)
    )


def _mouth(canvas: Canvas, t: Traits, look: Look, m: Moment, base: NDArray[np.float32]) -> None:
    soft = 1.6 / canvas.density
    mouth = mouth_of(t, m)
    up, low = max(t.lip_upper, 0.010), max(t.lip_lower, 0.014)
    w = canvas.window(mouth.x, mouth.y, mouth.half_width * 1.35, 0.26)
    u = np.clip(np.abs(w.x / mouth.half_width), 0.0, 1.0)
    arc = 1.0 - u * u
    line = w.y - mouth.corner * u * u
    bow = 1.0 - t.cupid * hill(w.x, 0.035) + 0.3 * t.cupid * hill(np.abs(w.x) - 0.055, 0.04)
    top = -(mouth.gap + up * bow) * arc**0.9
    bottom = (mouth.gap + low) * arc**0.7
    ends = step(mouth.half_width - np.abs(w.x), 0.03)
    lips = step(line - top, soft) * step(bottom - line, soft) * ends
    red = np.array([0.95, 0.60, 0.58]) * (1 - t.lip_red) + np.array([0.85, 0.42, 0.42]) * t.lip_red
    natural = base * red
    painted = np.array([0.72, 0.12, 0.20]) * (0.6 + 0.4 * float(base[0]))
    colour = natural * (1 - 0.7 * look.make_up) + painted * 0.7 * look.make_up
    canvas.paint(w, lips * np.float32(0.9), colour)
    canvas.shade(w, lips * step(-line, 0.02) * np.float32(0.25), (0.70, 0.62, 0.62))
    inner = step(mouth.gap * arc - np.abs(line), soft) * ends
    canvas.paint(w, inner * np.float32(0.95), (0.16, 0.06, 0.06))
    if mouth.gap > 0.02:
        teeth = inner * hill(line + mouth.gap * 0.75, 0.022) * step(0.75 - u, 0.2)
        canvas.paint(w, teeth * np.float32(0.85), (0.90, 0.87, 0.82))
    canvas.shade(w, hill(line, 0.010) * ends * np.float32(0.55), (0.35, 0.22, 0.22))
    below = hill(line - bottom - 0.025, 0.022) * hill(w.x, mouth.half_width * 0.7)
    canvas.shade(w, below * np.float32(0.30), (0.65, 0.54, 0.50))


@lru_cache(maxsize=1)
def _grain() -> Plane:
    """Soft unevenness, the same sheet for all; where a face lies on it is its own."""
    rng = np.random.default_rng(20)
    fine = rng.standard_normal((400, 400)).astype(np.float32)
    smooth = sum(np.roll(fine, (dy, dx), (0, 1)) for dy in (0, 1, 2) for dx in (0, 1, 2)) / 3.0
    coarse = np.kron(rng.standard_normal((40, 40)), np.ones((10, 10))).astype(np.float32)
    for _ in range(3):
        coarse = (coarse + np.roll(coarse, 4, 0) + np.roll(coarse, 4, 1)) / 2.2
    return np.asarray(0.7 * smooth + 0.8 * coarse, np.float32)
