"""Voice augmentation: length, range, seeds, and that each change does what it is named for."""

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from visavox.training.characterizer.augment_voice import VoiceAugment, VoiceAugmentSettings
from visavox.types import SAMPLE_RATE

NOTHING: dict[str, Any] = {
    "seconds": 0.5,
    "speeds": (1.0,),
    "reverberation": 0.0,
    "band": 0.0,
    "noise": 0.0,
    "babble": 0.0,
    "gain_db": 0.0,
    "mask": 0.0,
}


def seeded(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def tones(*hertz: float, seconds: float = 1.0) -> Tensor:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return torch.from_numpy(
        np.stack([8000 * np.sin(2 * np.pi * f * time) for f in hertz]).astype(np.int16)
    )


def changed(samples: Tensor, seed: int = 1, **only: Any) -> Tensor:
    augment = VoiceAugment(VoiceAugmentSettings(**{**NOTHING, **only}))
    return augment.raw(samples, torch.arange(len(samples)), seeded(seed))[0]


def loudest_hertz(x: Tensor) -> list[float]:
    spectrum = torch.fft.rfft(x).abs()
    return [float(i) * SAMPLE_RATE / x.shape[1] for i in spectrum.argmax(1)]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_is_drawn_length_and_range_stay(seed: int) -> None:
    every: dict[str, Any] = dict.fromkeys(("reverberation", "band", "noise", "babble", "mask"), 0.7)
    augment = VoiceAugment(VoiceAugmentSettings(seconds=0.5, **every))
    out, labels = augment.raw(tones(120, 300, 1000), torch.arange(3), seeded(seed))
    assert out.shape == (3, SAMPLE_RATE // 2)
    assert torch.isfinite(out).all()
    assert out.abs().max() <= 1
    assert (labels // 3).tolist() == [0, 1, 2]


def test_one_seed_gives_one_batch_and_another_seed_another() -> None:
    samples = tones(120, 300, 1000)
    augment = VoiceAugment(VoiceAugmentSettings(seconds=0.5))
    first, again, other = (augment.raw(samples, torch.arange(3), seeded(s)) for s in (7, 7, 8))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_an_excerpt_is_a_piece_of_the_original() -> None:
    piece = changed(tones(440.0))
    assert piece.shape[1] == SAMPLE_RATE // 2
    assert loudest_hertz(piece) == [440.0]
    assert torch.allclose(
        piece.square().mean().sqrt(), torch.tensor(8000 / 32768 / 2**0.5), rtol=0.01
    )


def test_another_speed_is_another_pitch_and_another_person() -> None:
    augment = VoiceAugment(VoiceAugmentSettings(**{**NOTHING, "speeds": (1.0, 0.9, 1.1)}))
    assert augment.classes_per_identity == 3
    out, labels = augment.raw(tones(*[400.0] * 30), torch.full((30,), 2), seeded(1))
    for heard, label in zip(loudest_hertz(out), labels.tolist(), strict=True):
        assert heard == [400.0, 360.0, 440.0][label - 6]
    assert set(labels.tolist()) == {6, 7, 8}


def test_noise_is_as_much_below_the_speech_as_is_asked() -> None:
    samples = tones(*[500.0] * 8)
    clean = changed(samples)
    noise = changed(samples, noise=1.0, snr_least=10.0, snr_most=10.0) - clean
    ratio = 10 * torch.log10(clean.square().mean(1) / noise.square().mean(1))
    assert torch.allclose(ratio, torch.full((8,), 10.0), atol=0.3)


def test_babble_is_other_people_of_the_batch() -> None:
    mixed = changed(tones(300.0, 900.0), babble=1.0, snr_least=6.0, snr_most=6.0)
    spectrum = torch.fft.rfft(mixed).abs()
    at = [round(f * mixed.shape[1] / SAMPLE_RATE) for f in (300, 900)]
    assert spectrum[0, at[1]] > 0.3 * spectrum[0, at[0]]
    assert spectrum[1, at[0]] > 0.3 * spectrum[1, at[1]]


def test_a_poor_line_lets_only_the_middle_through() -> None:
    low, middle, high = changed(tones(40, 1000, 7500), band=1.0).square().mean(1).sqrt()
    assert middle > 0.16
    assert low < 0.5 * middle
    assert high < 0.1 * middle


def test_a_room_goes_on_sounding() -> None:
    click = torch.zeros(1, SAMPLE_RATE, dtype=torch.int16)
    click[0, ::4000] = 20000
    dry, wet = changed(click), changed(click, reverberation=1.0)
    assert (wet.abs() > 1e-4).sum() > 10 * (dry.abs() > 1e-4).sum()


def test_a_mask_wipes_out_one_stretch_of_time_and_one_of_pitch() -> None:
    augment = VoiceAugment(VoiceAugmentSettings(mask=1.0, mask_frames=20, mask_bands=8))
    out = augment.features(torch.ones(16, 100, 40), seeded(4))
    for each in out:
        frames = (each.sum(1) == 0).sum()
        bands = (each.sum(0) == 0).sum()
        assert frames <= 20
        assert bands <= 8
        assert each.sum() == (100 - frames) * (40 - bands)
    assert (out == 0).any()
    untouched = VoiceAugment(VoiceAugmentSettings(mask=0.0)).features(out, seeded(4))
    assert torch.equal(untouched, out)
