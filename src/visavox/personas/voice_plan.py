"""From digits to tracks: what larynx, tract, nose and lips do at each instant."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from visavox.errors import ConfigError
from visavox.personas.voice_day import Day
from visavox.personas.voice_identity import FORMANTS, VoiceIdentity
from visavox.personas.voice_phones import DIGITS, PHONES, SILENCE, VOWELS, Phone

FRAME_RATE = 200
"""Tracks have a value every 5 ms."""

Track = NDArray[np.float64]

_SHORTEST_DIGIT_S = 0.14
_BANDWIDTHS = np.array([65.0, 80.0, 110.0, 170.0, 260.0, 420.0, 600.0])
_HIGHER = np.array([3500.0, 4500.0, 5500.0, 6500.0])  # of a neutral 17.5 cm tube


@dataclass(frozen=True, slots=True)
class Plan:
    """Tracks over N frames."""

    f0: Track  # (N,) Hz
    voicing: Track  # (N,)
    breath: Track  # (N,)
    friction: Track  # (N,)
    friction_at: Track  # (N,) Hz
    friction_width: Track  # (N,) Hz
    friction_floor: Track  # (N,)
    nasality: Track  # (N,)
    formants: NDArray[np.float64]  # (N, FORMANTS) Hz
    bandwidths: NDArray[np.float64]  # (N, FORMANTS) Hz
    opening: Track  # (N,) 0 to 1
    creak: Track  # (N,) 0 to 1


@dataclass(frozen=True, slots=True)
class _Score:
    """Phones in time: one entry per phone, silences included."""

    phones: tuple[Phone, ...]
    digit: NDArray[np.intp]  # (P,) which digit, -1 in silence
    ends: Track  # (P,) seconds


def plan(identity: VoiceIdentity, day: Day, digits: str, rng: Generator, *, seconds: float) -> Plan:
    """What the person does to say `digits` within `seconds`.

    Raises ConfigError for anything but digits, and for more digits than can be said in time.
    """
    if not digits or not set(digits) <= set(DIGITS):
        raise ConfigError(
            f"A persona speaks the digits 0 to 9, one at least; it was asked for {digits!r}.",
            next_step="Give a string such as '4071'.",
        )
    if len(digits) * _SHORTEST_DIGIT_S > seconds - 0.1:
        raise ConfigError(
            f"{len(digits)} digits cannot be said in {seconds:g} s.",
            next_step=f"Allow {_SHORTEST_DIGIT_S} s a digit and 0.1 s more, or ask for fewer.",
        )
    score = _score(identity, day, digits, rng, seconds)
    n = round(seconds * FRAME_RATE)
    time = (np.arange(n) + 0.5) / FRAME_RATE
    at = np.minimum(np.searchsorted(score.ends, time), len(score.phones) - 1)  # (N,)
    wander = 0.012 * day.wander
    formants = _formants(identity, day, score.phones)
    formants *= np.exp(wander * rng.standard_normal(formants.shape))

    def track(name: str) -> Track:
        return np.array([getattr(p, name) for p in score.phones], np.float64)[at]

    nasality = track("nasality")
    leak = identity.nasality * 0.5
    shut = 1 - 0.75 * day.cold
    voicing = _smooth(track("voicing"), 0.03)
    tone = np.array([p.carries_tone for p in score.phones])[at]
    slurred = 0.075 * identity.articulation * day.rate**-0.3
    ill = 1 + 0.25 * day.cold + 0.1 * day.hoarse
    wide = _BANDWIDTHS * np.asarray(identity.bandwidth_factors) * ill
    wide *= np.exp(0.05 * day.wander * rng.standard_normal(FORMANTS))
    return Plan(
        f0=_melody(identity, day, score, time, tone, rng),
        voicing=voicing * _loudness(day, score, at, rng),
        breath=_smooth(track("breath"), 0.02),
        friction=_smooth(track("friction"), 0.018) * identity.hiss_strength,
        friction_at=_smooth(track("friction_at"), 0.03) * identity.hiss_factor,
        friction_width=track("friction_width"),
        friction_floor=track("friction_floor"),
        nasality=_smooth(np.maximum(nasality, leak) * shut, 0.05),
        formants=_smooth(formants[at], slurred),
        bandwidths=np.tile(wide, (n, 1)),
        opening=np.clip(_smooth(track("opening"), 0.08) * (1 + 0.2 * day.effort), 0.0, 1.0),
        creak=_creak(identity, score, time),
    )


def _score(
    identity: VoiceIdentity, day: Day, digits: str, rng: Generator, seconds: float
) -> _Score:
    phones: list[Phone] = [SILENCE]
    digit: list[int] = [-1]
    lengths: list[float] = [float(rng.uniform(0.12, 0.35))]
    for index, name in enumerate(digits):
        said = [PHONES[p] for p in DIGITS[name]]
        last = index == len(digits) - 1
        for place, phone in enumerate(said):
            stretch = identity.vowel_stretch if phone.carries_tone else 1.0
            # The last syllable of a phrase is drawn out.
            stretch *= 1.25 if last and 2 * place >= len(said) else 1.0
            pace = 1.0 if phone.holds else stretch / (identity.rate * day.rate)
            phones.append(phone)
            digit.append(index)
            lengths.append(
                phone.milliseconds / 1000 * pace * float(np.exp(0.08 * rng.standard_normal()))
            )
        if not last:
            phones.append(SILENCE)
            digit.append(-1)
            lengths.append(identity.pause_s * float(np.exp(0.4 * rng.standard_normal())))
    spans = np.array(lengths)
    spare = seconds - 0.05 - spans.sum()
    if spare < 0:
        spans *= (seconds - 0.05) / spans.sum()
    elif len(digits) > 1 and spare > 0.6:
        # Someone with time to spare leaves it between the digits and at both ends.
        spans[0] += spare * float(rng.uniform(0.05, 0.3))
        gaps = np.array([d < 0 for d in digit])
        gaps[0] = False
        spans[gaps] += spare * 0.25 / gaps.sum()
    return _Score((*phones, SILENCE), np.array([*digit, -1]), np.append(spans.cumsum(), seconds))


def _formants(identity: VoiceIdentity, day: Day, phones: tuple[Phone, ...]) -> NDArray[np.float64]:
    """Targets of each phone in this person's tract, (P, FORMANTS)."""
    targets = np.array([[*p.formants, *_HIGHER] for p in phones], np.float64)
    habits = dict(zip(VOWELS, identity.vowel_habits, strict=True))
    for row, phone in enumerate(phones):
        if phone.vowel:
            targets[row, :3] *= habits[phone.vowel]
    for row, phone in enumerate(phones):  # in silence the tract waits in the next sound's place
        if phone is SILENCE:
            targets[row] = targets[row + 1 if row + 1 < len(phones) else row - 1]
    targets *= identity.formant_scale * np.asarray(identity.formant_factors)
    targets[:, 0] *= 1 + 0.08 * day.effort  # who calls out opens the jaw
    return np.clip(targets, 180.0, 7700.0)


def _melody(
    identity: VoiceIdentity,
    day: Day,
    score: _Score,
    time: Track,
    tone: NDArray[np.bool_],
    rng: Generator,
) -> Track:
    starts = np.concatenate([[0.0], score.ends[:-1]])
    first, last = starts[1], starts[-1]
    through = np.clip((time - first) / (last - first), 0.0, 1.0)
    count = int(score.digit.max()) + 1
    semitones = identity.melody_slope_st * (0.5 - through)
    for index in range(count):
        inside = score.digit == index
        begin, end = starts[inside][0], score.ends[inside][-1]
        peak = begin + identity.melody_peak * (end - begin)
        height = identity.f0_range_st * float(np.exp(0.25 * day.wander * rng.standard_normal()))
        semitones = semitones + height * (
            np.exp(-0.5 * ((time - peak) / (0.35 * (end - begin))) ** 2) - 0.4
        )
    semitones = semitones + identity.melody_final_st * np.clip((time - last + 0.3) / 0.3, 0, 1)
    slow = _smooth(rng.standard_normal(len(time)), 0.4)
    semitones = semitones + 0.4 * slow / max(float(slow.std()), 1e-6)
    semitones = semitones * day.liveliness + day.pitch_st
    semitones += identity.tremor_st * np.sin(2 * np.pi * (5.1 * time + rng.random()))
    # Voiced consonants pull the pitch down a little.
    semitones -= _smooth(np.where(tone, 0.0, 0.6), 0.05)
    falls = 1 - 0.3 * _creak(identity, score, time)
    return np.asarray(np.clip(identity.f0_hz * 2 ** (semitones / 12) * falls, 45.0, 500.0))


def _loudness(day: Day, score: _Score, at: NDArray[np.intp], rng: Generator) -> Track:
    count = int(score.digit.max()) + 1
    per_digit = 1 - 0.25 * np.arange(count) / count
    per_digit = per_digit * np.exp(0.12 * max(day.wander, 0.2) * rng.standard_normal(count))
    return _smooth(np.append(per_digit, 1.0)[score.digit[at]], 0.05)


def _creak(identity: VoiceIdentity, score: _Score, time: Track) -> Track:
    end = float(score.ends[-2])
    return np.asarray(
        np.clip(identity.creak - 0.35, 0, 1) * np.clip((time - end + 0.2) / 0.2, 0, 1)
    )


def _smooth(values: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """Moving average under a bell of that full width, along the first axis."""
    half = round(seconds * FRAME_RATE / 2)
    if half < 1:
        return values
    bell = np.hanning(2 * half + 3)[1:-1]
    bell /= bell.sum()
    edges = [(half, half)] + [(0, 0)] * (values.ndim - 1)
    padded = np.pad(values, edges, mode="edge")
    if values.ndim == 1:
        return np.convolve(padded, bell, "valid")
    return np.stack([np.convolve(c, bell, "valid") for c in padded.T], axis=1)
