"""Who comes to the kiosks: people who do not exist, as JPEG and WAV, the same for the same seed."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soundfile
from PIL import Image, ImageFilter

from tests.load.wire import Body, multipart
from visavox.personas.person import Person, face_of, person, voice_of
from visavox.types import SAMPLE_RATE

POPULATION = 1_000_777
"""Nobody trained, tuned or tested on these."""

SECONDS = 3.0
JPEG, WAV = "image/jpeg", "audio/wav"


@dataclass(frozen=True, slots=True)
class Shot:
    """One capture as a kiosk sends it: a 640×480 picture and 3 s of 16-bit sound."""

    image: bytes
    audio: bytes

    def probe(self, fridge: str, **fields: str) -> Body:
        """Of `POST /v1/authentications`; the straightforward service takes the same."""
        return multipart([("fridge", fridge), *fields.items()], _files([self]))


def enrolment(shots: Sequence[Shot], fields: Sequence[tuple[str, str]] = ()) -> Body:
    """Of `POST /v1/fridges/…/members`, and of the straightforward service's enrolment."""
    return multipart(fields, _files(shots))


def who(index: int) -> Person:
    return person(POPULATION, index)


def shot(someone: Person, index: int, *, session: int = 0) -> Shot:
    return Shot(
        _jpeg(Image.fromarray(face_of(someone, session, index).pixels)),
        _wav(voice_of(someone, session, index, seconds=SECONDS).waveform),
    )


def poor_shot(someone: Person, index: int) -> Shot:
    """What no service should judge: turn by turn far too dark or badly blurred, and as good as silent."""
    pixels = face_of(someone, 0, index).pixels
    if index % 2:
        picture = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(9))
    else:
        picture = Image.fromarray((pixels * 0.06).astype(np.uint8))
    wave = voice_of(someone, 0, index, seconds=SECONDS).waveform
    return Shot(_jpeg(picture), _wav(wave * np.float32(0.002)))


def _files(shots: Sequence[Shot]) -> list[tuple[str, str, str, bytes]]:
    images = [("image", f"{i}.jpg", JPEG, s.image) for i, s in enumerate(shots)]
    return images + [("audio", f"{i}.wav", WAV, s.audio) for i, s in enumerate(shots)]


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def _wav(waveform: np.ndarray[tuple[int], np.dtype[np.float32]]) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, waveform, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return out.getvalue()
