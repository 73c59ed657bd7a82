"""Both modalities of one capture."""

from collections.abc import Callable

import numpy as np

from visavox.quality.face import assess_face
from visavox.quality.limits import QualityLimits
from visavox.quality.next_steps import rejected
from visavox.quality.voice import assess_voice
from visavox.types import Capture, DetectedFace, Evidence, Modality, Pixels, Reason

_DEFAULT = QualityLimits()


def assess(
    capture: Capture,
    detect: Callable[[Pixels], tuple[DetectedFace, ...]],
    limits: QualityLimits = _DEFAULT,
) -> Evidence:
    """Search a few frames for faces, and judge face and voice each on its own."""
    if capture.frames:
        spread = np.linspace(0, len(capture.frames) - 1, min(limits.looked_at, len(capture.frames)))
        frames = [capture.frames[index] for index in spread.round().astype(int)]
        face = assess_face(frames, [detect(frame) for frame in frames], limits)
    else:
        face = rejected(Modality.FACE, Reason.NOT_CAPTURED)
    if capture.waveform is None:
        return Evidence(face, rejected(Modality.VOICE, Reason.NOT_CAPTURED))
    return Evidence(face, assess_voice(capture.waveform, limits))
