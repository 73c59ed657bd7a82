"""How one person's voice differs from day to day and from one utterance to the next."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator


@dataclass(frozen=True, slots=True)
class Day:
    """A mood, a health and a habit of the hour, shared by all captures of one session."""

    pitch_st: float = 0.0  # semitones above the person's own median
    liveliness: float = 1.0  # of the melody
    rate: float = 1.0
    effort: float = 0.0  # -1 murmured to 1 called out
    cold: float = 0.0  # 0 to 1: a blocked nose
    hoarse: float = 0.0  # 0 to 1
    wander: float = 1.0  # how much utterances of this day differ among themselves

    @classmethod
    def draw(cls, rng: Generator, hardness: float = 1.0) -> Self:
        """A day; `hardness` 0 is the person at their most average, 1 is life, 2 is a bad life."""
        effort = float(np.clip(hardness * rng.normal(0.0, 0.35), -1.2, 1.2))
        ill = rng.random(2) < 0.12 * hardness
        cold, hoarse = ill * rng.uniform(0.3, 1.0, 2)
        return cls(
            pitch_st=float(hardness * rng.normal(0.0, 0.9)) + 1.6 * effort - float(hoarse),
            liveliness=float(np.exp(hardness * rng.normal(0.0, 0.3))),
            rate=float(np.exp(hardness * rng.normal(0.0, 0.1))),
            effort=effort,
            cold=float(cold),
            hoarse=float(hoarse),
            wander=hardness,
        )

    def moment(self, rng: Generator) -> "Day":
        """One utterance's own deviation from the day."""
        effort = float(np.clip(self.effort + self.wander * rng.normal(0.0, 0.15), -1.5, 1.5))
        return Day(
            pitch_st=self.pitch_st + float(self.wander * rng.normal(0.0, 0.5)),
            liveliness=self.liveliness * float(np.exp(self.wander * rng.normal(0.0, 0.2))),
            rate=self.rate * float(np.exp(self.wander * rng.normal(0.0, 0.06))),
            effort=effort,
            cold=self.cold,
            hoarse=self.hoarse,
            wander=self.wander,
        )
