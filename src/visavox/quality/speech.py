"""Where in a sound somebody speaks, and how loud and clean it is.

Speech rises over what surrounds it *and* has a pitch. Noise has no pitch, hum does not rise, a
whistle is a single line of the spectrum. Everything but level and clipping is relative, so gain
changes nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavox.types import SAMPLE_RATE, Waveform

_WINDOW, _HOP = 512, 160  # 32 ms every 10 ms
_BINS = slice(3, 123)  # 94 Hz to 3.8 kHz in bins of 31 Hz: what any telephone carries
_BANDS = 20  # of 6 bins; each has a floor of its own
_CHUNK = 256  # frames at a time: larger temporaries cost more in page faults than in arithmetic
_QUIET = 10  # percentile of time that is floor: speech pauses at least that often
_RANGE_DB = 50.0  # below the loudest: digital silence is no floor
_ABOVE_DB = 5.0  # over the floor, on average over the bands; steady noise stays below 4
_LAGS = slice(20, 107)  # pitch from 75 to 400 Hz, at half the sample rate
_PITCHED = 0.55  # normalised autocorrelation: 1 is a perfect period
_LINE = 0.92  # share of the power in four bins beyond which it is a whistle
_RUN = 3  # frames of pitch in a row; chance gives fewer
_REACH = 15  # frames around pitch in which what rises is a consonant
_FULL = 0.985  # of full scale

_HANN = np.hanning(_WINDOW).astype(np.float32)
_OVERLAP = np.fft.irfft(np.abs(np.fft.rfft(_HANN))[: _WINDOW // 4 + 1] ** 2)
_SHAPE = (_OVERLAP[_LAGS] / _OVERLAP[0]).astype(np.float32)  # what the window does to a period


@dataclass(frozen=True, slots=True)
class Speech:
    seconds: float
    start: int  # samples
    stop: int
    level_db: float  # root mean square of the speech (of all, if there is none), full scale = 0
    snr_db: float  # 0 where there is no speech
    clipped: float  # share of the speech's samples at full scale


def find_speech(waveform: Waveform) -> Speech:
    """Search the whole of `waveform`; no speech is a `Speech` of 0 seconds."""
    if len(waveform) < _WINDOW:
        waveform = np.pad(waveform, (0, _WINDOW - len(waveform)))
    power = _power(waveform)  # (N, 240)
    bands = power.reshape(len(power), _BANDS, -1).mean(axis=2)  # (N, 20)
    energy = bands.mean(axis=1)
    least = energy.max() * np.float32(10 ** (-_RANGE_DB / 10)) + np.float32(1e-12)
    floor = np.percentile(bands, _QUIET, axis=0).astype(np.float32).clip(min=least)  # (20,)
    rises = (bands / floor).mean(axis=1) > 10 ** (_ABOVE_DB / 10)
    candidates = np.flatnonzero(rises)
    voiced = np.zeros(len(power), bool)
    voiced[candidates] = _voiced(power[candidates], floor)
    spoken = rises & _near(_runs(voiced, _RUN), _REACH)
    return _measured(waveform, bands, rises, spoken)


def _power(waveform: Waveform) -> NDArray[np.float32]:
    frames = np.lib.stride_tricks.sliding_window_view(waveform, _WINDOW)[::_HOP]  # (N, 512)
    power = np.empty((len(frames), _BINS.stop - _BINS.start), np.float32)
    for at in range(0, len(frames), _CHUNK):
        spectrum = np.fft.rfft(frames[at : at + _CHUNK] * _HANN)[:, _BINS]
        power[at : at + _CHUNK] = np.square(spectrum.real) + np.square(spectrum.imag)
    return power


def _voiced(power: NDArray[np.float32], floor: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Has the frame a pitch, once the floor is taken away?"""
    pitched = np.empty(len(power), bool)
    twice = 2 * np.repeat(floor, power.shape[1] // _BANDS)
    for at in range(0, len(power), _CHUNK):
        clean = np.zeros((len(power[at : at + _CHUNK]), _WINDOW // 4 + 1), np.float32)
        np.maximum(power[at : at + _CHUNK] - twice, 0, out=clean[:, _BINS])
        line = np.partition(clean, -4, axis=1)[:, -4:].sum(axis=1)
        correlation = np.fft.irfft(clean, axis=1)  # (N, 256): lags at half the sample rate
        strength = (correlation[:, _LAGS] / _SHAPE).max(axis=1)
        pitched[at : at + _CHUNK] = (strength > _PITCHED * correlation[:, 0]) & (
            line < _LINE * clean.sum(axis=1)
        )
    return pitched


def _runs(active: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Only stretches of at least `least` frames."""
    padded = np.concatenate([[False], active, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
    kept = np.zeros_like(active)
    for start, stop in edges[edges[:, 1] - edges[:, 0] >= least]:
        kept[start:stop] = True
    return kept


def _near(active: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    return np.convolve(active, np.ones(2 * reach + 1), mode="full")[reach:-reach] > 0.5


def _measured(
    waveform: Waveform,
    bands: NDArray[np.float32],
    rises: NDArray[np.bool_],
    spoken: NDArray[np.bool_],
) -> Speech:
    if not spoken.any():
        return Speech(0.0, 0, 0, _level(waveform), 0.0, _clipped(waveform))
    index = np.flatnonzero(spoken)
    start, stop = int(index[0]) * _HOP, int(index[-1]) * _HOP + _WINDOW
    speech = waveform[: len(spoken) * _HOP][np.repeat(spoken, _HOP)]
    energy = bands.mean(axis=1)
    quiet = energy[~rises]
    # Without pauses the softest moments of the speech stand in for them.
    noise = float(quiet.mean()) if len(quiet) >= 10 else float(np.percentile(energy, 5))
    signal = float(energy[spoken].mean())
    noise = max(noise, signal * 1e-6)
    return Speech(
        seconds=float(spoken.sum()) * _HOP / SAMPLE_RATE,
        start=start,
        stop=min(stop, len(waveform)),
        level_db=_level(speech),
        snr_db=float(10 * np.log10(max(signal - noise, noise / 10) / noise)),
        clipped=_clipped(speech),
    )


def _clipped(samples: Waveform) -> float:
    return float(np.mean(np.abs(samples) >= _FULL))


def _level(samples: Waveform) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-12))
