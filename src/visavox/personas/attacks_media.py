"""What paper, screens and small loudspeakers do to a face and a voice."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from visavox.personas.room import Room, heard
from visavox.types import SAMPLE_RATE, Pixels, Waveform

Picture = NDArray[np.float32]  # (H, W, 3) in [0, 1]
Corners = NDArray[np.float64]  # (4, 2) x, y of a sheet's corners in the picture

_PAPER = np.array([1.0, 0.985, 0.95], np.float32)  # is never quite white


@dataclass(frozen=True, slots=True)
class Print:
    """A sheet of paper with a face on it, and the hand that holds it."""

    corners: Corners
    bend_px: float
    saturation: float
    darkest: float
    lightest: float
    dots: float  # depth of the printer's raster
    dot_px: float
    fibres: Picture  # (H, W, 1) the paper's own texture, about 1
    glare: Picture  # (H, W, 1)
    table: Picture  # (3,) what lies around the sheet

    @classmethod
    def draw(cls, rng: Generator, size: tuple[int, int]) -> Self:
        return cls(
            corners=_sheet(rng, size, margin=0.05, skew=0.03),
            bend_px=float(rng.normal(0, 0.012) * size[0]),
            saturation=float(rng.uniform(0.55, 0.8)),
            darkest=float(rng.uniform(0.1, 0.2)),
            lightest=float(rng.uniform(0.8, 0.92)),
            dots=float(rng.uniform(0.02, 0.06)),
            dot_px=float(rng.uniform(2.2, 3.4)),
            fibres=(
                1
                + 0.02 * rng.standard_normal((*size, 1), dtype=np.float32)
                + 0.03 * _cloud(rng, size)
            ),
            glare=np.maximum(_cloud(rng, size) - 0.4, 0) * np.float32(rng.uniform(0, 0.25)),
            table=rng.uniform(0.1, 0.6, 3).astype(np.float32),
        )

    def printed(self, frame: Pixels) -> Picture:
        """The sheet as it leaves the printer: fewer colours, a raster, a white border."""
        ink: Picture = frame.astype(np.float32) / np.float32(255)
        grey = ink.mean(axis=2, keepdims=True)
        ink = np.float32(1 - self.saturation) * grey + np.float32(self.saturation) * ink
        ink = self.darkest + (self.lightest - self.darkest) * ink
        ink = _softened(ink) * _PAPER
        y, x = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32)
        step = np.float32(2 * np.pi / self.dot_px)
        raster = np.sin(step * (0.97 * x + 0.26 * y)) * np.sin(step * (0.97 * y - 0.26 * x))
        ink += self.dots * raster[..., None]
        edge = max(2, min(ink.shape[:2]) // 40)
        border = np.full_like(ink, self.lightest + 0.04)
        border[edge:-edge, edge:-edge] = ink[edge:-edge, edge:-edge]
        return np.asarray(border * self.fibres + self.glare, np.float32)

    def held(self, printed: Picture, rng: Generator) -> Pixels:
        """One picture that the camera takes of the sheet; the hand moves a little."""
        sway = rng.normal(0, 0.0015 * printed.shape[0], (1, 2))
        return _pixels(_laid(printed, self.corners + sway, self.bend_px, self.table))


@dataclass(frozen=True, slots=True)
class Screen:
    """A telephone or tablet that shows a film to the camera."""

    corners: Corners
    glow: float
    blue: float
    moire: Picture  # (H, W, 3) about 0
    band_px: float  # of the brightness that rolls down the screen
    band: float
    bezel: Picture  # (3,)

    @classmethod
    def draw(cls, rng: Generator, size: tuple[int, int]) -> Self:
        return cls(
            corners=_sheet(rng, size, margin=0.04, skew=0.015),
            glow=float(rng.uniform(0.04, 0.12)),
            blue=float(rng.uniform(0.06, 0.16)),
            moire=_moire(
                size,
                pitch_px=float(rng.uniform(1.05, 1.45)),
                angle=float(rng.uniform(-0.15, 0.15)),
                depth=float(rng.uniform(0.03, 0.09)),
            ),
            band_px=float(rng.uniform(0.4, 1.2) * size[0]),
            band=float(rng.uniform(0.01, 0.05)),
            bezel=np.full(3, rng.uniform(0.0, 0.08), np.float32),
        )

    def show(self, frame: Pixels, rng: Generator) -> Pixels:
        """One picture that the camera takes of the screen."""
        light: Picture = frame.astype(np.float32) / np.float32(255)
        # The backlight shines through black, and bright parts spill over.
        light = self.glow + (1 - self.glow) * light
        light += 0.12 * _spilt(np.maximum(light - 0.5, 0))
        light *= np.array([1 - self.blue, 1 - 0.2 * self.blue, 1 + self.blue], np.float32)
        flat = _laid(light, self.corners, 0.0, self.bezel)
        y = np.arange(len(flat), dtype=np.float32)[:, None, None]
        roll = np.sin(2 * np.pi * (y / self.band_px + rng.random()), dtype=np.float32)
        return _pixels(flat * (1 + self.moire + self.band * roll))


def _moire(size: tuple[int, int], *, pitch_px: float, angle: float, depth: float) -> Picture:
    """Two grids of nearly the same pitch beat: the camera's samples fold the screen's down.

    Red, green and blue stripes lie side by side, so their beats lie a third of a turn apart.
    """
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    step = np.float32(2 * np.pi / pitch_px)
    beat = np.stack([np.cos(step * along + k * 2.1) for k in range(3)], axis=2)
    beat = 0.7 * beat + 0.3 * np.cos(step * across)[..., None]
    return np.asarray(depth * beat, np.float32)


@dataclass(frozen=True, slots=True)
class Loudspeaker:
    """A small loudspeaker in a room of its own before the kiosk's microphone."""

    low_hz: float
    high_hz: float
    ring_hz: float  # of the case
    ring_db: float
    drive: float  # how far the membrane is pushed
    room: Room

    @classmethod
    def draw(cls, rng: Generator) -> Self:
        return cls(
            low_hz=float(rng.uniform(250, 550)),
            high_hz=float(rng.uniform(4500, 7000)),
            ring_hz=float(rng.uniform(700, 2200)),
            ring_db=float(rng.uniform(3, 9)),
            drive=float(rng.uniform(1.0, 3.0)),
            room=Room.draw(rng, hardness=0.5),
        )

    def play(self, waveform: Waveform, rng: Generator) -> Waveform:
        """What the kiosk records when this loudspeaker plays `waveform`."""
        peak = float(np.abs(waveform).max(initial=0.0))
        if peak == 0:
            return heard(waveform, self.room, rng)
        # A membrane at its limit: even and odd harmonics.
        pushed = np.tanh(self.drive * (waveform / peak) + 0.15) - np.tanh(0.15)
        hertz = np.fft.rfftfreq(len(pushed), 1 / SAMPLE_RATE)
        gain = 1 / np.sqrt(1 + (self.low_hz / np.maximum(hertz, 1)) ** 6)
        gain /= np.sqrt(1 + (hertz / self.high_hz) ** 10)
        bell = np.exp(-0.5 * (np.log2(np.maximum(hertz, 1) / self.ring_hz) / 0.2) ** 2)
        gain *= 10 ** (self.ring_db * bell / 20)
        played = np.fft.irfft(np.fft.rfft(pushed) * gain, len(pushed)).astype(np.float32)
        played *= np.float32(_rms(waveform) / max(_rms(played), 1e-9))
        return heard(played, self.room, rng)


def _rms(waveform: Waveform) -> float:
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


def _sheet(rng: Generator, size: tuple[int, int], *, margin: float, skew: float) -> Corners:
    """Corners of a flat thing held nearly straight before the camera, clockwise from top left."""
    height, width = size
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
    inset = margin * rng.uniform(0.3, 1.0)
    placed = inset + unit * (1 - 2 * inset) + rng.normal(0, skew, (4, 2)).clip(-2 * skew, 2 * skew)
    return np.asarray(placed * (width - 1, height - 1), np.float64)


def _laid(sheet: Picture, corners: Corners, bend_px: float, around: Picture) -> Picture:
    """The sheet seen in perspective, its corners at `corners`, on a plain ground."""
    height, width = sheet.shape[:2]
    source = np.array(
        [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float64
    )
    plane = _homography(corners, source)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v, w = (plane[i, 0] * x + plane[i, 1] * y + plane[i, 2] for i in range(3))
    u, v = u / w, v / w
    if bend_px:
        v = v + np.float32(bend_px) * np.sin(np.pi * u / (width - 1))
    inside = (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
    left = np.clip(u, 0, width - 1.001).astype(np.intp)
    top = np.clip(v, 0, height - 1.001).astype(np.intp)
    left, top = np.minimum(left, width - 2), np.minimum(top, height - 2)
    a = np.clip(u - left, 0, 1)[..., None].astype(np.float32)
    b = np.clip(v - top, 0, 1)[..., None].astype(np.float32)
    flat = sheet.reshape(-1, 3)
    at = top * width + left
    corner = [flat.take(at + by, axis=0) for by in (0, 1, width, width + 1)]
    upper = corner[0] + a * (corner[1] - corner[0])
    lower = corner[2] + a * (corner[3] - corner[2])
    upper += b * (lower - upper)
    upper[~inside] = around
    return np.asarray(upper, np.float32)


def _homography(source: Corners, target: Corners) -> NDArray[np.float32]:
    """The plane projection (3, 3) that takes four points to four others."""
    rows, sides = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        sides += [u, v]
    solved = np.linalg.solve(np.array(rows), np.array(sides))
    return np.append(solved, 1.0).reshape(3, 3).astype(np.float32)


def _softened(picture: Picture) -> Picture:
    """A slight blur: each pixel with its neighbours, in both directions."""
    out = picture
    for axis in (0, 1):
        edges = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = np.moveaxis(np.pad(out, edges, mode="edge"), axis, 0)
        soft = 0.5 * padded[1:-1] + 0.25 * (padded[:-2] + padded[2:])
        out = np.moveaxis(soft, 0, axis)
    return np.asarray(out, np.float32)


def _spilt(picture: Picture) -> Picture:
    """A wide blur, made small for speed: light does not spill in detail."""
    height, width = picture.shape[:2]
    by = 4
    small = _softened(_softened(np.ascontiguousarray(picture[::by, ::by])))
    return np.repeat(np.repeat(small, by, axis=0), by, axis=1)[:height, :width]


def _cloud(rng: Generator, size: tuple[int, int]) -> Picture:
    """Slow stains of about unit height, (H, W, 1)."""
    coarse = rng.standard_normal((7, 7))
    grid = np.arange(7)
    rows = np.linspace(0, 6, size[0])
    columns = np.linspace(0, 6, size[1])
    tall = np.stack([np.interp(rows, grid, c) for c in coarse.T], axis=1)  # (H, 7)
    wide = np.stack([np.interp(columns, grid, r) for r in tall])  # (H, W)
    return np.asarray(wide[..., None], np.float32)


def _pixels(picture: Picture) -> Pixels:
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)
