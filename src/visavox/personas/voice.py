"""A voice that does not exist says digits.

    identity = VoiceIdentity.draw(rng)
    session = Session.draw(rng, hardness=1.0)                  # shared by a session's captures
    spoken = speak(identity, "4071", rng, session=session)     # .waveform, .mouth_opening

Source–filter synthesis in numpy alone. What stays from day to day is the `VoiceIdentity`,
what changes is the `Day`, and what the microphone makes of it is the `Room`.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from visavox.personas.room import USUAL_LEVEL, Room, heard
from visavox.personas.voice_day import Day
from visavox.personas.voice_identity import VoiceIdentity
from visavox.personas.voice_plan import FRAME_RATE, plan
from visavox.personas.voice_tract import sound
from visavox.types import SAMPLE_RATE, Waveform

__all__ = ["Day", "Room", "Session", "SpokenDigits", "VoiceIdentity", "speak", "utter"]


@dataclass(frozen=True, slots=True)
class Session:
    """One visit: how the person is today, and where the kiosk stands."""

    day: Day
    room: Room

    @classmethod
    def draw(cls, rng: Generator, hardness: float = 1.0) -> Self:
        return cls(Day.draw(rng, hardness), Room.draw(rng, hardness))


@dataclass(frozen=True, slots=True)
class SpokenDigits:
    """What was said, how it sounds, and how far the mouth stood open."""

    digits: str
    waveform: Waveform  # (T,) at SAMPLE_RATE
    mouth_opening: NDArray[np.float32]  # (N,) 0 closed to 1 wide
    opening_rate: float  # openings a second

    def opening_at(self, seconds: float) -> float:
        """The mouth's opening at a time; closed before and after."""
        times = (np.arange(len(self.mouth_opening)) + 0.5) / self.opening_rate
        return float(np.interp(seconds, times, self.mouth_opening, left=0.0, right=0.0))


def utter(
    identity: VoiceIdentity,
    digits: str,
    rng: Generator,
    *,
    day: Day | None = None,
    seconds: float = 3.0,
) -> SpokenDigits:
    """Speech as it leaves the lips: no room, no noise, no microphone."""
    moment = (day or Day()).moment(rng)
    planned = plan(identity, moment, digits, rng, seconds=seconds)
    raw = sound(planned, identity, moment, rng)
    samples = round(seconds * SAMPLE_RATE)
    waveform = np.zeros(samples, np.float32)
    waveform[: len(raw)] = raw[:samples]
    waveform *= np.float32(USUAL_LEVEL * 1.7**moment.effort)
    opening = planned.opening.astype(np.float32)
    return SpokenDigits(digits, waveform, opening, float(FRAME_RATE))


def speak(
    identity: VoiceIdentity,
    digits: str,
    rng: Generator,
    *,
    seconds: float = 3.0,
    hardness: float = 1.0,
    session: Session | None = None,
) -> SpokenDigits:
    """Speech as the kiosk's microphone records it, exactly `seconds` long.

    Give the `session` that other captures of the same visit share; without one, a visit of
    its own is drawn with `hardness` (0 is ideal, 1 is life, 2 is worse).
    """
    visit = session or Session.draw(rng, hardness)
    clean = utter(identity, digits, rng, day=visit.day, seconds=seconds)
    recorded = heard(clean.waveform, visit.room, rng)
    return SpokenDigits(digits, recorded, clean.mouth_opening, clean.opening_rate)
