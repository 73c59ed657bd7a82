"""JPEG's loss as a batch operation: what compression takes away, without writing any bytes."""

import math

import torch
from torch import Tensor
from torch.nn import functional

# Annex K of the JPEG standard.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8 for _ in range(4)),
)
_TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)


def compressed(pixels: Tensor, quality: Tensor) -> Tensor:
    """Pixels (N, 3, H, W) in 0–255 after JPEG at `quality` (N,) in 1–100, colour at half size.

    H and W are multiples of 16.
    """
    mix = torch.tensor(_TO_YCC, device=pixels.device)
    ycc = torch.einsum("ck,nkhw->nchw", mix, pixels) - torch.tensor(
        [128.0, 0.0, 0.0], device=pixels.device
    ).view(3, 1, 1)
    luma = _quantised(ycc[:, :1], _scaled(_LUMA, quality))
    chroma = _quantised(functional.avg_pool2d(ycc[:, 1:], 2), _scaled(_CHROMA, quality))
    back = torch.cat(
        (luma + 128.0, functional.interpolate(chroma, scale_factor=2, mode="bilinear")), 1
    )
    return torch.einsum("ck,nkhw->nchw", torch.linalg.inv(mix), back).clamp(0, 255)


def _scaled(table: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """The standard's table as libjpeg scales it: (N, 8, 8)."""
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None, None]
    steps = torch.tensor(table, dtype=torch.float32, device=quality.device) * percent / 100
    return steps.round().clamp(1, 255)


def _quantised(planes: Tensor, steps: Tensor) -> Tensor:
    """Round the cosine coefficients of every 8×8 block of (N, C, H, W) to `steps` (N, 8, 8)."""
    n, c, h, w = planes.shape
    dct = _dct(planes.device)
    blocks = planes.reshape(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)  # (N, C, h, w, 8, 8)
    step = steps.view(n, 1, 1, 1, 8, 8)
    kept = ((dct @ blocks @ dct.T) / step).round() * step
    return (dct.T @ kept @ dct).transpose(3, 4).reshape(n, c, h, w)


def _dct(device: torch.device) -> Tensor:
    k = torch.arange(8, device=device, dtype=torch.float32)
    rows = torch.cos((2 * k[None, :] + 1) * k[:, None] * (math.pi / 16)) / 2
    rows[0] /= math.sqrt(2)
    return rows
