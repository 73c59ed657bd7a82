"""The people of each step: what is learned from, and what only shows whether it was learned."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from visavox.characterizer.crop import ALIGNED_SIDE, aligned
from visavox.personas.person import Person, face_of, person
from visavox.training import provenance
from visavox.training.characterizer.people_settings import PeopleSettings
from visavox.training.characterizer.persona_capture import TRAIN, jittered, who
from visavox.training.characterizer.samples import Labels, Samples, cached
from visavox.training.continual.cameras import seen_by
from visavox.training.continual.settings import Camera, StepsSettings
from visavox.training.progress import bar

_PICTURE, _HEAD = (176, 176), 64.0  # just larger than the crop: pixels nobody sees cost time
_LEARNED, _LATER = 20, 30  # first visits; the shipped net has learned from earlier ones


@dataclass(frozen=True, slots=True)
class Step:
    """New people before one camera."""

    camera: Camera
    learned: Samples
    old: Samples
    """The same people on later days: captures that are never learned from."""
    unseen: Samples
    """Others before the same camera, whom no step learns."""


def steps(settings: StepsSettings, cache: Path) -> tuple[Step, ...]:
    """All steps in order; rendered where it is the first time."""
    return tuple(_step(i, settings, cache) for i in range(len(settings.cameras)))


def _step(number: int, settings: StepsSettings, cache: Path) -> Step:
    camera = settings.cameras[number]
    first = [_learned(number, i, settings) for i in range(settings.people)]
    others = [person(_population(number, settings) + 1, i) for i in range(settings.unseen)]
    later = settings.enrol + settings.probes
    make = partial(_samples, camera=camera, settings=settings, cache=cache)
    return Step(
        camera,
        learned=make(first, settings.learned, _LEARNED),
        old=make(first, later, _LATER),
        unseen=make(others, later, _LATER),
    )


def _population(number: int, settings: StepsSettings) -> int:
    return settings.population + 2 * number


def _learned(number: int, index: int, settings: StepsSettings) -> Person:
    if number == 0:
        return who(TRAIN, PeopleSettings(), index)
    return person(_population(number, settings), index)


def _samples(
    people: list[Person],
    shots: int,
    visit: int,
    *,
    camera: Camera,
    settings: StepsSettings,
    cache: Path,
) -> Samples:
    what = {
        "camera": camera,
        "hardness": settings.hardness,
        "people": [p.name for p in people],
        "shots": shots,
        "visit": visit,
    }
    folder = cache / f"{camera}-{provenance.digest(what)[:16]}"
    return cached(folder, partial(_made, people, shots, visit, camera, settings.hardness))


def _made(
    people: list[Person], shots: int, visit: int, camera: Camera, hardness: float, path: Path
) -> tuple[Labels, tuple[str, ...]]:
    taken = np.empty((len(people) * shots, ALIGNED_SIDE, ALIGNED_SIDE, 3), np.uint8)
    with bar(f"{camera} faces", len(people)) as advance:
        for i, own in enumerate(people):
            rng = np.random.default_rng((own.population, own.index, visit))
            crops = np.stack(list(_crops(own, shots, visit, hardness, rng)))
            taken[i * shots : (i + 1) * shots] = seen_by(camera, crops, rng)
            advance()
    np.save(path, taken)
    labels = np.repeat(np.arange(len(people), dtype=np.int64), shots)
    return labels, tuple(p.name for p in people)


def _crops(
    own: Person, shots: int, visit: int, hardness: float, rng: np.random.Generator
) -> Iterator[np.typing.NDArray[np.uint8]]:
    jitter = PeopleSettings().jitter
    for shot in range(shots):
        # Two captures a visit, so that templates and probes lie days apart.
        picture = face_of(own, visit + shot // 2, shot, hardness, size=_PICTURE, head=_HEAD)
        yield aligned(picture.pixels, jittered(picture.landmarks, jitter, rng))
