"""What one persona gives to a training: their crops, or their speech.

It runs in worker processes, and therefore imports nothing heavy.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visavox.characterizer.crop import ALIGNED_SIDE, aligned
from visavox.personas.person import POPULATIONS, Person, face_of, person, voice_of
from visavox.training.characterizer.people_settings import PeopleSettings
from visavox.types import SAMPLE_RATE, Modality

POPULATION = POPULATIONS["characterizer"]
TRAIN, VALIDATION = "train", "validation"

_FIRST = {TRAIN: 0, VALIDATION: 100_000}  # far beyond any training set
_PICTURE, _HEAD = (176, 176), 64.0  # just larger than the crop: pixels nobody sees cost time


def who(name: str, settings: PeopleSettings, index: int) -> Person:
    """Every so often a sibling of the person before: a net must learn to tell those apart, too."""
    kin = settings.siblings > 0 and index % max(2, round(1 / settings.siblings)) == 1
    own = _FIRST[name] + index
    return person(POPULATION, own, relative_of=own - 1 if kin else None)


def shape(count: int, settings: PeopleSettings, modality: Modality) -> tuple[int, ...]:
    """Of the array that holds all captures of `count` people."""
    rows = count * settings.captures
    if modality is Modality.FACE:
        return rows, ALIGNED_SIDE, ALIGNED_SIDE, 3
    return rows, round(settings.seconds * SAMPLE_RATE)


def write_person(
    path: Path, name: str, settings: PeopleSettings, modality: Modality, index: int
) -> None:
    """Write all captures of one person to their rows of `path`; nobody else writes there."""
    of = who(name, settings, index)
    rng = np.random.default_rng((of.population, of.index))
    low, high = settings.hardness
    hardness = settings.validation_hardness if name == VALIDATION else rng.uniform(low, high)
    take: Callable[..., NDArray[np.generic]] = _crop if modality is Modality.FACE else _speech
    array = np.load(path, mmap_mode="r+")
    for i in range(settings.captures):
        # In order of time, so that enrolments and probes of validation lie days apart.
        session = i * settings.sessions // settings.captures
        array[index * settings.captures + i] = take(of, session, i, hardness, settings, rng)


def _crop(
    of: Person,
    session: int,
    index: int,
    hardness: float,
    settings: PeopleSettings,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    picture = face_of(of, session, index, hardness, size=_PICTURE, head=_HEAD)
    return aligned(picture.pixels, jittered(picture.landmarks, settings.jitter, rng))


def jittered(
    landmarks: NDArray[np.float32], share: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Landmarks as a detector would give them: each a little off, all a little off together."""
    eyes = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    each = rng.normal(0, share * eyes, landmarks.shape)
    together = rng.normal(0, share * eyes, 2)
    return (landmarks + each + together).astype(np.float32)


def _speech(
    of: Person,
    session: int,
    index: int,
    hardness: float,
    settings: PeopleSettings,
    rng: np.random.Generator,  # noqa: ARG001 - one signature for both modalities
) -> NDArray[np.int16]:
    spoken = voice_of(of, session, index, hardness, seconds=settings.seconds)
    return (spoken.waveform.clip(-1, 1) * 32767).round().astype(np.int16)
