"""What a webcam, a room and a detector do to an aligned face, as seeded batch operations.

Everything runs on the batch's own device and draws from one generator, so that a batch looks the
same whether training was interrupted before it or not.
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional

from visavox.config import settings
from visavox.training.characterizer.jpeg import compressed

Change = Callable[[Tensor, Generator], Tensor]


@settings
class FaceAugmentSettings:
    """How often each thing happens, and how strong it gets; every share is a probability."""

    flip: float = 0.5
    shift: float = 0.03
    """Largest misplacement of the landmarks, as a share of the picture."""
    turn: float = 0.08
    """Largest wrong rotation, in radians."""
    zoom: float = 0.06
    """Largest wrong scale, as a share."""
    light: float = 0.8
    """Share of pictures whose gamma, gain, colour and side light change."""
    blur: float = 0.25
    blur_most: float = 1.8
    """Largest standard deviation of the blur, in pixels."""
    noise: float = 0.25
    noise_most: float = 14.0
    """Largest standard deviation of the sensor noise, in grey levels."""
    jpeg: float = 0.25
    occlusion: float = 0.2
    occlusion_most: float = 0.4
    """Largest side of what stands before the face, as a share of the picture."""


class FaceAugment:
    """uint8 pixels (N, H, W, 3) → float pixels (N, 3, H, W) in 0–255."""

    classes_per_identity = 1

    def __init__(self, settings: FaceAugmentSettings) -> None:
        self.settings = settings

    def plain(self, samples: Tensor) -> Tensor:
        # The storage stays channels-last, which is also what convolutions like best.
        return samples.permute(0, 3, 1, 2).float()

    def raw(self, samples: Tensor, labels: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        s = self.settings
        x = self.plain(samples)
        x = _misaligned(x, s, rng)
        x = _some(x, s.light, rng, _lit)
        x = _some(x, s.occlusion, rng, lambda y, r: _occluded(y, s.occlusion_most, r))
        x = _some(x, s.blur, rng, lambda y, r: _blurred(y, s.blur_most, r))
        x = _some(x, s.noise, rng, lambda y, r: _noisy(y, s.noise_most, r))
        x = _some(x.clamp(0, 255), s.jpeg, rng, _jpeg)
        return x.contiguous(memory_format=torch.channels_last), labels

    def features(self, features: Tensor, rng: Generator) -> Tensor:  # noqa: ARG002 - one protocol for both modalities
        return features


def _some(x: Tensor, share: float, rng: Generator, change: Change) -> Tensor:
    """Change a random share of the rows; the others cost nothing."""
    chosen = (torch.rand(len(x), generator=rng, device=x.device) < share).nonzero().squeeze(1)
    return x.index_copy(0, chosen, change(x[chosen], rng)) if len(chosen) else x


def _between(low: float, high: float, x: Tensor, rng: Generator, *shape: int) -> Tensor:
    """Even draws, one row per picture: (N, *shape)."""
    drawn = torch.rand(len(x), *shape, generator=rng, device=x.device)
    return low + (high - low) * drawn


def _misaligned(x: Tensor, s: FaceAugmentSettings, rng: Generator) -> Tensor:
    angle = _between(-s.turn, s.turn, x, rng)
    scale = 1 + _between(-s.zoom, s.zoom, x, rng)
    side = torch.where(_between(0, 1, x, rng) < s.flip, -1.0, 1.0)
    move = _between(-2 * s.shift, 2 * s.shift, x, rng, 2)  # the grid is two wide
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = (
        torch.stack((cos * side, -sin, move[:, 0]), 1),
        torch.stack((sin * side, cos, move[:, 1]), 1),
    )
    grid = functional.affine_grid(torch.stack(rows, 1), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _lit(x: Tensor, rng: Generator) -> Tensor:
    one = (1, 1, 1)
    gamma = torch.exp2(_between(-0.7, 0.7, x, rng, *one))
    gain = torch.exp2(_between(-0.5, 0.4, x, rng, *one))
    colour = 1 + _between(-0.08, 0.08, x, rng, 3, 1, 1)
    across = torch.linspace(-1, 1, x.shape[3], device=x.device)
    down = torch.linspace(-1, 1, x.shape[2], device=x.device)[:, None]
    angle = _between(0, 2 * math.pi, x, rng, *one)
    slope = _between(0, 0.45, x, rng, *one)
    side = 1 + slope * (angle.cos() * across + angle.sin() * down)
    return ((x / 255).clamp(min=1e-4) ** gamma * (gain * colour * side) * 255).clamp(0, 255)


def _occluded(x: Tensor, most: float, rng: Generator) -> Tensor:
    """A rectangle of one colour with grain: a hand, a mug, a mask, a bar of glare."""
    size = _between(0.1, most, x, rng, 2)
    start = _between(0, 1, x, rng, 2) * (1 - size)
    across = torch.linspace(0, 1, x.shape[3], device=x.device)[None, :]
    down = torch.linspace(0, 1, x.shape[2], device=x.device)[None, :]
    columns = (across >= start[:, :1]) & (across <= (start + size)[:, :1])
    rows = (down >= start[:, 1:]) & (down <= (start + size)[:, 1:])
    inside = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(inside, _between(10, 245, x, rng, 3, 1, 1), x)


def _blurred(x: Tensor, most: float, rng: Generator) -> Tensor:
    sigma = _between(0.4, most, x, rng, 1)
    reach = max(1, math.ceil(2 * most))
    steps = torch.arange(-reach, reach + 1, device=x.device)
    kernel = torch.exp(-0.5 * (steps / sigma).square())
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)  # (3N, K)
    n, _, h, w = x.shape
    # Each picture has a kernel of its own: pictures become channels.
    flat = functional.pad(x.reshape(1, 3 * n, h, w), (reach, reach, reach, reach), mode="replicate")
    flat = functional.conv2d(flat, kernel[:, None, None, :], groups=3 * n)
    flat = functional.conv2d(flat, kernel[:, None, :, None], groups=3 * n)
    return flat.reshape(n, 3, h, w)


def _noisy(x: Tensor, most: float, rng: Generator) -> Tensor:
    grain = torch.randn(x.shape, generator=rng, device=x.device)
    return x + _between(0, most, x, rng, 1, 1, 1) * grain


def _jpeg(x: Tensor, rng: Generator) -> Tensor:
    return compressed(x, _between(15, 80, x, rng))
