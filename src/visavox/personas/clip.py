"""Pictures and sound as one short clip, in the containers that browsers record.

    data = write_clip(lambda opening, index: render(face, mouth=opening), spoken)

The picture at each instant is asked for with the mouth's opening at that instant, so that
lips and sound move together.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from visavox.errors import ConfigError, DataError
from visavox.personas.voice import SpokenDigits
from visavox.types import SAMPLE_RATE, Pixels, Waveform

FRAMES_PER_SECOND = 12


@dataclass(frozen=True, slots=True)
class _Codecs:
    video: str
    video_options: dict[str, str]
    audio: str
    audio_format: str
    audio_rate: int


CONTAINERS = {
    "mp4": _Codecs("libx264", {"preset": "ultrafast", "crf": "20"}, "aac", "fltp", SAMPLE_RATE),
    "webm": _Codecs(
        "libvpx", {"deadline": "realtime", "cpu-used": "8", "crf": "10"}, "libopus", "flt", 48_000
    ),
}


def write_clip(
    render_at: Callable[[float, int], Pixels],
    spoken: SpokenDigits,
    *,
    container: str = "mp4",
    frames_per_second: int = FRAMES_PER_SECOND,
) -> bytes:
    """A talking face: `render_at(opening, index)` is asked for every picture in turn."""
    return encode(
        frames_of(render_at, spoken, frames_per_second=frames_per_second),
        spoken.waveform,
        container=container,
        frames_per_second=frames_per_second,
    )


def frames_of(
    render_at: Callable[[float, int], Pixels],
    spoken: SpokenDigits,
    *,
    frames_per_second: int = FRAMES_PER_SECOND,
) -> tuple[Pixels, ...]:
    """The pictures of a talking face, as long as the speech, each at the middle of its time."""
    count = max(1, int(len(spoken.waveform) / SAMPLE_RATE * frames_per_second))
    openings = [spoken.opening_at((i + 0.5) / frames_per_second) for i in range(count)]
    return tuple(render_at(opening, i) for i, opening in enumerate(openings))


def encode(
    frames: Sequence[Pixels],
    waveform: Waveform | None,
    *,
    container: str = "mp4",
    frames_per_second: int = FRAMES_PER_SECOND,
) -> bytes:
    """The bytes of an MP4 (H.264, AAC) or WebM (VP8, Opus) clip; same input, same bytes."""
    if container not in CONTAINERS:
        raise ConfigError(
            f"A clip is {' or '.join(CONTAINERS)}; {container!r} was asked for.",
            next_step="Choose one of these containers.",
        )
    if not frames or any(f.shape != frames[0].shape for f in frames):
        raise DataError(
            "A clip needs one picture at least, all of one size; "
            f"it got {sorted({f.shape for f in frames})}.",
            next_step="Render all pictures of a clip at the same size.",
        )
    codecs = CONTAINERS[container]
    file = io.BytesIO()
    # bitexact: no dates and no random numbers in the file.
    options = {"fflags": "+bitexact"}
    with av.open(file, "w", format=container, container_options=options) as out:
        video = out.add_stream(codecs.video, rate=frames_per_second, options=codecs.video_options)
        assert isinstance(video, av.VideoStream)
        height, width = (side + side % 2 for side in frames[0].shape[:2])
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.bit_rate = 1_500_000
        video.codec_context.thread_count = 1
        video.codec_context.flags |= av.codec.context.Flags.bitexact
        # A container wants to know all its streams before the first packet.
        voice = None if waveform is None else _sound_stream(out, codecs)
        for index, pixels in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(_even(pixels), format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, frames_per_second)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        if voice is not None and waveform is not None:
            _add_sound(out, voice, waveform, codecs)
    return file.getvalue()


def _sound_stream(out: av.container.OutputContainer, codecs: _Codecs) -> av.AudioStream:
    voice = out.add_stream(codecs.audio, rate=codecs.audio_rate)
    assert isinstance(voice, av.AudioStream)
    voice.layout, voice.format = "mono", codecs.audio_format
    voice.bit_rate = 48_000
    voice.codec_context.flags |= av.codec.context.Flags.bitexact
    return voice


def _add_sound(
    out: av.container.OutputContainer, voice: av.AudioStream, waveform: Waveform, codecs: _Codecs
) -> None:
    sound = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(waveform[None], np.float32), format="fltp", layout="mono"
    )
    sound.sample_rate = SAMPLE_RATE
    sound.pts, sound.time_base = 0, Fraction(1, SAMPLE_RATE)
    resampler = av.AudioResampler(codecs.audio_format, "mono", codecs.audio_rate)
    for piece in (*resampler.resample(sound), *resampler.resample(None)):
        out.mux(voice.encode(piece))
    out.mux(voice.encode(None))


def _even(pixels: Pixels) -> Pixels:
    """Chroma is kept for every second pixel, so both sides must be even."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
