"""A small float picture to paint soft shapes on, in the units of a head.

Speed is the point: shapes are painted only inside the window that they touch, and whatever
is a product of a row and a column is computed as one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]  # (H, W), or (1, W) or (H, 1); float32 wherever it is large


class Window(NamedTuple):
    """A part of the canvas, with coordinates relative to its centre."""

    rows: slice
    columns: slice
    x: Plane  # (1, w)
    y: Plane  # (h, 1)


class Canvas:
    """Pixels (3, H, W) over left..right × top..bottom, `density` pixels per half head."""

    def __init__(
        self, left: float, right: float, top: float, bottom: float, density: float
    ) -> None:
        self.left, self.top, self.density = left, top, density
        self.width = round((right - left) * density)
        self.height = round((bottom - top) * density)
        self.x = (left + (np.arange(self.width, dtype=np.float32) + 0.5) / density)[None, :]
        self.y = (top + (np.arange(self.height, dtype=np.float32) + 0.5) / density)[:, None]
        self.pixels = np.zeros((3, self.height, self.width), np.float32)

    def window(self, x: float, y: float, reach_x: float, reach_y: float) -> Window:
        """The window of ± reach around a point, cut at the canvas's edge."""
        d = self.density
        c0, c1 = round((x - reach_x - self.left) * d), round((x + reach_x - self.left) * d) + 1
        r0, r1 = round((y - reach_y - self.top) * d), round((y + reach_y - self.top) * d) + 1
        rows = slice(max(r0, 0), max(min(r1, self.height), 0))
        columns = slice(max(c0, 0), max(min(c1, self.width), 0))
        return Window(rows, columns, self.x[:, columns] - x, self.y[rows] - y)

    def paint(
        self,
        window: Window,
        cover: Plane,
        colour: Sequence[float] | Plane,
        tint: Plane | float = 1.0,
    ) -> None:
        """Lay `colour` times `tint` over the window, as thick as `cover` (0..1) says."""
        part = self.pixels[:, window.rows, window.columns]
        part += cover * (np.asarray(colour, np.float32).reshape(3, 1, 1) * np.float32(tint) - part)

    def shade(self, window: Window, cover: Plane, colour: Sequence[float]) -> None:
        """Multiply the window by `colour`, as far as `cover` (0..1) says."""
        part = self.pixels[:, window.rows, window.columns]
        part *= 1.0 + cover * (np.asarray(colour, np.float32).reshape(3, 1, 1) - 1.0)

    def everything(self) -> Window:
        return Window(slice(0, self.height), slice(0, self.width), self.x, self.y)


def hill(x: Plane, width: float) -> Plane:
    """A bell over x: 1 at 0, falling off over `width`."""
    return np.asarray(np.exp(-np.square(x / np.float32(width))))


def step(x: Plane, width: float) -> Plane:
    """0 below 0, 1 above, over a soft edge of `width`."""
    t = np.clip(x / np.float32(width) + np.float32(0.5), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))
