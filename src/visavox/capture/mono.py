"""Samples of any decoder to what the house speaks: mono, float32, 16 kHz, in [-1, 1]."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from visavox.capture.limits import Limits
from visavox.capture.resample import to_house_rate
from visavox.errors import CaptureError
from visavox.types import Waveform


def check_sound(channels: int, rate: int, limits: Limits, part: str) -> None:
    """Refuse a sound whose header says that it is useless or a bomb."""
    if not 1 <= channels <= limits.channels:
        raise CaptureError(
            f"{part} has {channels} channels; 1 to {limits.channels} are taken.",
            next_step="Record in mono.",
        )
    if not limits.min_rate <= rate <= limits.max_rate:
        raise CaptureError(
            f"{part} has {rate} samples per second; {limits.min_rate} to {limits.max_rate} "
            "are taken.",
            next_step="Record at 16000.",
        )


def too_long(seconds: float, limits: Limits, part: str) -> CaptureError:
    return CaptureError(
        f"{part} lasts {seconds:.0f} s or more; at most {limits.max_seconds:g} s are taken.",
        next_step="Record only the digits.",
    )


def mixed(samples: NDArray[np.float32], part: str) -> Waveform:
    """(T, channels) to (T,); block by block, so that many channels never pile up."""
    if not np.isfinite(samples).all():
        raise CaptureError(
            f"{part} holds samples that are no numbers.", next_step="Record it again."
        )
    whole = np.clip(samples, -1.0, 1.0)  # floating-point formats may hold anything
    # The plain average: a mix that preserves power would clip two equal channels.
    return whole[:, 0] if whole.shape[1] == 1 else whole.mean(axis=1, dtype=np.float32)


def to_waveform(blocks: Sequence[Waveform], rate: int, limits: Limits, part: str) -> Waveform:
    """Mono blocks at `rate` to one waveform at 16 kHz."""
    seconds = sum(map(len, blocks)) / rate
    if seconds > limits.max_seconds:
        raise too_long(seconds, limits, part)
    if seconds < limits.min_seconds:
        raise CaptureError(
            f"{part} lasts {seconds:.2f} s; at least {limits.min_seconds:g} s are needed.",
            next_step="Say all the digits.",
        )
    out: Waveform = np.clip(to_house_rate(np.concatenate(blocks), rate), -1.0, 1.0)
    return out
