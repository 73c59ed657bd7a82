"""A picture's size, orientation and essential bytes, read without decoding anything.

Only what the pixels need is handed on to the decoder: metadata is measured, read for the
orientation, and dropped, so that no parser of profiles, comments or thumbnails ever runs.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from visavox.capture.guard import AGAIN, cut_short
from visavox.capture.sniff import Format
from visavox.errors import CaptureError

_PIECES = 20_000  # chunks in one file: millions of empty ones would cost seconds
_SCANS = 20  # passes of a progressive JPEG, usually 10: each costs a walk over all pixels


@dataclass(frozen=True, slots=True)
class PictureHeader:
    width: int
    height: int
    orientation: int  # EXIF, 1..8
    essential: bytes  # a file of the same format, without metadata
    metadata_bytes: int


def read_header(form: Format, data: bytes, part: str) -> PictureHeader:
    """Walk the file once; a CaptureError where it is cut short, damaged or animated."""
    try:
        return _READERS[form](data, part)
    except (struct.error, IndexError):
        raise cut_short(part) from None


def _damaged(part: str, what: str) -> CaptureError:
    return CaptureError(f"{part} is damaged: {what}.", next_step=AGAIN)


def _animated(part: str) -> CaptureError:
    return CaptureError(f"{part} is an animation.", next_step="Send a still picture, or a clip.")


# JPEG: markers up to the first scan, then entropy-coded data to the end.

_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF0..SOF15
_APP0, _APP1, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
_SCAN, _END = 0xDA, 0xD9


def _jpeg(data: bytes, part: str) -> PictureHeader:
    kept, dropped, orientation, size, at = [data[:2]], 0, 1, None, 2
    for _ in range(_PIECES):
        if data[at] != 0xFF:
            raise _damaged(part, "a JPEG marker was expected")
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise cut_short(part)
        if marker == _SCAN:
            break
        if marker in _SIZES:
            size = struct.unpack_from(">HH", data, at + 5)
        if marker == _COMMENT or (_APP0 < marker <= _APP15 and marker != _APP14):
            dropped += length + 2
            if marker == _APP1 and data[at + 4 : at + 10] == b"Exif\x00\x00":
                orientation = exif_orientation(data[at + 10 : end])
        else:
            kept.append(data[at:end])
        at = end
    else:
        raise _damaged(part, "it has too many segments")
    if size is None:
        raise _damaged(part, "it gives no size")
    if data.rfind(b"\xff\xd9", at) < 0:
        raise cut_short(part)
    if data.count(b"\xff\xda", at) > _SCANS:
        raise _damaged(part, f"it has more than {_SCANS} scans")
    kept.append(data[at:])
    return PictureHeader(size[1], size[0], orientation, b"".join(kept), dropped)


# PNG: length, type, data, checksum.

_CRITICAL = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def _png(data: bytes, part: str) -> PictureHeader:
    kept, dropped, orientation, size, at = [data[:8]], 0, 1, None, 8
    for _ in range(_PIECES):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise cut_short(part)
        body = data[at + 8 : end - 4]
        if name in _CRITICAL:
            (checksum,) = struct.unpack_from(">I", data, end - 4)
            if zlib.crc32(data[at + 4 : end - 4]) != checksum:
                raise _damaged(part, "a checksum is wrong")
            kept.append(data[at:end])
        else:
            dropped += length + 12
        if (name == b"IHDR") != (size is None):
            raise _damaged(part, "its header is not where it belongs")
        if name == b"IHDR":
            size = struct.unpack_from(">II", body)
        elif name == b"acTL":
            raise _animated(part)
        elif name == b"eXIf":
            orientation = exif_orientation(body)
        elif name == b"IEND":
            break
        at = end
    else:
        raise _damaged(part, "it has too many chunks")
    assert size is not None
    return PictureHeader(size[0], size[1], orientation, b"".join(kept), dropped)


# WebP: RIFF chunks; the size stands in the first one, and again in the picture's own.

_ALPHA, _ANIMATION = 0x10, 0x02


def _webp(data: bytes, part: str) -> PictureHeader:
    (declared,) = struct.unpack_from("<I", data, 4)
    if declared + 8 > len(data):
        raise cut_short(part)
    kept, dropped, orientation = [], 0, 1
    sizes: list[tuple[int, int]] = []
    for name, body in _riff(data[12 : declared + 8], part):
        if name in (b"ANIM", b"ANMF") or (name == b"VP8X" and body[0] & _ANIMATION):
            raise _animated(part)
        if name not in (b"VP8X", b"VP8 ", b"VP8L", b"ALPH"):
            dropped += len(body) + 8
            if name == b"EXIF":
                orientation = exif_orientation(body.removeprefix(b"Exif\x00\x00"))
            continue
        if name == b"VP8X":
            # The chunks it announces are dropped, all but alpha.
            body = bytes([body[0] & _ALPHA]) + body[1:]
            width, height = body[4:7], body[7:10]
            sizes.append(
                (int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1)
            )
        elif name == b"VP8 ":
            width, height = struct.unpack_from("<HH", body, 6)
            sizes.append((width & 0x3FFF, height & 0x3FFF))
        elif name == b"VP8L":
            (bits,) = struct.unpack_from("<I", body, 1)
            sizes.append(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        kept.append(struct.pack("<4sI", name, len(body)) + body + b"\x00" * (len(body) % 2))
    if not sizes or len(set(sizes)) != 1:
        raise _damaged(part, "it gives no size, or more than one")
    essential = b"WEBP" + b"".join(kept)
    essential = struct.pack("<4sI", b"RIFF", len(essential)) + essential
    return PictureHeader(*sizes[0], orientation, essential, dropped)


def _riff(data: bytes, part: str) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(_PIECES):
        if at >= len(data):
            return
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            raise cut_short(part)
        yield name, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    raise _damaged(part, "it has too many chunks")


_READERS: Mapping[Format, Callable[[bytes, str], PictureHeader]] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
    Format.WEBP: _webp,
}


def exif_orientation(tiff: bytes) -> int:
    """The orientation (1..8) in an EXIF block; 1 where it is absent or unreadable."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * entry)
            if tag == 0x0112 and kind == 3:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass  # a camera's slip in metadata is no reason to turn its owner away
    return 1
