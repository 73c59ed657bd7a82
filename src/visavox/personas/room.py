"""Where the kiosk stands: what room, noise, microphone and codec do to a voice."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from visavox.types import SAMPLE_RATE, Waveform

USUAL_LEVEL = 0.08
"""RMS of speech of usual loudness at the microphone; full scale is 1."""


@dataclass(frozen=True, slots=True)
class Room:
    """The acoustics of one session; the same seed is the same place."""

    seed: int  # of the reflections, so that captures of a session share them
    reverberation_s: float  # time to fall by 60 dB
    direct_db: float  # direct sound over reflections
    snr_db: float  # for speech of usual loudness
    noise_slope: float  # 0 white, 1 pink, 2 brown
    babble: float  # share of the noise that is other people
    hum: float  # share that is mains hum
    hum_hz: float
    low_hz: float  # the microphone's edges
    high_hz: float
    tilt_db: float  # from low to high
    colour_db: float  # depth of the microphone's ripples
    gain_db: float
    clip_at: float  # full scale is 1
    bits: float  # of the codec, per coefficient; 16 and more is none

    @classmethod
    def draw(cls, rng: Generator, hardness: float = 1.0) -> Self:
        """A place; `hardness` 0 is a quiet cabin with a fine microphone."""
        h = hardness
        return cls(
            seed=int(rng.integers(2**32)),
            reverberation_s=float(np.clip(0.12 + h * rng.gamma(2.0, 0.11), 0.05, 1.2)),
            direct_db=float(np.clip(14 - h * rng.gamma(2.0, 3.5), -6, 20)),
            snr_db=float(np.clip(38 - h * rng.gamma(3.0, 3.8), 6, 45)),
            noise_slope=float(rng.uniform(0.3, 1.9)),
            babble=float(rng.beta(0.6, 1.2)),
            hum=float(rng.beta(0.5, 4.0)),
            hum_hz=float(rng.choice([50.0, 60.0])),
            low_hz=float(40 + h * rng.uniform(0, 160)),
            high_hz=float(max(7600 - h * rng.gamma(1.2, 1100), 3300)),
            tilt_db=float(h * rng.normal(0, 3.0)),
            colour_db=float(h * rng.gamma(2.0, 0.9)),
            gain_db=float(h * rng.normal(0, 4.0)),
            clip_at=float(np.clip(1 - h * max(rng.normal(0.0, 0.2), 0.0), 0.4, 1.0)),
            bits=float(max(16 - h * 11, 5)) + float(rng.exponential(2.0))
            if rng.random() < 0.4
            else 16.0,
        )


def heard(waveform: Waveform, room: Room, rng: Generator) -> Waveform:
    """What is recorded when `waveform` sounds in `room`; same length, within [-1, 1]."""
    size = _fast_size(len(waveform) + int(room.reverberation_s * SAMPLE_RATE))
    place = np.random.default_rng(room.seed)
    reflections = np.fft.rfft(_impulses(room, place), size)
    microphone = _microphone(room, place, size)
    voice = np.fft.rfft(waveform, size) * reflections
    speech = np.fft.irfft(voice, size)[: len(waveform)]
    noise = _noise(room, len(waveform), rng)
    # A place is as noisy as it is: who murmurs drowns in it, and silence is no silence.
    noise *= np.float32(USUAL_LEVEL * 10 ** (-room.snr_db / 20))
    both = np.fft.rfft(speech + noise, size) * microphone
    out = np.fft.irfft(both, size)[: len(waveform)].astype(np.float32)
    out *= np.float32(10 ** (room.gain_db / 20))
    if room.bits < 16:
        out = coded(out, room.bits)
    return np.clip(out, -room.clip_at, room.clip_at).astype(np.float32)


def _impulses(room: Room, place: Generator) -> Waveform:
    """Direct sound, a few early echoes, then a dense tail that dies exponentially."""
    n = int(room.reverberation_s * SAMPLE_RATE) + 1
    time = np.arange(n, dtype=np.float32) / SAMPLE_RATE
    tail = place.standard_normal(n, dtype=np.float32)
    tail *= np.exp(-6.9 * time / room.reverberation_s) * (time > 0.008)
    early = place.integers(24, min(n, 800) if n > 50 else n + 25, 8)
    early = early[early < n]
    tail[early] += 2.5 * place.standard_normal(len(early)).astype(np.float32)
    # High frequencies die first.
    tail[1:] = 0.7 * tail[1:] + 0.3 * tail[:-1]
    energy = float(np.sum(np.square(tail)))
    if energy > 0:
        tail *= np.float32(10 ** (-room.direct_db / 20) / np.sqrt(energy))
    tail[0] = 1.0
    return tail


def _microphone(room: Room, place: Generator, size: int) -> NDArray[np.float32]:
    """Gain at each frequency of a transform of that size."""
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE).astype(np.float32)
    knots = np.linspace(0, SAMPLE_RATE / 2, 14)
    ripples = room.colour_db * place.standard_normal(14) + np.linspace(-0.5, 0.5, 14) * room.tilt_db
    gain = 10 ** (np.interp(hertz, knots, ripples) / 20)
    gain /= np.sqrt(1 + (room.low_hz / np.maximum(hertz, 1.0)) ** 4)
    gain /= np.sqrt(1 + (hertz / room.high_hz) ** 12)
    return np.asarray(gain, np.float32)


def _noise(room: Room, samples: int, rng: Generator) -> Waveform:
    """Coloured hiss, people in the background and mains hum, at RMS 1."""
    size = _fast_size(samples)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE).astype(np.float32)
    white = rng.standard_normal((2, len(hertz)), dtype=np.float32)
    spectrum = (white[0] + 1j * white[1]) * np.maximum(hertz, 40.0) ** (-room.noise_slope / 2)
    hiss = np.fft.irfft(spectrum, size)[:samples]
    parts = hiss * (1 - room.babble) / hiss.std()
    if room.babble > 0.05:
        parts += room.babble * _babble(samples, rng)
    if room.hum > 0.02:
        period = SAMPLE_RATE // 10  # after which 50 and 60 Hz both close
        step = 2 * np.pi * room.hum_hz * np.arange(period) / SAMPLE_RATE
        wave = sum(
            rng.exponential(1.0) / k * np.sin(k * step + rng.uniform(0, 6)) for k in (1, 2, 3, 5)
        )
        parts = (1 - room.hum) * parts / parts.std()
        parts += room.hum * np.resize(wave / np.std(wave), samples)
    return np.asarray(parts / parts.std(), np.float32)


def _babble(samples: int, rng: Generator) -> Waveform:
    """Several people far off: bands of noise, each swelling at the pace of syllables."""
    size = _fast_size(samples)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE).astype(np.float32)
    out = np.zeros(samples, np.float32)
    for low, high, share in (
        (120, 500, 1.0),
        (400, 1200, 0.7),
        (1000, 2800, 0.35),
        (2500, 6000, 0.12),
    ):
        inside = (hertz > low) & (hertz < high)
        spectrum = np.zeros(len(hertz), np.complex64)
        white = rng.standard_normal((2, int(inside.sum())), dtype=np.float32)
        spectrum[inside] = white[0] + 1j * white[1]
        band = np.fft.irfft(spectrum, size)[:samples]
        swell = np.abs(rng.standard_normal(max(int(samples / SAMPLE_RATE * 6), 2)))
        swell = np.interp(np.linspace(0, len(swell) - 1, samples), np.arange(len(swell)), swell)
        out += (share * (0.3 + swell) * band / band.std()).astype(np.float32)
    return np.asarray(out / out.std(), np.float32)


def coded(waveform: Waveform, bits: float) -> Waveform:
    """The loss of a lossy codec: each band of each 32 ms block kept with few steps."""
    block, bands = 512, 16
    window = np.sqrt(np.hanning(block + 1)[:-1]).astype(np.float32)
    padded = np.pad(waveform, (block // 2, block + block // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, block)[:: block // 2] * window
    spectra = np.fft.rfft(frames, axis=1)[:, :-1].astype(np.complex64)  # (N, 256)
    grouped = spectra.reshape(len(spectra), bands, -1)  # (N, 16, 16)
    top = np.abs(grouped).max(axis=2, keepdims=True)
    step = np.maximum(top, 1e-3) * np.float32(2 / 2 ** (bits / 2))
    kept = (np.round(grouped.real / step) + 1j * np.round(grouped.imag / step)) * step
    full = np.pad(kept.reshape(len(spectra), -1), ((0, 0), (0, 1)))
    rows = np.fft.irfft(full, block, axis=1) * window
    out = np.zeros((len(rows) + 1, block // 2), np.float32)
    out[:-1] += rows[:, : block // 2]
    out[1:] += rows[:, block // 2 :]
    return out.ravel()[block // 2 :][: len(waveform)]


def _fast_size(least: int) -> int:
    """The next length whose transform is fast."""
    size = 1 << max(least - 1, 1).bit_length()
    return size * 3 // 4 if size * 3 // 4 >= least else size
