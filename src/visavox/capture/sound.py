"""One sound: WAV and FLAC by libsndfile; what lies in Ogg, WebM and MP4 by libav."""

import struct
from io import BytesIO

import soundfile

from visavox.capture.container import decode_container
from visavox.capture.guard import AGAIN, cut_short, decoding
from visavox.capture.limits import Limits
from visavox.capture.mono import check_sound, mixed, to_waveform, too_long
from visavox.capture.sniff import SOUNDS, Format, expect
from visavox.errors import CaptureError
from visavox.types import Waveform

_ENCODINGS = frozenset(
    {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"}
)
_BLOCK = 65_536  # frames per read: a header may promise hours, memory follows what is there
_UNKNOWN = 0xFFFFFFFF  # a WAV that was streamed, and so lasts to its end


def decode_sound(data: bytes, limits: Limits, part: str) -> Waveform:
    """(T,) at 16 kHz; a CaptureError for all that is no usable sound."""
    form = expect(data, SOUNDS, part)
    if form in (Format.WAV, Format.FLAC):
        if form is Format.WAV:
            _check_wav(data, part)
        return _by_libsndfile(data, limits, part)
    streams = decode_container(data, form, limits, part, pictures=False)
    if streams.waveform is None:
        raise CaptureError(f"{part} holds no sound.", next_step="Turn the microphone on.")
    return streams.waveform


def _by_libsndfile(data: bytes, limits: Limits, part: str) -> Waveform:
    with decoding(part), soundfile.SoundFile(BytesIO(data)) as file:
        check_sound(file.channels, file.samplerate, limits, part)
        if file.subtype not in _ENCODINGS:
            raise CaptureError(
                f"{part} is encoded as {file.subtype}.", next_step="Record plain PCM."
            )
        seconds = file.frames / file.samplerate
        if seconds > limits.max_seconds:
            raise too_long(seconds, limits, part)
        blocks, read = [], 0
        while read <= limits.max_seconds * file.samplerate:
            block = file.read(_BLOCK, dtype="float32", always_2d=True)
            if not len(block):
                break
            blocks.append(mixed(block, part))
            read += len(block)
        if read < file.frames:
            raise cut_short(part)
        rate = file.samplerate
    return to_waveform(blocks, rate, limits, part)


def _check_wav(data: bytes, part: str) -> None:
    """Hold each chunk's declared length against the bytes that are there.

    libsndfile quietly shortens a sound to what it finds; a sender should hear of it.
    """
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            if length != _UNKNOWN and at + 8 + length > len(data):
                raise cut_short(part)
            return
        at += 8 + length + length % 2
    raise CaptureError(f"{part} holds no samples.", next_step=AGAIN)
