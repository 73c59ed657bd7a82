"""Face augmentation: shape, range, seeds, and that each change does what it is named for."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Generator, Tensor

from visavox.training.characterizer.augment_face import FaceAugment, FaceAugmentSettings
from visavox.training.characterizer.jpeg import compressed

NOTHING = {
    "flip": 0.0,
    "shift": 0.0,
    "turn": 0.0,
    "zoom": 0.0,
    "light": 0.0,
    "blur": 0.0,
    "noise": 0.0,
    "jpeg": 0.0,
    "occlusion": 0.0,
}


def seeded(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def pictures(count: int = 4, size: int = 48) -> Tensor:
    """Smooth pictures with an edge, no two alike."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(30, 220, (count, size // 16, size // 16, 3), dtype=np.uint8)
    return torch.from_numpy(coarse.repeat(16, 1).repeat(16, 2))


def changed(seed: int = 1, **only: float) -> Tensor:
    augment = FaceAugment(FaceAugmentSettings(**{**NOTHING, **only}))
    return augment.raw(pictures(), torch.arange(4), seeded(seed))[0]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_is_drawn_the_shape_stays_and_grey_levels_are_possible(seed: int) -> None:
    every = dict.fromkeys(("light", "blur", "noise", "jpeg", "occlusion"), 0.7)
    augment = FaceAugment(FaceAugmentSettings(**every))
    out, labels = augment.raw(pictures(), torch.arange(4), seeded(seed))
    assert out.shape == (4, 3, 48, 48)
    assert out.dtype == torch.float32
    assert torch.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 255
    assert labels.tolist() == [0, 1, 2, 3]


def test_one_seed_gives_one_batch_and_another_seed_another() -> None:
    augment = FaceAugment(FaceAugmentSettings())
    first, again, other = (
        augment.raw(pictures(), torch.arange(4), seeded(s))[0] for s in (7, 7, 8)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_with_nothing_to_happen_nothing_happens() -> None:
    plain = FaceAugment(FaceAugmentSettings()).plain(pictures())
    assert torch.allclose(changed(), plain, atol=0.05)


def test_the_stored_batch_is_left_alone() -> None:
    stored = pictures()
    FaceAugment(FaceAugmentSettings()).raw(stored, torch.arange(4), seeded(1))
    assert torch.equal(stored, pictures())


def test_a_flip_mirrors_left_and_right() -> None:
    plain = FaceAugment(FaceAugmentSettings()).plain(pictures())
    assert torch.allclose(changed(flip=1.0), plain.flip(3), atol=0.05)


def test_blur_takes_edges_away_and_keeps_the_mean() -> None:
    plain, blurred = changed(), changed(blur=1.0)
    for sharp, soft in zip(plain, blurred, strict=True):
        assert soft.diff(dim=2).abs().max() < 0.95 * sharp.diff(dim=2).abs().max()
    assert torch.allclose(blurred.mean((1, 2, 3)), plain.mean((1, 2, 3)), atol=4)


def test_noise_adds_grain_where_it_was_smooth() -> None:
    grain = changed(noise=1.0) - changed()
    assert 0.5 < grain.std() < FaceAugmentSettings().noise_most


def test_light_changes_brightness_but_not_what_is_where() -> None:
    plain, lit = changed(), changed(light=1.0)
    assert (lit - plain).abs().mean() > 5
    for a, b in zip(plain.flatten(1), lit.flatten(1), strict=True):
        assert np.corrcoef(a, b)[0, 1] > 0.5


def test_occlusion_covers_one_rectangle_with_one_colour() -> None:
    plain, covered = changed(), changed(occlusion=1.0)
    for a, b in zip(plain, covered, strict=True):
        hidden = ((a - b).abs().amax(0) > 0.5).nonzero()
        assert 0 < len(hidden) < 0.5 * a[0].numel()
        inside = b[:, hidden[0, 0], hidden[0, 1]]
        assert all(torch.allclose(b[:, r, c], inside) for r, c in hidden)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("quality", [20, 50, 90])
def test_jpeg_loses_what_a_real_encoder_loses(quality: int, colour: bool) -> None:
    rng = np.random.default_rng(2)
    coarse = rng.integers(60, 200, (8, 8, 3)) if colour else rng.integers(60, 200, (8, 8, 1))
    small = Image.fromarray(np.broadcast_to(coarse, (8, 8, 3)).astype(np.uint8))
    picture = np.asarray(small.resize((64, 64), Image.Resampling.BICUBIC))
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "jpeg", quality=quality, subsampling=2)
    real = np.asarray(Image.open(written), np.float32)
    batch = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    ours = compressed(batch, torch.tensor([float(quality)]))[0].permute(1, 2, 0).numpy()
    lost = float(np.abs(real - picture).mean())
    # The codecs round at other places, and halve and double colour a little differently.
    assert np.abs(ours - real).mean() < (0.5 * lost if colour else 0.1 * lost) + 0.5
    assert np.abs(ours - picture).mean() == pytest.approx(lost, rel=0.35, abs=0.3)
