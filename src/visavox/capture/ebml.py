"""WebM elements walked without decoding, so that a cut clip is told from a short one."""

from collections.abc import Iterator

from visavox.capture.guard import AGAIN, cut_short
from visavox.capture.limits import Limits
from visavox.errors import CaptureError

_SEGMENT, _CLUSTER, _GROUP = 0x18538067, 0x1F43B675, 0xA0
_PARENTS = frozenset({_SEGMENT, _CLUSTER, _GROUP})
_ELEMENTS = 200_000


def check_elements(data: bytes, _limits: Limits, part: str) -> None:
    """A CaptureError where an element ends beyond the file; live recordings are open-ended."""
    if _CLUSTER not in {name for name, _ in _walk(data, part)}:
        raise cut_short(part)


def _walk(data: bytes, part: str) -> Iterator[tuple[int, int]]:
    at = 0
    for _ in range(_ELEMENTS):
        if at == len(data):
            return
        name, at = _number(data, at, part, keep_marker=True)
        length_at = at
        length, at = _number(data, at, part, keep_marker=False)
        unknown = length == (1 << 7 * (at - length_at)) - 1
        yield name, at
        if name in _PARENTS:
            if not unknown and at + length > len(data):
                raise cut_short(part)
            continue  # into its children, which follow at once
        if unknown or at + length > len(data):
            raise cut_short(part)
        at += length
    raise CaptureError(f"{part} has too many elements.", next_step=AGAIN)


def _number(data: bytes, at: int, part: str, *, keep_marker: bool) -> tuple[int, int]:
    """A variable-length number and where it ends: leading zeros say how long it is."""
    if at >= len(data):
        raise cut_short(part)
    size = 9 - data[at].bit_length()
    if size > (4 if keep_marker else 8):
        raise CaptureError(f"{part} is damaged between its elements.", next_step=AGAIN)
    if at + size > len(data):
        raise cut_short(part)
    value = int.from_bytes(data[at : at + size], "big")
    return value if keep_marker else value & ((1 << 7 * size) - 1), at + size
