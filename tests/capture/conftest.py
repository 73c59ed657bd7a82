"""Small valid files of every format, made in memory: a picture of patches, a tone, both moving."""

import struct
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from io import BytesIO
from typing import Any, NamedTuple

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image

SIZE = (96, 80)
SECONDS = 0.6


class Sample(NamedTuple):
    kind: str  # "images", "audio" or "clip"
    data: bytes

    @property
    def arguments(self) -> dict[str, Any]:
        return {self.kind: [self.data] if self.kind == "images" else self.data}


def _patches(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    colours = np.random.default_rng(0).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC).convert(mode)


def _write_picture(image: Image.Image, form: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _tone(rate: int, seconds: float = SECONDS, hertz: float = 440.0) -> NDArray[np.float32]:
    times = np.arange(int(rate * seconds)) / rate
    return (0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def _write_sound(
    samples: NDArray[np.float32], rate: int = 16_000, form: str = "WAV", subtype: str = "PCM_16"
) -> bytes:
    out = BytesIO()
    soundfile.write(out, samples, rate, format=form, subtype=subtype)
    return out.getvalue()


def _write_clip(
    form: str = "mp4",
    video: str | None = "libx264",
    audio: str | None = "aac",
    *,
    size: tuple[int, int] = SIZE,
    frames: int = 6,
    fps: int = 10,
    layout: str = "mono",
    container_options: dict[str, str] | None = None,
) -> bytes:
    """Frame n is grey of brightness 40·(n mod 6) + 20; the sound is a tone as long."""
    out = BytesIO()
    with av.open(out, "w", format=form, options=container_options or {}) as container:
        if video:
            fast = {"preset": "ultrafast"} if video == "libx264" else {"cpu-used": "8"}
            pictures: Any = container.add_stream(video, rate=fps, options=fast)
            pictures.width, pictures.height, pictures.pix_fmt = *size, "yuv420p"
        sound: Any = container.add_stream(audio, rate=48_000, layout=layout) if audio else None
        if video:
            for n in range(frames):
                grey = np.full((size[1], size[0], 3), 40 * (n % 6) + 20, np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                frame.pts, frame.time_base = n, Fraction(1, fps)
                container.mux(pictures.encode(frame))
            container.mux(pictures.encode(None))
        if sound:
            tone = _tone(48_000, frames / fps)
            channels = 2 if layout == "stereo" else 1
            packed = audio == "libopus"
            for at in range(0, len(tone), 960):
                block = np.repeat(tone[None, at : at + 960], channels, axis=0)
                block = np.ascontiguousarray(block.T.reshape(1, -1) if packed else block)
                piece = av.AudioFrame.from_ndarray(
                    block, format="flt" if packed else "fltp", layout=layout
                )
                piece.sample_rate, piece.pts, piece.time_base = 48_000, at, Fraction(1, 48_000)
                container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return out.getvalue()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _write_png(width: int, height: int, *, rows: int = 1, extra: bytes = b"") -> bytes:
    """A grey PNG whose header may promise more than its `rows` hold."""
    pixels = zlib.compress(b"\x00" * (rows * (min(width, 100_000) + 1)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + extra
        + _chunk(b"IDAT", pixels)
        + _chunk(b"IEND", b"")
    )


def _write_wav_header(*, declared: int, held: int, rate: int = 16_000, channels: int = 1) -> bytes:
    """16-bit PCM that declares some bytes of samples and holds others."""
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", min(declared + 36, 2**32 - 1), b"WAVE")
        + struct.pack("<4sI", b"fmt ", len(form))
        + form
        + struct.pack("<4sI", b"data", declared)
        + b"\x01\x00" * (held // 2)
    )


@pytest.fixture(scope="session")
def patches() -> Callable[..., Image.Image]:
    return _patches


@pytest.fixture(scope="session")
def write_picture() -> Callable[..., bytes]:
    return _write_picture


@pytest.fixture(scope="session")
def tone() -> Callable[..., NDArray[np.float32]]:
    return _tone


@pytest.fixture(scope="session")
def write_sound() -> Callable[..., bytes]:
    return _write_sound


@pytest.fixture(scope="session")
def write_clip() -> Callable[..., bytes]:
    return _write_clip


@pytest.fixture(scope="session")
def write_png() -> Callable[..., bytes]:
    return _write_png


@pytest.fixture(scope="session")
def png_chunk() -> Callable[[bytes, bytes], bytes]:
    return _chunk


@pytest.fixture(scope="session")
def write_wav_header() -> Callable[..., bytes]:
    return _write_wav_header


@pytest.fixture(scope="session")
def samples() -> Mapping[str, Sample]:
    """One valid file of every kind that is taken."""
    fragmented = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    pictures = {
        "jpeg": _write_picture(_patches(), "JPEG"),
        "progressive": _write_picture(_patches(), "JPEG", progressive=True),
        "png": _write_picture(_patches(size=(64, 64)), "PNG"),
        "palette": _write_picture(_patches("P", (64, 64)), "PNG"),
        "webp": _write_picture(_patches(), "WEBP"),
        "lossless": _write_picture(_patches("RGBA", (64, 64)), "WEBP", lossless=True),
    }
    sounds = {
        "wav": _write_sound(_tone(8_000), 8_000),
        "float": _write_sound(_tone(8_000), 8_000, subtype="FLOAT"),
        "flac": _write_sound(_tone(16_000), form="FLAC"),
        "opus": _write_sound(_tone(16_000), form="OGG", subtype="OPUS"),
        "vorbis": _write_sound(_tone(16_000), form="OGG", subtype="VORBIS"),
    }
    clips = {
        "mp4": _write_clip(),
        "fragmented": _write_clip(container_options=fragmented),
        "webm": _write_clip("webm", "libvpx", "libopus"),
        "live": _write_clip("webm", "libvpx-vp9", "libopus", container_options={"live": "1"}),
    }
    return {
        **{name: Sample("images", data) for name, data in pictures.items()},
        **{name: Sample("audio", data) for name, data in sounds.items()},
        **{name: Sample("clip", data) for name, data in clips.items()},
    }
