"""Any sample rate to 16 kHz: a windowed-sinc low-pass without delay, as one matrix product.

With rate/16000 = M/L, every M samples in give L samples out, and each block of L is the same
linear map of the samples around it. Blocks overlap by the filter's length, so the whole sound is
(blocks, M + 2·reach) @ (M + 2·reach, L).
"""

from fractions import Fraction
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from visavox.types import SAMPLE_RATE, Waveform

_LOBES = 40  # zero crossings on each side: transition from 7.2 to 8.0 kHz
_BETA = 9.0  # Kaiser window: 90 dB of rejection
_CUTOFF = 0.945  # of the lower Nyquist frequency; the stop band begins at it
_EXACT = 640  # largest L that is kept exact: 11.025 kHz needs all of it
_ROUGH = 160  # L for odd rates; they are off by < 0.02 %, which nobody hears
_BLOCK = 32  # least L per matrix product: shorter blocks would repeat the overlap too often


def to_house_rate(sound: Waveform, rate: int) -> Waveform:
    """`sound` (T,) at `rate` as (ceil(T·16000/rate),) at 16 kHz."""
    if rate == SAMPLE_RATE or not len(sound):
        return sound
    filters, reach, M, L = _filters(rate)
    length = ceil(len(sound) * SAMPLE_RATE / rate)
    blocks = ceil(length / L)
    padded = np.zeros(reach + blocks * M + M + reach, np.float32)
    kept = sound[: len(padded) - reach]
    padded[reach : reach + len(kept)] = kept
    windows = np.lib.stride_tricks.sliding_window_view(padded, M + 2 * reach)[::M][:blocks]
    out = np.ascontiguousarray(windows) @ filters  # (blocks, L)
    return np.ascontiguousarray(out.reshape(-1)[:length])


@lru_cache(maxsize=16)
def _filters(rate: int) -> tuple[NDArray[np.float32], int, int, int]:
    """(M + 2·reach, L) matrix of one block, its reach into the neighbours, M and L."""
    ratio = Fraction(rate, SAMPLE_RATE)
    if ratio.denominator > _EXACT:
        ratio = ratio.limit_denominator(_ROUGH)
    M, L = ratio.numerator, ratio.denominator
    repeat = ceil(_BLOCK / L)
    M, L = M * repeat, L * repeat
    step = M / L  # input samples per output sample
    cutoff = _CUTOFF * min(1.0, 1.0 / step)  # of the input's Nyquist frequency
    reach = ceil(_LOBES * max(1.0, step))
    # Distance of each input sample of a block's window from each output sample.
    distance = (np.arange(M + 2 * reach) - reach)[:, None] - np.arange(L)[None, :] * step
    inside = np.clip(1.0 - (distance / reach) ** 2, 0.0, None)
    window = np.where(np.abs(distance) < reach, np.i0(_BETA * np.sqrt(inside)) / np.i0(_BETA), 0.0)
    taps = cutoff * np.sinc(cutoff * distance) * window
    taps /= taps.sum(axis=0, keepdims=True)  # a constant stays itself in every phase
    return np.ascontiguousarray(taps, np.float32), reach, M, L
