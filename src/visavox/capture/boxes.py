"""MP4 boxes walked without decoding: is all of it there, and does it claim too much?

libav allocates an index entry for each sample that a table declares, and a table of a few bytes
can declare billions; so the declared samples are summed here first.
"""

import struct
from collections.abc import Iterator

from visavox.capture.guard import AGAIN, cut_short
from visavox.capture.limits import Limits
from visavox.errors import CaptureError

_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"})
_BOXES = 100_000
_TRACKS = 10_000  # highest number of a track; libav counts up to it
_SAMPLES_PER_SECOND = 1_000  # of one track; each is a picture or ≥ 2.5 ms of sound


def check_boxes(data: bytes, limits: Limits, part: str) -> None:
    """A CaptureError where a box is cut short or its tables promise absurdly many samples."""
    most = int(_SAMPLES_PER_SECOND * limits.max_seconds)
    promised: dict[bytes, int] = {}
    names = set()
    for name, start, end in _walk(data, 0, len(data), part):
        names.add(name)
        if name == b"cmov":
            raise CaptureError(f"{part} has a compressed index.", next_step="Encode it plainly.")
        if name == b"tkhd" and _track(data, start, end) > _TRACKS:
            raise CaptureError(f"{part} numbers its tracks absurdly.", next_step=AGAIN)
        promised[name] = promised.get(name, 0) + _samples(data, name, start, end)
        # Two tracks at most are read, and each table counts every sample once.
        if promised[name] > 2 * most:
            raise CaptureError(f"{part} declares more than it can hold.", next_step=AGAIN)
    if not {b"moov", b"mdat"} <= names:
        raise cut_short(part)


def _walk(data: bytes, start: int, end: int, part: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each box's content, parents before children."""
    todo = [(start, end)]
    for _ in range(_BOXES):
        while todo and todo[-1][0] >= todo[-1][1]:
            todo.pop()
        if not todo:
            return
        at, stop = todo.pop()
        if at + 8 > stop:
            raise cut_short(part)
        size, name = struct.unpack_from(">I4s", data, at)
        content = at + 8
        if size == 1 and at + 16 <= stop:
            (size,) = struct.unpack_from(">Q", data, content)
            content += 8
        elif size == 0:  # to the end of what holds it
            size = stop - at
        if at + size > stop or size < content - at:
            raise cut_short(part)
        todo.append((at + size, stop))
        yield name, content, at + size
        if name in _PARENTS:
            todo.append((content, at + size))
    raise CaptureError(f"{part} has too many boxes.", next_step=AGAIN)


def _track(data: bytes, start: int, end: int) -> int:
    """The number of a track; it stands after two times of 4 or, in version 1, 8 bytes."""
    at = start + (20 if data[start : start + 1] == b"\x01" else 12)
    return int.from_bytes(data[at : min(at + 4, end)], "big")


def _samples(data: bytes, name: bytes, start: int, end: int) -> int:
    """How many samples a table declares; 0 for any other box."""
    if name in (b"stsz", b"stz2") and start + 12 <= end:
        return int(struct.unpack_from(">I", data, start + 8)[0])
    if name == b"trun" and start + 8 <= end:
        return int(struct.unpack_from(">I", data, start + 4)[0])
    if name in (b"stts", b"ctts"):
        count = (end - start - 8) // 8
        table = struct.unpack_from(f">{2 * max(count, 0)}I", data, start + 8) if count > 0 else ()
        return sum(table[::2])
    return 0
