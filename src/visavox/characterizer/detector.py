"""MTCNN, the cascade that finds faces and five landmarks, in numpy and ONNX Runtime.

Zhang et al. 2016, as facenet-pytorch 2.5.3 implements it: P-net looks at every place of a picture
pyramid, R-net at what P-net proposes, O-net at what R-net leaves. The same faces, boxes and
landmarks as facenet-pytorch's; averages come from one integral image instead of one pass a scale.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from visavox.characterizer.area import AreaPicture, Scratch
from visavox.characterizer.boxes import (
    Boxes,
    Floats,
    corrected,
    inside,
    squared,
    suppressed,
    suppressed_by_the_smaller,
)
from visavox.characterizer.session import Net
from visavox.config import settings
from visavox.types import DetectedFace, Pixels

_CELL = 12  # pixels that one cell of P-net's map looks at
_STRIDE = 2
_SHARES = 4  # into which crops are dealt where somebody helps
_SMALLEST_SHARE = 2  # crops: fewer are not worth a run of their own

Answers = list[Floats]


@settings
class DetectorSettings:
    """What counts as a face."""

    min_face_size: int = 80
    """Side in pixels of the smallest face looked for: the largest lever on time."""
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    """Least probability after each of the three nets."""
    factor: float = 0.709
    """Each level of the pyramid is this times the size of the one below."""


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.scratch = Scratch()


class Detector:
    """Finds faces in pictures. May be used from several threads at once."""

    def __init__(self, settings: DetectorSettings | None = None, *, threads: int = 1) -> None:
        self.settings = settings or DetectorSettings()
        self._own = _PerThread()
        folder = resources.files("visavox.characterizer") / "detector_nets"
        self._pnet, self._rnet, self._onet = (
            Net((folder / name).read_bytes(), name=name, threads=threads)
            for name in ("pnet.onnx", "rnet.onnx", "onet.onnx")
        )

    def __call__(
        self, frame: Pixels, *, helper: Executor | None = None
    ) -> tuple[DetectedFace, ...]:
        """All faces in `frame`, the largest first. A `helper` looks at crops side by side."""
        scales = self._scales(frame)
        if not scales:
            return ()
        picture = AreaPicture.of(frame, self._own.scratch)
        boxes = self._propose(picture, scales)
        boxes = self._refine(picture, boxes, helper)
        return self._locate(picture, boxes, helper)

    def _scales(self, frame: Pixels) -> list[float]:
        scale = _CELL / self.settings.min_face_size
        shorter = min(frame.shape[:2]) * scale
        scales = []
        while shorter >= _CELL:
            scales.append(scale)
            scale *= self.settings.factor
            shorter *= self.settings.factor
        return scales

    def _propose(self, picture: AreaPicture, scales: list[float]) -> Boxes:
        """P-net over the pyramid: squares (K, 4), best first."""
        sizes = tuple((int(picture.height * s + 1), int(picture.width * s + 1)) for s in scales)
        maps = [self._pnet(level) for level in picture.pyramid(sizes)]  # (1, h, w), (1, 4, h, w)
        probability = np.concatenate([m[0].ravel() for m in maps])
        offset = np.concatenate([m[1].reshape(4, -1) for m in maps], axis=1)
        found = np.flatnonzero(probability >= self.settings.thresholds[0])
        # The cells of all levels stand in one row; back to which level, line and column.
        widths = np.array([m[0].shape[2] for m in maps])
        starts = np.cumsum([0, *(m[0].size for m in maps)])
        levels = np.searchsorted(starts, found, side="right") - 1
        cells = np.divmod(found - starts[levels], widths[levels])  # y, x
        corner = np.stack(cells[::-1], axis=1).astype(np.float32) * _STRIDE
        boxes = np.concatenate((corner + 1, corner + _CELL), axis=1)
        boxes = np.floor(boxes / np.array(scales, np.float32)[levels, None])
        scores = probability[found]
        kept = suppressed(boxes, scores, 0.5, groups=levels)
        kept = kept[suppressed(boxes[kept], scores[kept], 0.7)]
        return squared(corrected(boxes[kept], offset[:, found[kept]].T, whole_pixels=False))

    def _refine(self, picture: AreaPicture, boxes: Boxes, helper: Executor | None) -> Boxes:
        """R-net on the proposals: squares (K, 4), best first."""
        there, corners = inside(boxes, width=picture.width, height=picture.height)
        if not len(there):
            return boxes[:0]
        score, offset = _looked_at(self._rnet, picture, corners, 24, helper)  # (K,), (K, 4)
        passed = np.flatnonzero(score > self.settings.thresholds[1])
        boxes, score, offset = boxes[there[passed]], score[passed], offset[passed]
        kept = suppressed(boxes, score, 0.7)
        return squared(corrected(boxes[kept], offset[kept], whole_pixels=True))

    def _locate(
        self, picture: AreaPicture, boxes: Boxes, helper: Executor | None
    ) -> tuple[DetectedFace, ...]:
        """O-net on what is left: faces with landmarks, the largest first."""
        there, corners = inside(boxes, width=picture.width, height=picture.height)
        if not len(there):
            return ()
        score, offset, points = _looked_at(self._onet, picture, corners, 48, helper)
        passed = np.flatnonzero(score > self.settings.thresholds[2])
        boxes, score = boxes[there[passed]], score[passed]
        landmarks = _landmarks(boxes, points[passed])
        boxes = corrected(boxes, offset[passed], whole_pixels=True)
        kept = suppressed_by_the_smaller(boxes, score, 0.7)
        areas = (boxes[kept, 2:] - boxes[kept, :2]).prod(axis=1)
        return tuple(
            DetectedFace(boxes[i], landmarks[i], float(score[i]))
            for i in kept[np.argsort(-areas, kind="stable")]
        )


def _looked_at(
    net: Net,
    picture: AreaPicture,
    corners: NDArray[np.int64],
    side: int,
    helper: Executor | None,
) -> Answers:
    """What `net` says of each crop: (K,), (K, 4), and landmarks (K, 10) where it gives them."""
    shares = min(_SHARES, len(corners) // _SMALLEST_SHARE)
    if helper is None or shares < 2:
        return net(picture.crops(corners, side))
    parts = np.array_split(corners, shares)
    answers = _dealt(lambda i: net(picture.crops(parts[i], side)), shares, helper)
    return [np.concatenate(outputs) for outputs in zip(*answers, strict=True)]


def _dealt(work: Callable[[int], Answers], shares: int, helper: Executor) -> list[Answers]:
    """Each share of the work done once, by whoever comes to it first.

    A helper that is busy with something else costs nothing: all is done without it.
    """
    left = deque(range(shares))
    done: dict[int, Answers] = {}

    def some() -> None:
        while left:
            try:
                share = left.popleft()
            except IndexError:  # the other took the last
                return
            done[share] = work(share)

    try:
        beside = helper.submit(some)
    except RuntimeError:  # the helper was sent home
        some()
        return [done[share] for share in range(shares)]
    try:
        some()
    finally:
        left.clear()
        if not beside.cancel():
            beside.result()
    return [done[share] for share in range(shares)]


def _landmarks(boxes: Boxes, points: Floats) -> NDArray[np.float32]:
    """Shares of each box (K, 10: five x, five y) as places in the picture (K, 5, 2)."""
    shares = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return shares * size[:, None] + boxes[:, None, :2] - 1
