"""Hair, beard and glasses: what sits on the head, and what a person may change."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visavox.personas.face_canvas import Canvas, Plane, hill, step
from visavox.personas.face_identity import FaceIdentity, Traits
from visavox.personas.face_scene import Look, Moment
from visavox.personas.face_surface import Head, dome, eyes_of, mouth_of

# Ends at (y), top, sides, fringe: of short cuts, and of long ones
_SHORT = (
    (-0.30, 0.10, 0.10, 0.00),  # shaved
    (-0.18, 0.45, 0.30, 0.00),  # cropped
    (-0.10, 1.00, 0.50, 0.02),  # short
    (-0.05, 1.25, 0.60, -0.02),  # combed back
    (-0.05, 1.10, 0.70, 0.10),  # falling into the forehead
    (0.10, 1.40, 1.20, 0.04),  # full
    (0.55, 1.10, 1.10, 0.00),  # to the chin
)
_LONG = (
    (-0.05, 1.05, 0.70, 0.06),  # pixie
    (0.40, 1.15, 1.10, 0.00),  # bob
    (0.50, 1.20, 1.20, 0.22),  # bob with a fringe
    (0.95, 1.05, 0.90, 0.00),  # to the shoulders
    (1.45, 1.00, 0.85, 0.00),  # long
    (1.45, 1.10, 1.00, 0.20),  # long with a fringe
    (0.70, 1.70, 2.00, 0.03),  # voluminous
)


@dataclass(frozen=True, slots=True)
class Hair:
    """The hair of one day."""

    colour: NDArray[np.float32]  # (3,)
    end: float  # y where the sides end
    top: float  # beyond the crown
    side: float  # beyond the temples
    fringe: float
    shaved: bool

    def half_width(self, t: Traits, y: Plane) -> Plane:
        """Half the width of the hair's outline at each y."""
        widest = t.width + self.side
        above = np.clip(1.0 - np.abs(y / (t.crown + self.top)) ** 2.6, 0.0, None) ** (1 / 2.6)
        return np.asarray(np.where(y < 0, widest * above, widest * (1.0 + 0.04 * y)), np.float32)


def hair_of(t: Traits, look: Look) -> Hair:
    styles = _SHORT if t.masculinity > 0.5 else _LONG
    kind = min(int(t.hair_style * len(styles)), len(styles) - 1)
    end, top, side, fringe = styles[kind]
    bald = kind == 0 and styles is _SHORT
    if not bald:
        end += look.hair_length * (1.0 if end > 0.2 else 0.4)
    if look.hair_tied and end > 0.3:
        end, side, top = -0.05, 0.35 * side, 0.8 * top
    volume = look.hair_volume * (0.85 + 0.5 * t.hair_curl)
    return Hair(
        colour=hair_colour(t),
        end=end,
        top=max(t.hair_top * top * volume, 0.01),
        side=max(t.hair_side * side * volume, 0.008),
        fringe=fringe + look.fringe if not bald else 0.0,
        shaved=bald,
    )


def hair_colour(t: Traits) -> NDArray[np.float32]:
    """Black to blond, warm to ashen, grey with age; dark skin goes with dark hair."""
    dark = 1.0 - (1.0 - t.hair_dark) * float(np.clip(1.15 - 1.5 * t.tone, 0.08, 1.0))
    blond, brown, black = np.array([[0.72, 0.56, 0.34], [0.33, 0.20, 0.12], [0.07, 0.055, 0.05]])
    if dark < 0.5:
        base = blond + (brown - blond) * (dark / 0.5)
    else:
        base = brown + (black - brown) * ((dark - 0.5) / 0.5)
    red = max(t.hair_warm - 0.8, 0.0) * 2.5 * (1.0 - dark * 0.7)
    base = base * (1 + np.array([0.25, -0.15, -0.4]) * red)
    grey = float(np.clip((t.age - 0.55) * 2.5 * t.hair_grey, 0.0, 0.9))
    return np.asarray(base * (1 - grey) + np.array([0.62, 0.61, 0.60]) * grey, np.float32)


def hairdo(canvas: Canvas, face: FaceIdentity, hair: Hair, head: Head, height: Plane) -> Plane:
    """Paint the hair in front; raises `height` in place and returns its cover (H, W)."""
    t = face.traits
    x, y = canvas.x, canvas.y
    soft = 2.0 / canvas.density
    across = np.abs(x)
    line = (
        t.hairline
        + t.hairline_bend * 0.5 * x * x
        - t.temples * hill(across - 0.36, 0.14)
        + 5.0 * np.square(np.clip(across - 0.44, 0.0, None))
        + t.widow_peak * hill(x, 0.09)
        + hair.fringe * (1.0 + 0.5 * np.sin(9.0 * x + face.marks % 7)) * hill(x, 0.50)
        + 0.05 * np.clip(hair.fringe * 8.0, 0.0, 1.0) * (x - t.hair_part) * np.sign(t.hair_part)
    )
    outline = hair.half_width(t, y)
    end = min(hair.end, 0.45)
    fine = strands(canvas.height, canvas.width, face.marks, t.hair_curl)
    front = step(line + 0.02 * fine - y, soft * 2.0) * step(max(end, -0.15) - y, 0.10)
    sides = step(across - head.half_width * 0.93, soft) * step(end - y, 0.10)
    cover = np.maximum(front, sides) * step(outline - across, soft * 1.5)
    cover *= step(y + t.crown + hair.top, soft)
    if hair.shaved:
        cover *= np.float32(min(0.25 + 0.5 * t.hair_grey, 0.7))
    rise = dome(np.minimum(across / np.maximum(outline, 0.05), np.float32(1.3)))
    level = np.maximum(height + 0.3 * hair.top, rise * np.float32(0.6 * t.relief))
    if not hair.shaved:
        height += cover * (level + np.float32(0.012) * fine - height)
    parting = 1.0 - 0.35 * hill(x - t.hair_part, 0.018) * step(-0.55 - y, 0.1)
    tint = (1.0 + np.float32(0.30) * fine) * parting
    canvas.paint(canvas.everything(), cover, hair.colour, tint)
    return np.asarray(cover, np.float32)


def beard(canvas: Canvas, face: FaceIdentity, look: Look, m: Moment, head: Head) -> None:
    """Stubble, moustache, goatee or full beard of those who have one."""
    t = face.traits
    if not t.bearded:
        if t.masculinity > 0.6:  # a shaven shadow
            w = canvas.window(0.0, 0.60, 0.62, 0.45)
            shadow = hill(w.x, 0.42) * hill(w.y, 0.24) * np.float32(0.10 * look.beard)
            canvas.shade(w, shadow, (0.55, 0.58, 0.62))
        return
    kind = (t.beard_style - 0.5) * 2.0
    mouth = mouth_of(t, m)
    w = canvas.window(0.0, 0.55, 0.80, 0.60)
    y = w.y + 0.55
    fine = strands(canvas.height, canvas.width, face.marks + 1, 0.5)[w.rows, w.columns]
    nose_end = t.eye_level + t.nose_length + 0.035
    lip = hill(w.x - mouth.x, mouth.half_width * 1.05) * step(y - nose_end - 0.01, 0.03)
    lip = lip * step(mouth.y - y - t.lip_upper * 0.8 - mouth.gap, 0.03)
    chin = hill(w.x, 0.20) * step(y - mouth.y - t.lip_lower - mouth.gap - 0.04, 0.05)
    inner = np.square(w.x / (mouth.half_width * 1.35)) + np.square((y - mouth.y) / 0.17)
    jaw = step(np.abs(w.x) / head.half_width[w.rows] + 0.55 * (y - 0.30) - 0.62, 0.16)
    jaw = jaw * step(y - 0.10, 0.15) * step(inner - 1.0, 0.4)
    moustache, goatee, full = kind > 0.15, kind > 0.30, kind > 0.50
    cover = np.zeros_like(jaw)
    if moustache:
        cover = np.maximum(cover, lip)
    if goatee:
        cover = np.maximum(cover, chin)
    if full or not moustache:
        cover = np.maximum(np.maximum(cover, jaw), np.maximum(chin, lip))
    grown = 0.30 if not moustache else 0.62 + 0.2 * kind
    cover = cover * np.clip(np.float32(grown * look.beard) * (1.0 + 0.35 * fine), 0.0, 0.95)
    canvas.paint(w, cover, hair_colour(t) * 0.85)


def glasses(canvas: Canvas, t: Traits, look: Look) -> None:
    """A frame before the eyes, on the days when it is worn."""
    if not look.glasses:
        return
    dark = np.array([0.06, 0.05, 0.06]) + np.array([0.45, 0.33, 0.22]) * t.glasses_dark**2
    rx, ry = t.glasses_size, t.glasses_size * (0.70 + 0.28 * t.glasses_round)
    power = 4.0 - 2.0 * t.glasses_round
    thick = 0.012 + 0.018 * (1.0 - t.glasses_dark)
    y = t.eye_level + 0.02
    for side, x, _ in eyes_of(t):
        w = canvas.window(x * 1.02, y, rx * 1.35, ry * 1.45)
        out = (np.abs(w.x / rx) ** power + np.abs(w.y / ry) ** power) ** (1.0 / power)
        canvas.paint(w, step(1.0 - out, 0.1) * np.float32(0.07), (0.85, 0.92, 1.0))
        canvas.paint(w, hill(out - 1.0, thick / rx) * np.float32(0.95), dark)
        glare = hill(w.x + w.y - 0.05 * side, 0.025) * step(0.9 - out, 0.1)
        canvas.paint(w, glare * np.float32(0.18), (1.0, 1.0, 1.0))
        arm = canvas.window(side * (t.eye_apart * 1.02 + rx + 0.12), y - 0.03, 0.13, 0.04)
        canvas.paint(arm, hill(arm.y, thick) * np.ones_like(arm.x) * np.float32(0.9), dark)
    gap = t.eye_apart * 1.02 - rx
    w = canvas.window(0.0, y - 0.03, max(gap, 0.02), 0.06)
    canvas.paint(w, hill(w.y + 0.8 * w.x * w.x, thick) * np.float32(0.9), dark)


def strands(height: int, width: int, seed: int, curl: float) -> Plane:
    """Fine structure of hair, about -1..1: streaks when straight, tufts when curly."""
    streaks, tufts = _sheets()
    r, c = seed % 61, (seed // 61) % 61
    part = (slice(r, r + height), slice(c, c + width))
    return np.asarray((1.0 - curl) * streaks[part] + curl * tufts[part], np.float32)


@lru_cache(maxsize=1)
def _sheets() -> tuple[Plane, Plane]:
    rng = np.random.default_rng(21)
    noise = rng.standard_normal((480, 420)).astype(np.float32)
    streaks = np.cumsum(noise, 0)
    streaks = (streaks[48:] - streaks[:-48]) / np.sqrt(48.0)
    streaks = (
        0.6 * streaks + 0.5 * (streaks + np.roll(streaks, 1, 1) + np.roll(streaks, 2, 1)) / 1.7
    )
    tufts = np.zeros((432, 420), np.float32)
    for size in (4, 7):
        cells = rng.standard_normal((432 // size + 2, 420 // size + 2))
        big = np.kron(cells, np.ones((size, size)))[:432, :420]
        tufts += ((big + np.roll(big, 2, 0) + np.roll(big, 2, 1)) / 2.4).astype(np.float32)
    return (0.7 * streaks).astype(np.float32), (0.5 * tufts).astype(np.float32)
