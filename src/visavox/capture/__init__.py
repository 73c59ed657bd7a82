"""Bytes in, `Capture` out: frames in RGB and sound as 16 kHz mono, under hard limits."""

from visavox.capture.intake import decode
from visavox.capture.limits import Limits

__all__ = ["Limits", "decode"]
