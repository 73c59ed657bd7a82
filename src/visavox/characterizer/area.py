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


class Scratch:
    """Memory to be used again: fresh pages cost more than the sums that are written to them.

    Belongs to one thread, and holds one picture at a time.
    """

    _LARGEST = 8_000_000  # entries; larger pictures are rare and give their memory back

    def __init__(self) -> None:
        self._lines = np.empty((0, 3, 0), np.uint8)
        self._integral = np.empty((0, 3, 0), np.uint32)

    def arrays(self, height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
        """Uninitialised (H, 3, W) and (H + 1, 3, W + 1)."""
        if self._lines.shape == (height, 3, width):
            return self._lines, self._integral
        lines = np.empty((height, 3, width), np.uint8)
        integral = np.empty((height + 1, 3, width + 1), np.uint32)
        if integral.size <= self._LARGEST:
            self._lines, self._integral = lines, integral
        return lines, integral


class AreaPicture:
    """A picture whose area averages cost the same at every scale."""

    def __init__(self, integral: NDArray[np.uint32]) -> None:
        self._integral = integral  # (H + 1, 3, W + 1)
        self.height = integral.shape[0] - 1
        self.width = integral.shape[2] - 1

    @classmethod
    def of(cls, frame: Pixels, scratch: Scratch) -> Self:
        """`frame`, until `scratch` is used for the next one.

        Sums wrap around in very large pictures; their differences are right all the same.
        """
        lines, integral = scratch.arrays(frame.shape[0], frame.shape[1])
        np.copyto(lines, frame.transpose(0, 2, 1))
        integral[0] = 0
        integral[:, :, 0] = 0
        np.cumsum(lines, axis=2, dtype=np.uint32, out=integral[1:, :, 1:])
        # numpy's own cumsum down a column walks against the memory: four times slower.
        for above, below in itertools.pairwise(integral):
            np.add(above, below, out=below)
        return cls(integral)

    def resized(self, height: int, width: int) -> Levels:
        """The whole picture at another size: (1, 3, height, width), in 0..255."""
        top, bottom = _windows(height, self.height)
        left, right = _windows(width, self.width)
        rows = self._integral[bottom] - self._integral[top]  # (height, 3, W + 1)
        sums = rows.take(right, axis=2) - rows.take(left, axis=2)  # (height, 3, width)
        area = np.multiply.outer(bottom - top, right - left).astype(np.float32)
        means: Levels = (sums.transpose(1, 0, 2) / area)[None].astype(np.float32)
        return means

    def crops(self, corners: NDArray[np.int64], side: int) -> Levels:
        """Boxes (K, 4: left, top, right, bottom) at one size: (K, 3, side, side), in 0..255."""
        left, top, right, bottom = corners.T[:, :, None]
        y0, y1 = _windows(side, bottom - top)  # (K, side)
        x0, x1 = _windows(side, right - left)
        line = 3 * (self.width + 1)
        channel = np.arange(3)[:, None] * (self.width + 1)
        rows = [((y + top) * line)[:, None, :, None] for y in (y0, y1)]
        columns = [((x + left)[:, None, :] + channel)[:, :, None, :] for x in (x0, x1)]
        flat = self._integral.ravel()
        (upper, lower), (first, last) = rows, columns  # (K, 1, side, 1), (K, 3, 1, side)
        sums = flat.take(lower + last)
        sums -= flat.take(lower + first)
        sums -= flat.take(upper + last)
        sums += flat.take(upper + first)
        area = ((y1 - y0)[:, :, None] * (x1 - x0)[:, None, :]).astype(np.float32)
        means: Levels = (sums / area[:, None]).astype(np.float32)
        return means


def _windows(count: int, length: int | Indices) -> tuple[Indices, Indices]:
    """First and last-but-one index of `count` windows over each length: (..., count)."""
    steps = np.arange(count + 1) * length
    return steps[..., :-1] // count, -(-steps[..., 1:] // count)
