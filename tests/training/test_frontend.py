"""Log-mel features hold SpeechBrain's numbers, whatever the sound, its length and its company."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from speechbrain.lobes.features import Fbank as SpeechBrainFbank
from speechbrain.processing.features import InputNormalization
from torch import Tensor

import visavox.training.ecapa  # noqa: F401  (takes SpeechBrain's lazy modules out again)
from visavox.training.frontend import Fbank
from visavox.types import SAMPLE_RATE

LOUDEST_DIFFERENCE = 1e-3  # dB


def speechbrain(waveform: Tensor, n_mels: int) -> Tensor:
    features = SpeechBrainFbank(n_mels=n_mels)(waveform)
    normalise = InputNormalization(norm_type="sentence", std_norm=False)
    normalised: Tensor = normalise(features, torch.ones(len(waveform)))
    return normalised


def vowel(samples: int) -> Tensor:
    """A buzz with formants and breath: (1, samples)."""
    time = torch.arange(samples) / SAMPLE_RATE
    pitch = 120 + 20 * torch.sin(2 * math.pi * 3 * time)
    phase = 2 * math.pi * torch.cumsum(pitch, 0) / SAMPLE_RATE
    harmonics = sum(torch.sin(k * phase) / k for k in range(1, 40))
    breath = torch.randn(samples, generator=torch.Generator().manual_seed(1)) * 0.01
    return (0.1 * torch.as_tensor(harmonics) + breath)[None]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(1, 3),
    samples=st.integers(400, 20_000),
    level=st.floats(-80, 0),
    n_mels=st.sampled_from((24, 40, 64, 80)),
)
def test_features_are_speechbrains(
    seed: int, batch: int, samples: int, level: float, n_mels: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(batch, samples, generator=generator) * 10 ** (level / 20)
    features = Fbank(n_mels)(noise)
    assert features.shape == (batch, 1 + samples // 160, n_mels)
    torch.testing.assert_close(
        features, speechbrain(noise, n_mels), atol=LOUDEST_DIFFERENCE, rtol=0
    )


@pytest.mark.parametrize("n_mels", [40, 80])
def test_features_of_voiced_sound_are_speechbrains(n_mels: int) -> None:
    sound = vowel(48_000)
    torch.testing.assert_close(
        Fbank(n_mels)(sound), speechbrain(sound, n_mels), atol=LOUDEST_DIFFERENCE, rtol=0
    )


def test_range_is_cut_at_80_db_below_each_waveforms_own_loudest_band() -> None:
    """A pure tone leaves most bands below the floor; a quiet neighbour has a floor of its own."""
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(16_000) / SAMPLE_RATE)
    both = torch.stack((tone, tone * 1e-3))
    decibel = Fbank(80, mean_norm=False)(both)
    depth = decibel.amax(dim=(1, 2)) - decibel.amin(dim=(1, 2))
    torch.testing.assert_close(depth[0], torch.tensor(80.0), atol=1e-3, rtol=0)
    torch.testing.assert_close(decibel[0].amax() - decibel[1].amax(), torch.tensor(60.0))
    reference = SpeechBrainFbank(n_mels=80)(both)
    torch.testing.assert_close(decibel, reference, atol=5e-3, rtol=0)


def test_silence_is_finite_and_flat() -> None:
    features = Fbank()(torch.zeros(1, 8000))
    assert torch.equal(features, torch.zeros_like(features))


def test_features_do_not_depend_on_company() -> None:
    generator = torch.Generator().manual_seed(3)
    quiet, loud = torch.randn(2, 9000, generator=generator) * torch.tensor([[0.001], [1.0]])
    fbank = Fbank(40)
    together = fbank(torch.stack((quiet, loud)))
    torch.testing.assert_close(together[:1], fbank(quiet[None]), atol=1e-4, rtol=0)


def test_half_precision_leaves_features_alone() -> None:
    sound = vowel(8000)
    fbank = Fbank()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = fbank(sound)
    assert features.dtype == torch.float32
    assert torch.equal(features, fbank(sound))


def test_gradients_reach_the_waveform() -> None:
    sound = vowel(8000).requires_grad_()
    Fbank()(sound).square().mean().backward()
    assert sound.grad is not None
    assert torch.isfinite(sound.grad).all()
    assert sound.grad.abs().max() > 0


def test_nothing_enters_the_state_dict() -> None:
    assert not Fbank().state_dict()
    assert not list(Fbank().parameters())
