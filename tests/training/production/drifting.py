"""A fridge whose kiosk sees and hears its members by day, and then by another camera or in another room."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from tests import cohort
from tests.service.scene import ADMIN, EASE, Hands, Kitchen
from visavox import bundle
from visavox.config import validated
from visavox.personas.dataset_shoot import flac, jpeg
from visavox.personas.person import POPULATIONS, face_of, person, voice_of
from visavox.personas.room import Room, heard
from visavox.service import models
from visavox.service.answer import Sample
from visavox.service.house import House
from visavox.training.fit import DiscriminatorSettings, prepare
from visavox.training.train import fit_fridge
from visavox.types import Pixels, Waveform

MEMBERS = 14
QUIET = Room(
    seed=7, reverberation_s=0.05, direct_db=30, snr_db=60, noise_slope=1.0, babble=0.3, hum=0.0,
    hum_hz=50, low_hz=40, high_hz=7600, tilt_db=0.0, colour_db=0.0, gain_db=0.0, clip_at=1.0,
    bits=16,
)  # fmt: skip
"""A place that adds next to nothing."""


@dataclass(frozen=True)
class Kiosk:
    """What stands between a person and the service."""

    camera: Callable[[Pixels], Pixels] = lambda pixels: pixels
    microphone: Callable[[Waveform, int], Waveform] = lambda waveform, _: waveform

    def takes(self, who: int, session: int) -> Sample:
        """That persona on that day, through this camera and microphone."""
        pixels, waveform = _persona(who, session)
        picture = jpeg(self.camera(pixels), 92)
        return Sample(images=(picture,), audio=flac(self.microphone(waveform, who + 100 * session)))


_SEEN: dict[tuple[int, int], tuple[Pixels, Waveform]] = {}


def _persona(who: int, session: int) -> tuple[Pixels, Waveform]:
    if (who, session) not in _SEEN:
        someone = person(POPULATIONS["test"], who)
        spoken = voice_of(someone, session, 0, EASE, seconds=2.5).waveform
        _SEEN[who, session] = face_of(someone, session, 0, EASE).pixels, spoken
    return _SEEN[who, session]


def dark(pixels: Pixels) -> Pixels:
    """A camera that lets in half of the light."""
    return (pixels * 0.55).astype(np.uint8)


def noisy(waveform: Waveform, seed: int) -> Waveform:
    """A room full of people."""
    loud = Room(**{name: getattr(QUIET, name) for name in QUIET.__slots__} | {"snr_db": 8.0})
    return heard(waveform, loud, np.random.default_rng(seed))


def telephone(waveform: Waveform, seed: int) -> Waveform:
    """A small microphone, which hears what a telephone does."""
    cheap = {"low_hz": 500.0, "high_hz": 3000.0, "tilt_db": 10.0, "colour_db": 3.0}
    other = Room(**{name: getattr(QUIET, name) for name in QUIET.__slots__} | cheap)
    return heard(waveform, other, np.random.default_rng(seed))


def visit(kitchen: Kitchen, clock: Hands, kiosk: Kiosk, sessions: tuple[int, ...]) -> list[str]:
    """Each member comes once in each session, an hour and a half apart; what they were answered."""
    said = []
    for session in sessions:
        for who in range(MEMBERS):
            said.append(kitchen.ask(kiosk.takes(who, session)).decision.outcome.value)
            clock.pass_by(60)
        clock.pass_by(5400)
    return said


def trained(house: House, fridge: str, root: Path, at: datetime) -> str:
    """Train that fridge on what its members are enrolled with, and let it serve; its digest."""
    nets = house.models.characterizer
    table, people, sessions = cohort.read(nets)
    settings = validated(DiscriminatorSettings, {"folds": 2})
    background = prepare(table, people, settings, seed=1, sessions=sessions)
    with house.store.read() as unit:
        known = unit.captures.of_fridge(fridge)
    owners = [member for member, some in known.items() for _ in some]
    captures = [capture for some in known.values() for capture in some]
    enrolment = house.models.table([c.id for c in captures], [c.embeddings for c in captures])
    fitted, drift = fit_fridge(background, enrolment, owners, seed=1)
    folder = bundle.write(
        root,
        fridge=fridge,
        discriminator=fitted.discriminator,
        policy=fitted.policy,
        characterizer_digest=nets.digest,
        population="personas",
        lineage={
            "commit": "0" * 40,
            "as_of": at.isoformat(),
            "captures": [capture.id for capture in captures],
        },
        reference=drift,
    )
    digest = models.install(house, ADMIN, fridge, folder).bundle
    assert digest is not None
    with house.store.begin() as unit:  # as a run does that ends well
        run = unit.runs.begin("retrain", [fridge], reason="tests", at=at)
        unit.retraining.claim(run.id, [fridge], at=at)
        unit.retraining.done(run.id, fridge, at=at)
    return digest
