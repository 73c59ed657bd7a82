"""What bytes are, told from their first few, never from a name or a declared type."""

from enum import StrEnum

from visavox.errors import CaptureError


class Format(StrEnum):
    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    WAV = "WAV"
    FLAC = "FLAC"
    OGG = "Ogg"
    MP4 = "MP4"
    WEBM = "WebM"


PICTURES = (Format.JPEG, Format.PNG, Format.WEBP)
SOUNDS = (Format.WAV, Format.FLAC, Format.OGG, Format.WEBM, Format.MP4)
CLIPS = (Format.MP4, Format.WEBM)

_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")

# Kept only to tell the sender what came.
_FOREIGN = (
    (0, b"GIF8", "a GIF"),
    (0, b"BM", "a BMP picture"),
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"ID3", "an MP3"),
    (0, b"\xff\xfb", "an MP3"),
    (0, b"\xff\xf3", "an MP3"),
    (0, b"\xff\xf1", "an AAC stream"),
    (0, b"\xff\xf9", "an AAC stream"),
    (0, b"FORM", "an AIFF file"),
    (0, b"caff", "a Core Audio file"),
    (0, b"#!AMR", "an AMR recording"),
    (0, b"RF64", "an RF64 sound"),
    (0, b"RIFX", "a big-endian WAV"),
    (8, b"AVI ", "an AVI clip"),
    (0, b"FLV\x01", "an FLV clip"),
    (0, b"#EXTM3U", "a playlist"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"<", "markup text"),
    (0, b"{", "JSON text"),
    (0, b"data:", "a data URL, not its decoded bytes"),
)


def expect(data: bytes, allowed: tuple[Format, ...], part: str) -> Format:
    """The format of `data`, or a CaptureError that names what came instead."""
    wanted = f"Send {', '.join(allowed[:-1])} or {allowed[-1]}."
    if not data:
        raise CaptureError(f"{part} is empty.", next_step=wanted)
    found = _format(data)
    if found in allowed:
        return Format(found)
    came = found if isinstance(found, str) else "of a format that is not known here"
    if isinstance(found, Format):
        came = f"{'an' if found is Format.MP4 else 'a'} {found} file"
    raise CaptureError(f"{part} is {came}.", next_step=wanted)


def _format(data: bytes) -> Format | str | None:
    """A `Format`, the words for a foreign one, or None."""
    if data.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return Format.WEBP
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return Format.WAV
    if data.startswith(b"fLaC"):
        return Format.FLAC
    if data.startswith(b"OggS"):
        return Format.OGG
    if data[4:8] == b"ftyp":
        return _branded(data[8:12])
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return Format.WEBM if b"\x42\x82\x84webm" in data[:96] else "a Matroska file, not WebM"
    return next((name for at, magic, name in _FOREIGN if data[at:].startswith(magic)), None)


def _branded(brand: bytes) -> Format | str:
    if brand in _HEIF:
        return "a HEIF or AVIF picture"
    if brand == b"qt  ":
        return "a QuickTime movie"
    return Format.MP4
