"""Ogg pages walked without decoding, so that a sound cut in transit is told from a short one."""

import struct

from visavox.capture.guard import AGAIN, cut_short
from visavox.capture.limits import Limits
from visavox.errors import CaptureError

_HEADER = 27
_LAST = 0x04  # flag of a stream's last page


def check_pages(data: bytes, _limits: Limits, part: str) -> None:
    """A CaptureError unless whole pages follow each other to one marked as the last."""
    at, flags = 0, 0
    while at < len(data):
        head = data[at : at + _HEADER]
        if not b"OggS".startswith(head[:4]):
            raise CaptureError(f"{part} is damaged between its pages.", next_step=AGAIN)
        if len(head) < _HEADER:
            raise cut_short(part)
        flags, segments = struct.unpack_from("<B", head, 5)[0], head[26]
        lacing = data[at + _HEADER : at + _HEADER + segments]
        at += _HEADER + segments + sum(lacing)
        if len(lacing) < segments or at > len(data):
            raise cut_short(part)
    if not flags & _LAST:
        raise cut_short(part)
