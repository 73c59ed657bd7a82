"""MTCNN, the cascade that finds faces and five landmarks, in numpy and ONNX Runtime.

Zhang et al. 2016, as facenet-pytorch 2.5.3 implements it: P-net looks at every place of a picture
pyramid, R-net at what P-net proposes, O-net at what R-net leaves. The same faces, boxes and
landmarks as facenet-pytorch's; averages come from one integral image instead of one pass a scale.
"""

import threading
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

    def __call__(self, frame: Pixels) -> tuple[DetectedFace, ...]:
        """All faces in `frame`, the largest first."""
        scales = self._scales(frame)
        if not scales:
            return ()
        picture = AreaPicture.of(frame, self._own.scratch)
        boxes = self._propose(picture, scales)
        boxes = self._refine(picture, boxes)
        return self._locate(picture, boxes)

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
        found = [self._proposals(picture, scale) for scale in scales]
        boxes, offsets, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        levels = np.repeat(np.arange(len(found)), [len(f[0]) for f in found])
        kept = suppressed(boxes, scores, 0.5, groups=levels)
        kept = kept[suppressed(boxes[kept], scores[kept], 0.7)]
        return squared(corrected(boxes[kept], offsets[kept], whole_pixels=False))

    def _proposals(self, picture: AreaPicture, scale: float) -> tuple[Boxes, Floats, Floats]:
        size = int(picture.height * scale + 1), int(picture.width * scale + 1)
        probability, offset = self._pnet(picture.resized(*size))  # (1, h, w), (1, 4, h, w)
        y, x = np.nonzero(probability[0] >= self.settings.thresholds[0])
        corner = np.stack((x, y), axis=1).astype(np.float32) * _STRIDE
        boxes = np.floor(np.concatenate((corner + 1, corner + _CELL), axis=1) / np.float32(scale))
        return boxes, offset[0, :, y, x], probability[0, y, x]

    def _refine(self, picture: AreaPicture, boxes: Boxes) -> Boxes:
        """R-net on the proposals: squares (K, 4), best first."""
        there, corners = inside(boxes, width=picture.width, height=picture.height)
        if not len(there):
            return boxes[:0]
        score, offset = self._rnet(picture.crops(corners, 24))  # (K,), (K, 4)
        passed = np.flatnonzero(score > self.settings.thresholds[1])
        boxes, score, offset = boxes[there[passed]], score[passed], offset[passed]
        kept = suppressed(boxes, score, 0.7)
        return squared(corrected(boxes[kept], offset[kept], whole_pixels=True))

    def _locate(self, picture: AreaPicture, boxes: Boxes) -> tuple[DetectedFace, ...]:
        """O-net on what is left: faces with landmarks, the largest first."""
        there, corners = inside(boxes, width=picture.width, height=picture.height)
        if not len(there):
            return ()
        score, offset, points = self._onet(picture.crops(corners, 48))  # (K,), (K, 4), (K, 10)
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


def _landmarks(boxes: Boxes, points: Floats) -> NDArray[np.float32]:
    """Shares of each box (K, 10: five x, five y) as places in the picture (K, 5, 2)."""
    shares = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return shares * size[:, None] + boxes[:, None, :2] - 1
