"""What Gradio's recorder leaves of a recording, made whole.

It gathers the pieces at the moment of stopping, before the browser has handed over the last one, so
that a recording ends anywhere within an element. The service takes nothing that is cut short, and
rightly so; here it is known what happened, and the unfinished end is left off.
"""

from pathlib import Path

_EBML = b"\x1aE\xdf\xa3"
_SEGMENT, _CLUSTER, _GROUP = 0x18538067, 0x1F43B675, 0xA0
_OPEN = {_SEGMENT, _CLUSTER, _GROUP}  # their children follow at once; live ones have no length


def mended(path: Path) -> Path:
    """The recording without an unfinished end: itself, or a file beside it."""
    data = path.read_bytes()
    kept = whole(data)
    if len(kept) == len(data):
        return path
    beside = path.with_name(f"{path.stem}-whole{path.suffix}")
    beside.write_bytes(kept)
    return beside


def whole(data: bytes) -> bytes:
    """As much of a WebM or MP4 as is complete; other bytes as they are."""
    if data.startswith(_EBML):
        return data[: _elements_end(data)]
    if data[4:8] == b"ftyp":
        return data[: _boxes_end(data)]
    return data


def _elements_end(data: bytes) -> int:
    """Where the last complete WebM element ends."""
    at = end = 0
    while at < len(data):
        name, after = _number(data, at, keep_marker=True)
        length, content = _number(data, after, keep_marker=False)
        if name is None or length is None:
            break
        if name in _OPEN:
            # The head of a cluster alone is nothing yet: it counts with its first child.
            at = content
            continue
        at = content + length
        if at > len(data):
            break
        end = at
    return end or len(data)


def _number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int | None, int]:
    """A variable-length number and where it ends; None where the data ends before."""
    size = 9 - data[at].bit_length() if at < len(data) else 9
    if at + size > len(data) or size > 8:
        return None, at
    value = int.from_bytes(data[at : at + size], "big")
    return value if keep_marker else value & ((1 << 7 * size) - 1), at + size


def _boxes_end(data: bytes) -> int:
    """Where the last complete MP4 box ends that says something: a fragment's head alone does not."""
    at = end = 0
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1 and at + 16 <= len(data):
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8 or at + size > len(data):
            break
        at += size
        if name != b"moof":
            end = at
    return end or len(data)
