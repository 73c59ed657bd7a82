"""A persona in front of the camera: files that Chromium plays in place of its devices."""

import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from visavox.personas.clip import FRAMES_PER_SECOND, frames_of
from visavox.personas.person import Person, face_of, voice_of
from visavox.types import SAMPLE_RATE, Pixels, Waveform

VISIT = 7  # the session in which the persona stands before the kiosk; enrolment has others
EASE = 0.4  # a quiet room and good light


@dataclass(frozen=True, slots=True)
class Booth:
    """Where the files lie."""

    video: Path
    audio: Path


def booth(who: Person, folder: Path) -> Booth:
    """The persona says digits again and again, with moving lips."""
    spoken = voice_of(who, VISIT, 0, EASE)
    frames = frames_of(
        lambda opening, _: face_of(who, VISIT, 0, EASE, mouth_open=opening).pixels, spoken
    )
    place = Booth(folder / f"{who.name}.y4m", folder / f"{who.name}.wav")
    place.video.write_bytes(y4m(frames))
    place.audio.write_bytes(wav(spoken.waveform))
    return place


def y4m(frames: tuple[Pixels, ...]) -> bytes:
    """Raw video, 4:2:0, that Chromium plays in a loop."""
    height, width = frames[0].shape[:2]
    out = [f"YUV4MPEG2 W{width} H{height} F{FRAMES_PER_SECOND}:1 Ip A1:1 C420jpeg\n".encode()]
    for pixels in frames:
        luma, blue, red = (
            np.asarray(plane) for plane in Image.fromarray(pixels).convert("YCbCr").split()
        )
        halves = (p.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for p in (blue, red))
        planes = (luma, *(half.round().astype(np.uint8) for half in halves))
        out += [b"FRAME\n", *(plane.tobytes() for plane in planes)]
    return b"".join(out)


def wav(waveform: Waveform) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes((waveform * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    return file.getvalue()


def jpeg(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()
