"""One synthetic person: a face, a voice, and every capture they will ever give.

A person is a place in a population, and everything about them follows from those two
numbers. Populations share nobody: what is trained on one is honestly tested on another.

    ada = person(POPULATIONS["demo"], 3)
    sister = person(POPULATIONS["demo"], 4, relative_of=3)
    picture = face_of(ada, session=0, index=2)        # .pixels, .landmarks
    spoken = voice_of(ada, session=0, index=2)        # .waveform, .mouth_opening
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.random import Generator

from visavox.errors import ConfigError
from visavox.personas import face, voice
from visavox.personas.face import Rendered
from visavox.personas.face_identity import FaceIdentity
from visavox.personas.face_scene import Look, Moment
from visavox.personas.voice import SpokenDigits, VoiceIdentity

POPULATIONS: Mapping[str, int] = MappingProxyType(
    {"cohort": 3, "benchmark": 4, "demo": 5, "test": 6, "characterizer": 9001}
)
"""Populations with a fixed purpose. Any other number is one more, disjoint from these."""

SIBLING, LOOK_ALIKE = 0.5, 0.75
"""Shares of the variance that relatives have in common: siblings in face and voice, a
look-alike in the face, a sound-alike in the voice."""

_IDENTITY, _VISIT, _SHOT, _SPEECH = range(4)  # independent streams of random numbers


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who does not exist."""

    population: int
    index: int
    face: FaceIdentity
    voice: VoiceIdentity
    slices: Mapping[str, str]  # tone, age, glasses, beard, pitch

    @property
    def name(self) -> str:
        return f"p{self.population}-{self.index:05d}"


def person(
    population: int,
    index: int,
    *,
    relative_of: int | None = None,
    share: float = SIBLING,
    voice_share: float | None = None,
) -> Person:
    """The `index`th person of a population; a relative of another of it, where one is named.

    `share` is of the face, and of the voice too unless `voice_share` says otherwise.

    The kin is always to the other's own self, so that kinship never chains.
    """
    if population < 0 or index < 0:
        raise ConfigError(
            f"There is no person {index} in population {population}.",
            next_step="Both count from 0.",
        )
    own_face, own_voice, rng = _born(population, index)
    if relative_of is not None:
        if relative_of == index:
            raise ConfigError(
                f"Person {index} cannot be their own relative.", next_step="Name another person."
            )
        kin_face, kin_voice, _ = _born(population, relative_of)
        own_face = FaceIdentity.blend(kin_face, own_face, share)
        heard = share if voice_share is None else voice_share
        own_voice = VoiceIdentity.blend(kin_voice, own_voice, heard, rng)
    slices = MappingProxyType({**own_face.slices, "pitch": own_voice.pitch})
    return Person(population, index, own_face, own_voice, slices)


def face_of(
    who: Person,
    session: int,
    index: int,
    hardness: float = 1.0,
    *,
    size: tuple[int, int] = face.SIZE,
    head: float = face.HEAD,
    mouth_open: float | None = None,
) -> Rendered:
    """Picture `index` of a session. Small pictures (`size`, `head`) are cheap to make.

    For aligned crops of 112 pixels, size=(176, 176) with head=64 loses nothing.
    """
    look = Look.draw(_rng(who, _VISIT, session), who.face.traits, hardness)
    moment = Moment.draw(_rng(who, _SHOT, session, index), hardness)
    if mouth_open is not None:
        moment = moment.with_mouth(mouth_open)
    return face.render(who.face, look, moment, size=size, head=head)


def voice_of(
    who: Person,
    session: int,
    index: int,
    hardness: float = 1.0,
    *,
    seconds: float = 3.0,
    digits: str | None = None,
) -> SpokenDigits:
    """Utterance `index` of a session: the digits named, or four to six of its own."""
    visit = voice.Session.draw(_rng(who, _SPEECH, session), hardness)
    rng = _rng(who, _SPEECH, session, index)
    drawn = "".join(map(str, rng.integers(0, 10, int(rng.integers(4, 7)))))
    return voice.speak(
        who.voice, digits or drawn, rng, seconds=seconds, hardness=hardness, session=visit
    )


def _born(population: int, index: int) -> tuple[FaceIdentity, VoiceIdentity, Generator]:
    """Face and voice agree in sex and in nothing else."""
    rng = np.random.default_rng(np.random.SeedSequence((_IDENTITY, population, index)))
    looks = FaceIdentity.draw(rng)
    depth = 0.2 if looks.traits.masculinity > 0.5 else 0.8
    sounds = VoiceIdentity.draw(rng, register=float(rng.normal(depth, 0.13)))
    return looks, sounds, rng


def _rng(who: Person, stream: int, *where: int) -> Generator:
    key = (stream, who.population, who.index, *where)
    return np.random.default_rng(np.random.SeedSequence(key))
