"""Boxes as facenet-pytorch's MTCNN reckons with them, in float32 like it."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]  # (K, 4) left, top, right, bottom
Floats = NDArray[np.float32]
Picks = NDArray[np.int64]

_BLOCK = 256


def suppressed(boxes: Boxes, scores: Floats, limit: float, *, groups: Picks | None = None) -> Picks:
    """Non-maximum suppression: what stays, best first. Boxes of other groups never overlap."""
    order = np.argsort(-scores, kind="stable")
    kept = np.empty(0, np.int64)
    # Blocks keep the memory bounded when a noisy picture gives thousands of candidates.
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        if len(kept):
            over = _exceeds(boxes, block, kept, limit, groups)
            block = block[~over.any(axis=1)]
        kept = np.concatenate((kept, block[_greedy(_exceeds(boxes, block, block, limit, groups))]))
    return kept


def _greedy(over: NDArray[np.bool_]) -> list[int]:
    """Take the first that nobody taken stands in the way of, again and again."""
    # Rows as whole numbers: each step is then one operation, however many boxes there are.
    width = -(-over.shape[1] // 8)
    bits = np.packbits(over, axis=1, bitorder="little").tobytes()
    taken, gone = [], 0
    for i in range(len(over)):
        if not gone >> i & 1:
            taken.append(i)
            gone |= int.from_bytes(bits[i * width : (i + 1) * width], "little")
    return taken


def _exceeds(
    boxes: Boxes, some: Picks, others: Picks, limit: float, groups: Picks | None
) -> NDArray[np.bool_]:
    a, b = boxes[some].T[:, :, None], boxes[others].T[:, None]  # left, top, right, bottom
    across = np.minimum(a[2], b[2]) - np.maximum(a[0], b[0])
    along = np.minimum(a[3], b[3]) - np.maximum(a[1], b[1])
    both = np.maximum(across, 0) * np.maximum(along, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    over: NDArray[np.bool_] = both > limit * union
    if groups is not None:
        over &= groups[some][:, None] == groups[others]
    return over


def suppressed_by_the_smaller(boxes: Boxes, scores: Floats, limit: float) -> Picks:
    """The last suppression: overlap is measured against the smaller box, pixels counted whole."""
    order = np.argsort(scores, kind="stable")[::-1]
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        side = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(
            boxes[best, :2], boxes[rest, :2]
        )
        both = np.maximum(side + 1, 0).prod(axis=1)
        order = rest[both / np.minimum(areas[best], areas[rest]) <= limit]
    return np.array(kept, np.int64)


def squared(boxes: Boxes) -> Boxes:
    """Each box about its centre, as wide and high as its longer side."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + size * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate((corner, corner + side), axis=1)


def corrected(boxes: Boxes, offset: Floats, *, whole_pixels: bool) -> Boxes:
    """Each corner moved by its offset, a share of the box's width and height."""
    size = boxes[:, 2:] - boxes[:, :2] + np.float32(whole_pixels)
    return boxes + offset * np.concatenate((size, size), axis=1)


def inside(boxes: Boxes, *, width: int, height: int) -> tuple[Picks, NDArray[np.int64]]:
    """Which boxes have pixels in the picture, and the corners (K, 4) to cut them at."""
    corners = np.trunc(boxes).astype(np.int64)
    corners[:, :2] = np.maximum(corners[:, :2], 1) - 1
    corners[:, 2:] = np.minimum(corners[:, 2:], (width, height))
    there = np.flatnonzero((corners[:, 2:] > corners[:, :2]).all(axis=1))
    return there, corners[there]
