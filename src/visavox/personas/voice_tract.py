"""Source and filter: glottal pulses and noise, each shaped by the tract of its instant.

Nothing here loops over samples. A pulse is a spectrum (the glottis in closed form, the tract
as the transform of its polynomial), laid into the waveform at its own fraction of a sample;
noise is shaped frame by frame and overlapped.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from visavox.personas.voice_day import Day
from visavox.personas.voice_identity import VoiceIdentity
from visavox.personas.voice_plan import FRAME_RATE, Plan, Track
from visavox.types import SAMPLE_RATE, Waveform

_SPAN = 512  # samples that a pulse rings: 32 ms
_BINS = np.arange(_SPAN // 2 + 1) * (SAMPLE_RATE / _SPAN)  # (257,) Hz
_HOP = SAMPLE_RATE // FRAME_RATE * 2  # of the noise, 10 ms
_WINDOW = np.sqrt(np.hanning(2 * _HOP + 1)[:-1]).astype(np.float32)
# The tract loses more at high frequencies than the resonances' widths say, and nothing may
# ring at the edge of the band.
_LOSSES = (1 / (1 + (_BINS / 4500) ** 2) / (1 + (_BINS / 7600) ** 16)).astype(np.float32)


def sound(plan: Plan, identity: VoiceIdentity, day: Day, rng: Generator) -> Waveform:
    """The waveform of a plan, voiced parts at RMS 1."""
    samples = len(plan.f0) * SAMPLE_RATE // FRAME_RATE
    cycles = np.concatenate([[0.0], np.cumsum(plan.f0 / FRAME_RATE)])
    voiced = _pulses(plan, identity, day, cycles, samples, rng)
    sung = np.repeat(np.square(plan.voicing), SAMPLE_RATE // FRAME_RATE)
    voiced /= np.float32(np.sqrt(np.average(np.square(voiced), weights=sung)))
    return voiced + _noise(plan, identity, day, cycles, samples, rng)


def _pulses(
    plan: Plan,
    identity: VoiceIdentity,
    day: Day,
    cycles: Track,
    samples: int,
    rng: Generator,
) -> Waveform:
    """Every closing of the glottis, heard through the tract as it then stands."""
    edges = np.arange(len(cycles)) / FRAME_RATE
    times = np.interp(np.arange(1, int(cycles[-1])), cycles, edges)  # (K,) seconds
    frame = np.minimum((times * FRAME_RATE).astype(np.intp), len(plan.f0) - 1)
    heard = plan.voicing[frame] > 0.02
    times, frame = times[heard], frame[heard]
    out = np.zeros(samples + 2 * _SPAN, np.float32)
    period = 1 / plan.f0[frame]
    rough = 1 + 3 * day.hoarse + 5 * plan.creak[frame]
    times = times + identity.jitter * rough * period * rng.standard_normal(len(times))
    strength = plan.voicing[frame] * np.exp(
        identity.shimmer * rough * rng.standard_normal(len(times))
    )
    quotient = np.clip(
        identity.open_quotient * 1.12**-day.effort - 0.2 * plan.creak[frame], 0.3, 0.9
    )
    tilt = np.clip(identity.tilt_hz * 2.2**day.effort * (1 - 0.4 * day.hoarse), 500, 7000)
    opening = quotient * period  # (K,) seconds from opening to closure

    whole = np.floor(times * SAMPLE_RATE).astype(np.intp)
    rest = times - whole / SAMPLE_RATE  # the fraction of a sample, kept in the phase
    shift = np.exp((-2j * np.pi * rest)[:, None] * _BINS)  # (K, 257)
    source = _glottis(opening) / (1 + 1j * _BINS / tilt)
    spectra = (source * shift * transfer(plan, identity, frame)).astype(np.complex64)
    spectra *= _LOSSES * strength.astype(np.float32)[:, None]
    rings = np.fft.irfft(spectra, _SPAN, axis=1)  # (K, 512)
    for start, ring in zip(whole.tolist(), rings, strict=True):
        out[start : start + _SPAN] += ring
    return out[:samples]


def _glottis(opening: Track) -> NDArray[np.complex128]:
    """Spectra of the flow's derivative 2x - 3x², x = t / opening: slow rise, sudden closure."""
    c = (-2j * np.pi * opening)[:, None] * _BINS[1:]  # (K, 256)
    i = 1 / c
    spectrum = np.zeros((len(opening), len(_BINS)), np.complex128)  # no flow at 0 Hz
    spectrum[:, 1:] = np.exp(c) * i * (-1 + i * (4 - 6 * i)) + i * i * (2 + 6 * i)
    return spectrum * opening[:, None]


def transfer(
    plan: Plan, identity: VoiceIdentity, frame: NDArray[np.intp]
) -> NDArray[np.complex128]:
    """How the tract passes each frequency in the given frames, (K, 257); 1 at 0 Hz."""
    poles = np.ones((len(frame), 1))
    for formant in range(plan.formants.shape[1]):
        poles = _times(poles, plan.formants[frame, formant], plan.bandwidths[frame, formant])
    # The nose: a pole and a zero that cancel until the velum opens and draws them apart.
    nasality = plan.nasality[frame]
    murmur = np.full(len(frame), 0.42 * identity.nasal_zero_hz)
    poles = _times(poles, murmur, np.full(len(frame), 90.0))
    zeros = _times(
        np.ones((len(frame), 1)),
        murmur + (identity.nasal_zero_hz - murmur) * nasality,
        90 + 60 * nasality,
    )
    side = np.full(len(frame), identity.side_zero_hz)
    zeros = _times(zeros, side, np.full(len(frame), 350.0))
    poles = _times(poles, side * 1.18, np.full(len(frame), 600.0))
    over = np.fft.rfft(zeros / zeros.sum(axis=1, keepdims=True), _SPAN, axis=1)
    under = np.fft.rfft(poles / poles.sum(axis=1, keepdims=True), _SPAN, axis=1)
    return np.asarray(over / under, np.complex128)


def _times(polynomial: NDArray[np.float64], hertz: Track, width: Track) -> NDArray[np.float64]:
    """Each row times the second-order section of one resonance."""
    radius = np.exp(-np.pi * width / SAMPLE_RATE)
    first = -2 * radius * np.cos(2 * np.pi * hertz / SAMPLE_RATE)
    out = np.zeros((len(polynomial), polynomial.shape[1] + 2))
    out[:, :-2] = polynomial
    out[:, 1:-1] += first[:, None] * polynomial
    out[:, 2:] += (radius * radius)[:, None] * polynomial
    return out


def _noise(
    plan: Plan,
    identity: VoiceIdentity,
    day: Day,
    cycles: Track,
    samples: int,
    rng: Generator,
) -> Waveform:
    """Breath at the glottis and friction at the lips, teeth and palate."""
    frame = np.arange(0, len(plan.f0), 2)  # (N/2,)
    leak = identity.breathiness * (1 + 3 * day.hoarse) * 1.4**-day.effort
    through = np.abs(transfer(plan, identity, frame)).astype(np.float32)
    through *= (_BINS / (_BINS + 800)).astype(np.float32)
    through /= np.sqrt(np.mean(np.square(through), axis=1, keepdims=True))
    breath = (plan.breath + leak * plan.voicing)[frame].astype(np.float32)
    at, wide = plan.friction_at[frame, None], plan.friction_width[frame, None]
    bell = np.exp((-0.5 * np.square((_BINS - at) / wide)).astype(np.float32))
    bell += plan.friction_floor[frame, None].astype(np.float32)
    bell *= (_BINS / (_BINS + 500)).astype(np.float32)
    bell /= np.sqrt(np.mean(np.square(bell), axis=1, keepdims=True))
    gain = through * breath[:, None] + bell * plan.friction[frame, None].astype(np.float32)

    white = rng.standard_normal(samples + 2 * _HOP, dtype=np.float32)
    # Breath comes in puffs, one a cycle, as long as the folds move.
    steps = np.arange(len(cycles)) * (SAMPLE_RATE // FRAME_RATE)
    phase = np.interp(np.arange(samples), steps, cycles)
    puffs = np.cos((2 * np.pi * (phase - np.floor(phase))).astype(np.float32))
    puffs *= np.repeat(0.6 * plan.voicing, SAMPLE_RATE // FRAME_RATE).astype(np.float32)
    white[_HOP:-_HOP] *= 1 + puffs
    return shaped(white, gain, samples)


def shaped(white: Waveform, gain: NDArray[np.float32], samples: int) -> Waveform:
    """White noise filtered by a gain (N, 257) that changes every 10 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(white, 2 * _HOP)[::_HOP][: len(gain)]
    spectra = np.fft.rfft(frames * _WINDOW, _SPAN, axis=1)
    rows = np.fft.irfft(spectra * gain, _SPAN, axis=1)[:, : 2 * _HOP] * _WINDOW
    out = np.zeros((len(gain) + 1, _HOP), np.float32)
    out[:-1] += rows[:, :_HOP]
    out[1:] += rows[:, _HOP:]
    return out.ravel()[_HOP // 2 :][:samples]
