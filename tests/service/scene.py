"""Who takes part: personas with their captures, a clock, a kitchen with a fridge, a kiosk, an admin."""

import functools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from visavox.personas import clip
from visavox.personas.dataset_shoot import flac, jpeg
from visavox.personas.person import POPULATIONS, face_of, person, voice_of
from visavox.service import authentication, enrolment, keys
from visavox.service.answer import Answer, Enrolled, Sample
from visavox.service.house import Actor, House
from visavox.store.records import Role

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For tests whose answer does not hang on the database."""

ADMIN = Actor.operator("req-test")
EASE = 0.5
"""How much a persona varies: these tests are not about hard captures."""


class Hands:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@functools.cache
def picture(who: int, session: int, index: int) -> bytes:
    return jpeg(face_of(person(POPULATIONS["test"], who), session, index, EASE).pixels, 92)


@functools.cache
def speech(who: int, session: int, index: int) -> bytes:
    spoken = voice_of(person(POPULATIONS["test"], who), session, index, EASE, seconds=3.0)
    return flac(spoken.waveform)


@functools.cache
def together(one: int, other: int) -> bytes:
    """Two personas side by side in one picture."""
    pixels = [face_of(person(POPULATIONS["test"], i), 1, 0, EASE).pixels for i in (one, other)]
    return jpeg(np.ascontiguousarray(np.hstack([p[:, 120:520] for p in pixels])), 92)


@functools.cache
def talking(who: int, session: int) -> bytes:
    """A clip of a persona, whose lips rest."""
    one = person(POPULATIONS["test"], who)
    spoken = voice_of(one, session, 3, EASE, seconds=3.0)
    frames = [face_of(one, session, 3, EASE).pixels] * 12
    return clip.encode(frames, spoken.waveform, frames_per_second=4)


NO_FACE = jpeg(np.full((480, 640, 3), 128, np.uint8), 92)
"""A picture of a grey wall."""


def sample(who: int, session: int = 0, index: int = 0, *, voice: int | None = None) -> Sample:
    """A capture of a persona; with `voice`, another one's voice to their face."""
    heard = who if voice is None else voice
    return Sample(images=(picture(who, session, index),), audio=speech(heard, session, index))


def samples(who: int, count: int = 2) -> list[Sample]:
    """What a persona is enrolled with: another session than `probe`."""
    return [sample(who, 0, i) for i in range(count)]


def probe(who: int, index: int = 0) -> Sample:
    """A persona at the kiosk, on another day."""
    return sample(who, 1, index)


@dataclass(frozen=True)
class Kitchen:
    """A fridge `kitchen` with the compartments `left` and `right`, and a kiosk."""

    house: House
    kiosk: Actor
    admin: Actor = field(default=ADMIN)
    id: str = "kitchen"

    def enrol(self, who: int, *, captures: int = 2, **more: Any) -> Enrolled:
        given: dict[str, Any] = {
            "name": f"Persona {who}",
            "consent": True,
            "samples": samples(who, captures),
            "id": f"p{who}",
            "compartments": ("left",),
        }
        return enrolment.enrol(self.house, self.admin, self.id, **(given | more))

    def ask(self, sample: Sample, **more: Any) -> Answer:
        given: dict[str, Any] = {"fridge": self.id, "sample": sample}
        return authentication.authenticate(self.house, self.kiosk, **(given | more))

    def another_kiosk(self) -> Actor:
        issued = keys.create(
            self.house, self.admin, role=Role.KIOSK, name="Second", fridges=[self.id]
        )
        return keys.identify(self.house, issued.secret, request_id="req-2")

    def set(self, **changed: Any) -> "Kitchen":
        """The same, with other settings."""
        settings = replace(self.house.settings, **changed)
        return replace(self, house=replace(self.house, settings=settings))
