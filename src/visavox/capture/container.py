"""Sound and moving pictures in Ogg, MP4 and WebM, by libav, which is trusted with little.

The demuxer is named, never guessed, so that no playlist, device or network protocol can be
reached; codecs come from a short list; and what is decoded is counted in packets, bytes, pixels
and samples, because the durations that a container declares are only claims.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from visavox.capture.boxes import check_boxes
from visavox.capture.ebml import check_elements
from visavox.capture.guard import AGAIN, decoding
from visavox.capture.limits import Limits
from visavox.capture.mono import check_sound, mixed, to_waveform, too_long
from visavox.capture.ogg import check_pages
from visavox.capture.picture import check_size
from visavox.capture.sniff import Format
from visavox.errors import CaptureError
from visavox.types import Pixels, Waveform

if TYPE_CHECKING:
    from av.packet import Packet

    _Packet: TypeAlias = Packet[Any]  # not subscriptable when running

_DEMUXER = {Format.OGG: "ogg", Format.MP4: "mp4", Format.WEBM: "webm"}
_STRUCTURE = {Format.OGG: check_pages, Format.MP4: check_boxes, Format.WEBM: check_elements}
_VIDEO = ("h264", "hevc", "vp8", "vp9", "av1")
_AUDIO = ("opus", "vorbis", "aac", "mp3", "flac")
_DECODERS = (
    "h264,hevc,vp8,libvpx,vp9,libvpx-vp9,libdav1d,av1,opus,libopus,vorbis,aac,mp3,mp3float,flac"
)
_PACKETS_PER_SECOND = 600  # the shortest Opus packets (2.5 ms) and 125 pictures, with room


@dataclass(frozen=True, slots=True)
class Streams:
    """What one container held."""

    frames: tuple[Pixels, ...]
    frame_times: tuple[float, ...]  # seconds after the first sample, or after the first frame
    waveform: Waveform | None


def decode_container(
    data: bytes, form: Format, limits: Limits, part: str, *, pictures: bool
) -> Streams:
    """Decode the first sound and, with `pictures`, frames evenly spread over the first video."""
    _STRUCTURE[form](data, limits, part)
    with decoding(part), _opened(data, form) as container:
        audio = next(iter(container.streams.audio), None)
        video = next(iter(container.streams.video), None) if pictures else None
        if audio:
            _check_codec(audio, _AUDIO, part)
            check_sound(audio.codec_context.channels, audio.codec_context.sample_rate, limits, part)
        if video:
            _check_codec(video, _VIDEO, part)
            size = video.codec_context.width, video.codec_context.height
            check_size(*size, limits.clip_pixels, limits, part)
        packets = _packets(container, [s for s in (audio, video) if s], data, limits, part)
        start, waveform = 0.0, None
        if audio:
            start, waveform = _sound(audio, packets[audio.index], limits, part)
        frames, times = _frames(video, packets[video.index], limits, part) if video else ((), ())
    if times and waveform is None:
        start = times[0]
    return Streams(frames, tuple(time - start for time in times), waveform)


def _opened(data: bytes, form: Format) -> InputContainer:
    options = {
        "codec_whitelist": _DECODERS,
        "protocol_whitelist": "none",
        "max_streams": "16",
    }
    return av.open(
        BytesIO(data),
        mode="r",
        format=_DEMUXER[form],
        options=options,
        metadata_errors="replace",
        io_open=_refuse,
    )


def _refuse(*_: object) -> NoReturn:
    raise PermissionError("a container may not open anything else")


def _check_codec(stream: AudioStream | VideoStream, known: Sequence[str], part: str) -> None:
    codec = stream.codec_context and stream.codec_context.codec.canonical_name
    if codec not in known:
        raise CaptureError(
            f"{part} is encoded as {codec or 'something unknown'}.",
            next_step=f"Encode it as one of {', '.join(known)}.",
        )


def _packets(
    container: InputContainer,
    streams: Sequence[AudioStream | VideoStream],
    data: bytes,
    limits: Limits,
    part: str,
) -> dict[int, list["_Packet"]]:
    """All packets by stream, undecoded; an index may not claim more than the file holds."""
    found: dict[int, list[_Packet]] = {stream.index: [] for stream in streams}
    if not streams:
        return found
    count, size = 0, 0
    for packet in container.demux(*streams):
        count, size = count + 1, size + packet.size
        if count > _PACKETS_PER_SECOND * limits.max_seconds or size > len(data):
            raise CaptureError(f"{part} declares more than it can hold.", next_step=AGAIN)
        found[packet.stream.index].append(packet)
    return found


def _sound(
    stream: AudioStream, packets: Sequence["_Packet"], limits: Limits, part: str
) -> tuple[float, Waveform]:
    """When the sound starts, and the sound."""
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
    stream.codec_context.thread_count = 1
    blocks: list[Waveform] = []
    start, total = 0.0, 0
    for frame in _decoded(packets):
        if frame.sample_rate != rate or frame.layout.nb_channels != channels:
            raise CaptureError(f"{part} changes its sound's form midway.", next_step=AGAIN)
        if not blocks:
            start = float(frame.time or 0.0)
        total += frame.samples
        if total > limits.max_seconds * rate:
            raise too_long(total / rate, limits, part)
        blocks.append(mixed(_samples(frame), part))
    return start, to_waveform(blocks, rate, limits, part)


def _samples(frame: AudioFrame) -> NDArray[np.float32]:
    """(T, channels) in [-1, 1]."""
    raw: NDArray[Any] = frame.to_ndarray()
    samples = raw.T if frame.format.is_planar else raw.reshape(frame.samples, -1)
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    # Of the codecs above only FLAC and MP3 give integers, and signed ones.
    return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max + 1)


def _frames(
    stream: VideoStream, packets: Sequence["_Packet"], limits: Limits, part: str
) -> tuple[tuple[Pixels, ...], tuple[float, ...]]:
    """At most `clip_frames` pictures and their times, evenly spread."""
    base = stream.time_base
    shown = [float(p.pts * base) for p in packets if p.pts is not None and base is not None]
    if not shown:
        raise CaptureError(f"{part} holds no pictures.", next_step="Turn the camera on.")
    first, last = min(shown), max(shown)
    if last - first > limits.max_seconds:
        raise too_long(last - first, limits, part)
    if len(shown) > limits.clip_fps * limits.max_seconds:
        raise CaptureError(
            f"{part} holds {len(shown)} pictures; at most "
            f"{limits.clip_fps * limits.max_seconds:.0f} are taken.",
            next_step="Record fewer per second.",
        )
    stream.codec_context.thread_count = 1
    # A picture may be larger than its container said: refused before it is allocated.
    stream.codec_context.options = {"max_pixels": str(limits.clip_pixels)}
    # Ends are included; a clip with fewer pictures gives them all.
    due = np.linspace(first, last, min(limits.clip_frames, len(shown)))
    frames: list[Pixels] = []
    times: list[float] = []
    work = 0
    for frame in _decoded(packets):
        work += frame.width * frame.height
        if work > limits.clip_work:
            raise CaptureError(
                f"{part} holds more than {limits.clip_work / 1e6:g} million pixels in all.",
                next_step="Record a shorter or smaller clip.",
            )
        if len(frames) == len(due):
            break
        if frame.time is None or frame.is_corrupt:
            continue
        if frame.time >= due[len(frames)] - 1e-4:
            check_size(frame.width, frame.height, limits.clip_pixels, limits, part)
            frames.append(_rgb(frame, limits))
            times.append(float(frame.time))
    if not frames:
        raise CaptureError(f"{part} holds no whole picture.", next_step=AGAIN)
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise CaptureError(f"{part} has pictures out of order.", next_step=AGAIN)
    return tuple(frames), tuple(times)


def _decoded(packets: Sequence["_Packet"]) -> Iterator[Any]:
    for packet in packets:
        yield from packet.decode()


def _rgb(frame: VideoFrame, limits: Limits) -> Pixels:
    shrink = min(1.0, limits.frame_side / max(frame.width, frame.height))
    width, height = round(frame.width * shrink), round(frame.height * shrink)
    rgb = frame.to_ndarray(format="rgb24", width=width, height=height)
    # Phones store a portrait clip lying on its side, and how far to turn it.
    return np.ascontiguousarray(np.rot90(rgb, frame.rotation // 90))
