"""What makes a voice one person's own, and how people and their relatives differ."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from visavox.personas.voice_phones import VOWELS

FORMANTS = 7
"""As many as lie below 8 kHz in a tract of usual length."""

LOW_PITCH_HZ, HIGH_PITCH_HZ = 140.0, 180.0
"""Borders of the pitch slices."""


@dataclass(frozen=True, slots=True)
class VoiceIdentity:
    """Everything that stays the same from one day to the next.

    Factors are multiplied onto the targets of `voice_phones`; 1 is the average speaker.
    """

    register: float  # 0 deep to 1 high: what sex and age do to larynx and tract together
    f0_hz: float  # median
    f0_range_st: float  # semitones that the melody spans
    melody_slope_st: float  # fall from first to last digit
    melody_final_st: float  # rise or fall on the last syllable
    melody_peak: float  # where in a digit the accent lies, 0 to 1
    tract_cm: float  # glottis to lips
    formant_factors: tuple[float, ...]  # (FORMANTS,)
    bandwidth_factors: tuple[float, ...]  # (FORMANTS,)
    vowel_habits: tuple[tuple[float, float, float], ...]  # (VOWELS, 3): accent
    open_quotient: float  # share of the period in which the glottis is open
    tilt_hz: float  # above it the source falls faster
    breathiness: float  # noise at the glottis, relative to the voice
    jitter: float  # of the period
    shimmer: float  # of the amplitude, log
    tremor_st: float
    creak: float  # 0 to 1, at the end of the phrase
    nasality: float  # 0 to 1, in sounds that need none
    nasal_zero_hz: float  # anti-formant of the nose
    side_zero_hz: float  # anti-formant of the pockets beside the larynx
    hiss_factor: float  # where s, z and t are strongest
    hiss_strength: float
    rate: float  # digits are this many times shorter
    vowel_stretch: float
    articulation: float  # 1 reaches each target; more is slurred
    pause_s: float  # between digits

    @property
    def pitch(self) -> str:
        """The slice: low, middle or high."""
        if self.f0_hz < LOW_PITCH_HZ:
            return "low"
        return "middle" if self.f0_hz < HIGH_PITCH_HZ else "high"

    @property
    def formant_scale(self) -> float:
        """How far a shorter tract moves all formants up."""
        return 17.5 / self.tract_cm

    @classmethod
    def draw(cls, rng: Generator, *, register: float | None = None) -> Self:
        """A person from the population, or one of a given register (0 deep, 1 high)."""
        if register is None:
            peak, width = ((0.2, 0.13), (0.8, 0.13))[int(rng.random() < 0.5)]
            register = float(rng.normal(peak, width))
        high = float(np.clip(register, -0.1, 1.1))

        def around(value: float, log_sd: float) -> float:
            return float(value * np.exp(log_sd * np.clip(rng.standard_normal(), -2.5, 2.5)))

        def near(value: float, sd: float, low: float, top: float) -> float:
            return float(np.clip(rng.normal(value, sd), low, top))

        formants = np.exp(_FORMANT_SD * rng.standard_normal(FORMANTS).clip(-2.5, 2.5))
        habits = np.exp(_VOWEL_SD * rng.standard_normal((len(VOWELS), 3)).clip(-2.5, 2.5))
        widths = np.exp(0.2 * rng.standard_normal(FORMANTS).clip(-2.5, 2.5))
        return cls(
            register=high,
            f0_hz=float(np.clip(around(101 * 2.32**high, 0.1), 70, 320)),
            f0_range_st=around(2.6, 0.35),
            melody_slope_st=near(2.0, 1.2, -1.0, 5.0),
            melody_final_st=near(-1.5, 1.8, -5.0, 3.5),
            melody_peak=near(0.4, 0.15, 0.1, 0.8),
            tract_cm=float(np.clip(around(17.7 - 3.1 * high, 0.03), 13.2, 19.5)),
            formant_factors=tuple(formants.tolist()),
            bandwidth_factors=tuple(widths.tolist()),
            vowel_habits=_triples(habits),
            open_quotient=near(0.55 + 0.1 * high, 0.08, 0.35, 0.85),
            tilt_hz=around(2600 - 600 * high, 0.4),
            breathiness=around(0.03 + 0.02 * high, 0.6),
            jitter=around(0.006, 0.4),
            shimmer=around(0.05, 0.4),
            tremor_st=around(0.12, 0.5),
            creak=float(rng.beta(0.8, 2.0)),
            nasality=float(rng.beta(1.2, 5.0)),
            nasal_zero_hz=around(640, 0.15),
            side_zero_hz=around(4300 + 500 * high, 0.08),
            hiss_factor=around(0.97 + 0.06 * high, 0.07),
            hiss_strength=around(1.0, 0.3),
            rate=around(1.0, 0.11),
            vowel_stretch=around(1.0, 0.09),
            articulation=around(1.0, 0.2),
            pause_s=around(0.09, 0.45),
        )

    @classmethod
    def blend(cls, a: Self, b: Self, share: float, rng: Generator) -> Self:
        """A relative, who has about `share` of their traits from `a` and the rest from `b`.

        Most traits come nearly whole from one side, so that relatives are as varied as
        strangers are, and two children of one pair differ. A share of 1 is `a` itself.
        """

        def mixed(x: object, y: object) -> NDArray[np.float64]:
            first, second = np.asarray(x, np.float64), np.asarray(y, np.float64)
            weight = np.full(first.shape, float(share))
            if 0 < share < 1:
                weight = rng.beta(0.6 * share, 0.6 * (1 - share), first.shape)
            return np.asarray(weight * first + (1 - weight) * second, np.float64)

        made = {f.name: mixed(getattr(a, f.name), getattr(b, f.name)) for f in fields(cls)}
        plain = {k: float(v) for k, v in made.items() if v.ndim == 0}
        rows = {k: tuple(v.tolist()) for k, v in made.items() if v.ndim == 1}
        return cls(**plain, **rows, vowel_habits=_triples(made["vowel_habits"]))  # type: ignore[arg-type]


# Speakers differ little in the vowels' lowest formant and more in the ones that carry no vowel.
_FORMANT_SD = np.array([0.035, 0.03, 0.035, 0.04, 0.045, 0.05, 0.05])
_VOWEL_SD = np.array([0.06, 0.055, 0.035])


def _triples(habits: NDArray[np.float64]) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(x), float(y), float(z)) for x, y, z in habits)
