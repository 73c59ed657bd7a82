"""What a room, a microphone and a line do to speech, as seeded batch operations."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from visavox.config import settings
from visavox.types import SAMPLE_RATE

Change = Callable[[Tensor, Generator], Tensor]


@settings
class VoiceAugmentSettings:
    """How often each thing happens, and how strong it gets; every share is a probability."""

    seconds: float = 2.0
    """Length of the excerpt that one training step hears."""
    speeds: tuple[float, ...] = (1.0, 0.9, 1.1)
    """Tape speeds. They move pitch and formants as another throat would, so that a person at
    another speed counts as another person: identities for nothing."""
    reverberation: float = 0.25
    reverberation_most: float = 0.5
    """Longest time that a room takes to die away by 60 dB, in seconds."""
    band: float = 0.2
    """Share of excerpts that come through a telephone or a poor microphone."""
    noise: float = 0.35
    babble: float = 0.2
    """Share of excerpts with other people of the batch in the background."""
    snr_least: float = 5.0
    snr_most: float = 25.0
    """Range of speech over noise, in decibels."""
    gain_db: float = 12.0
    """Largest change of loudness, either way."""
    mask: float = 0.4
    """Share of excerpts with a stretch of time and a range of pitch wiped out."""
    mask_frames: int = 20
    mask_bands: int = 8


class VoiceAugment:
    """int16 sound (N, T) → float waveforms (N, seconds · 16,000) in about [-1, 1]."""

    def __init__(self, settings: VoiceAugmentSettings) -> None:
        self.settings = settings
        self.classes_per_identity = len(settings.speeds)

    def plain(self, samples: Tensor) -> Tensor:
        return samples.float() / 32768.0

    def raw(self, samples: Tensor, labels: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        s = self.settings
        x, labels = self._excerpts(self.plain(samples), labels, rng)
        x = _some(x, s.reverberation, rng, lambda y, r: _in_room(y, s.reverberation_most, r))
        others = x.roll(1, 0)
        x = _mixed(x, others, s.babble, s, rng)
        x = _mixed(x, _coloured_noise(x, rng), s.noise, s, rng)
        x = _some(x, s.band, rng, _through_line)
        gain = 10 ** (_between(-s.gain_db, s.gain_db, x, rng, 1) / 20)
        return (x * gain).clamp(-1, 1), labels

    def features(self, features: Tensor, rng: Generator) -> Tensor:
        """Wipe out a stretch of time and a range of bands: (N, F, mels), whose mean is 0."""
        s = self.settings
        kept = torch.rand(len(features), generator=rng, device=features.device) >= s.mask
        frames = _outside(features, features.shape[1], s.mask_frames, rng)[:, :, None]
        bands = _outside(features, features.shape[2], s.mask_bands, rng)[:, None, :]
        return features * (kept[:, None, None] | (frames & bands))

    def _excerpts(self, x: Tensor, labels: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        speeds = torch.tensor(self.settings.speeds, device=x.device)
        which = torch.randint(len(speeds), (len(x),), generator=rng, device=x.device)
        speed = speeds[which][:, None]
        # A fast tape uses up more sound than there may be.
        count = min(
            round(self.settings.seconds * SAMPLE_RATE),
            math.floor((x.shape[1] - 2) / max(self.settings.speeds)),
        )
        spare = x.shape[1] - 2 - speed * count
        at = torch.rand(len(x), 1, generator=rng, device=x.device) * spare
        at = at + speed * torch.arange(count, device=x.device)
        before = at.floor()
        share = at - before
        index = before.long()
        out = x.gather(1, index) * (1 - share) + x.gather(1, index + 1) * share
        return out, labels * len(speeds) + which


def _some(x: Tensor, share: float, rng: Generator, change: Change) -> Tensor:
    """Change a random share of the rows; the others cost nothing."""
    chosen = (torch.rand(len(x), generator=rng, device=x.device) < share).nonzero().squeeze(1)
    return x.index_copy(0, chosen, change(x[chosen], rng)) if len(chosen) else x


def _between(low: float, high: float, x: Tensor, rng: Generator, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(len(x), *shape, generator=rng, device=x.device)


def _mixed(
    x: Tensor, noise: Tensor, share: float, s: VoiceAugmentSettings, rng: Generator
) -> Tensor:
    """Add `noise` to a share of the rows, as much below the speech as is drawn."""
    snr = _between(s.snr_least, s.snr_most, x, rng, 1)
    heard = _between(0, 1, x, rng, 1) < share
    level = _power(x) / _power(noise) * 10 ** (-snr / 10)
    return x + heard * level.sqrt() * noise


def _power(x: Tensor) -> Tensor:
    return x.square().mean(1, keepdim=True).clamp(min=1e-9)


def _coloured_noise(x: Tensor, rng: Generator) -> Tensor:
    """Noise between white (a fan) and brown (traffic), one colour per row."""
    white = torch.randn(1, x.shape[1], generator=rng, device=x.device)
    spectrum = torch.fft.rfft(white)
    steps = torch.arange(1, spectrum.shape[1] + 1, device=x.device)
    tilt = steps ** -_between(0, 1, x[:8], rng, 1)  # (8, F): eight colours do for a batch
    few = torch.fft.irfft(spectrum * tilt, n=x.shape[1])
    which = torch.randint(len(few), (len(x),), generator=rng, device=x.device)
    start = int(torch.randint(x.shape[1], (1,), generator=rng, device=x.device))
    noise: Tensor = few[which].roll(start, 1)
    return noise


def _in_room(x: Tensor, most: float, rng: Generator) -> Tensor:
    """The sound, followed by echoes that die away: white noise under an exponential."""
    count = round(most * SAMPLE_RATE)
    time = torch.arange(count, device=x.device) / SAMPLE_RATE
    decay = torch.exp(-6.9 * time / _between(0.1, most, x, rng, 1))  # 60 dB
    echo = torch.randn(len(x), count, generator=rng, device=x.device) * decay
    echo = echo / echo.square().sum(1, keepdim=True).sqrt()
    echo = echo * _between(0.2, 0.9, x, rng, 1)  # near to far from the microphone
    echo[:, 0] = 1.0
    size = 2 ** math.ceil(math.log2(x.shape[1] + count))
    wet = torch.fft.irfft(torch.fft.rfft(x, size) * torch.fft.rfft(echo, size), size)
    out: Tensor = wet[:, : x.shape[1]]
    return out


def _through_line(x: Tensor, rng: Generator) -> Tensor:
    """Only a band is left, between a drawn low and a drawn high edge, with soft shoulders."""
    low = _between(80, 350, x, rng, 1)
    high = _between(3000, 6000, x, rng, 1)
    spectrum = torch.fft.rfft(x)
    hertz = torch.linspace(0, SAMPLE_RATE / 2, spectrum.shape[1], device=x.device)
    passed = torch.sigmoid((hertz - low) / 30) * torch.sigmoid((high - hertz) / 150)
    out: Tensor = torch.fft.irfft(spectrum * passed, n=x.shape[1])
    return out


def _outside(x: Tensor, length: int, most: int, rng: Generator) -> Tensor:
    """True outside one drawn stretch of each row: (N, length)."""
    size = _between(0, min(most, length), x, rng, 1)
    start = _between(0, 1, x, rng, 1) * (length - size)
    at = torch.arange(length, device=x.device)
    return (at < start) | (at >= start + size)
