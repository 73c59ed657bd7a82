"""Area averages of one picture at any scale, from one integral image.

The windows are those of torch's adaptive average pooling, which is what `area` interpolation is:
window i of n over a length L runs from floor(i L / n) up to ceil((i + 1) L / n).
"""

import itertools
from typing import Self

import numpy as np
from numpy.typing import NDArray

from visavox.types import Pixels

Levels = NDArray[np.float32]
Indices = NDArray[np.int64]
Sizes = tuple[tuple[int, int], ...]

_EXACT = 2**24 // 255
"""Pixels of a window whose sum float32 still holds exactly."""


class Scratch:
    """Memory to be used again: fresh pages cost more than the sums that are written to them.

    Belongs to one thread, and holds one picture at a time, and the plan of one pyramid: a camera's
    pictures are all of one size.
    """

    _LARGEST = 8_000_000  # entries; larger pictures are rare and give their memory back

    def __init__(self) -> None:
        self._integral = np.empty((1, 3, 1), np.int32)
        self._plan: _Plan | None = None

    def integral(self, height: int, width: int) -> NDArray[np.int32]:
        """Uninitialised (H + 1, 3, W + 1)."""
        shape = (height + 1, 3, width + 1)
        if self._integral.shape == shape:
            return self._integral
        made = np.empty(shape, np.int32)
        if made.size <= self._LARGEST:
            self._integral = made
        return made

    def plan(self, height: int, width: int, sizes: Sizes) -> "_Plan":
        if self._plan is not None and self._plan.shape == (height, width, sizes):
            return self._plan
        made = _Plan(height, width, sizes)
        if made.area.size * 4 <= self._LARGEST:
            self._plan = made
        return made


class _Plan:
    """Where in an integral image the corners of all windows of a pyramid lie."""

    def __init__(self, height: int, width: int, sizes: Sizes) -> None:
        self.shape = (height, width, sizes)
        line = 3 * (width + 1)
        channel = np.arange(3)[:, None, None] * (width + 1)
        corners: list[list[Indices]] = []
        areas = []
        for size in sizes:
            upper, lower = (y[:, None] * line for y in _windows(size[0], height))
            first, last = (x + channel for x in _windows(size[1], width))  # (3, 1, w)
            pairs = ((lower, last), (lower, first), (upper, last), (upper, first))
            corners.append([(y + x).ravel() for y, x in pairs])
            area = ((lower - upper) // line) * (last - first)[0]
            areas.append(np.broadcast_to(area, (3, *size)).ravel())
        self.corners = [np.concatenate(level) for level in zip(*corners, strict=True)]
        self.area = np.concatenate(areas)
        self.ends = np.cumsum([3 * h * w for h, w in sizes]).tolist()


class AreaPicture:
    """A picture whose area averages cost the same at every scale."""

    def __init__(self, integral: NDArray[np.int32], scratch: Scratch) -> None:
        self._integral = integral  # (H + 1, 3, W + 1)
        self._scratch = scratch
        self.height = integral.shape[0] - 1
        self.width = integral.shape[2] - 1

    @classmethod
    def of(cls, frame: Pixels, scratch: Scratch) -> Self:
        """`frame`, until `scratch` is used for the next one."""
        integral = scratch.integral(frame.shape[0], frame.shape[1])
        integral[0] = 0
        integral[:, :, 0] = 0
        np.copyto(integral[1:, :, 1:], frame.transpose(0, 2, 1))
        # One running sum through all lines: what came before a line drops out of every
        # difference within it, and so does what wraps around. numpy sums int32 the fastest.
        flat = integral.ravel()
        np.cumsum(flat, dtype=np.int32, out=flat)
        # numpy's own cumsum down a column walks against the memory: four times slower.
        for above, below in itertools.pairwise(integral):
            np.add(above, below, out=below)
        return cls(integral, scratch)

    def pyramid(self, sizes: Sizes) -> list[Levels]:
        """The whole picture at each size (h, w): (1, 3, h, w), in 0..255."""
        # All levels at once: most of them are too small to be worth a pass of their own.
        plan = self._scratch.plan(self.height, self.width, sizes)
        means = _means(self._sums(*plan.corners), plan.area)
        parts = np.split(means, plan.ends[:-1])
        return [part.reshape(1, 3, *size) for part, size in zip(parts, sizes, strict=True)]

    def crops(self, corners: NDArray[np.int64], side: int) -> Levels:
        """Boxes (K, 4: left, top, right, bottom) at one size: (K, 3, side, side), in 0..255."""
        left, top, right, bottom = corners.T[:, :, None]
        y0, y1 = _windows(side, bottom - top)  # (K, side)
        x0, x1 = _windows(side, right - left)
        line = 3 * (self.width + 1)
        channel = np.arange(3)[:, None] * (self.width + 1)
        rows = [((y + top) * line)[:, None, :, None] for y in (y0, y1)]
        columns = [((x + left)[:, None, :] + channel)[:, :, None, :] for x in (x0, x1)]
        (upper, lower), (first, last) = rows, columns  # (K, 1, side, 1), (K, 3, 1, side)
        sums = self._sums(lower + last, lower + first, upper + last, upper + first)
        area = (y1 - y0)[:, :, None] * (x1 - x0)[:, None, :]
        return _means(sums, area[:, None])

    def _sums(
        self, plus: Indices, left: Indices, above: Indices, both: Indices
    ) -> NDArray[np.int32]:
        flat = self._integral.ravel()
        sums = flat.take(plus)
        sums -= flat.take(left)
        sums -= flat.take(above)
        sums += flat.take(both)
        return sums


def _means(sums: NDArray[np.int32], area: Indices) -> Levels:
    """Correctly rounded quotients; `sums` are read without a sign."""
    if area.size and area.max() > _EXACT:
        wide: Levels = (sums.view(np.uint32) / area).astype(np.float32)
        return wide
    means = sums.astype(np.float32)
    means /= area.astype(np.float32)
    return means


def _windows(count: int, length: int | Indices) -> tuple[Indices, Indices]:
    """First and last-but-one index of `count` windows over each length: (..., count)."""
    steps = np.arange(count + 1) * length
    return steps[..., :-1] // count, -(-steps[..., 1:] // count)
