"""How good a face and a voice must be to be compared."""

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from visavox.config import settings


@settings
class QualityLimits:
    """Defaults admit what the embedding nets can tell apart, and little else."""

    looked_at: PositiveInt = 4
    """Frames of a capture that are searched for faces, evenly spread over it."""
    samples: PositiveInt = 3
    """Best frames that are handed on."""

    face_probability: PositiveFloat = 0.9
    """Detections below it are no faces."""
    background: PositiveFloat = 0.6
    """A second face shorter than this share of the first is somebody passing by."""
    cut_off: NonNegativeFloat = 0.15
    """Share of a face's box, per side, that may lie outside of the frame."""
    size: PositiveFloat = 64.0
    """Height of the face in pixels."""
    sharpness: NonNegativeFloat = 0.18
    """What the face's edges lose by more blur. Real sharp faces have 0.3–1; blurred by 3 % of
    their height 98 % fall below 0.18, by 2 % a third."""
    dark: NonNegativeFloat = 0.08
    """Mean luma of the face, 0..1. Personas of the darkest skin in dim rooms have 0.13."""
    bright: PositiveFloat = 0.95
    """Mean luma of the face, 0..1."""
    contrast: NonNegativeFloat = 0.02
    """Standard deviation of luma within the face. Real faces have 0.06 and more, personas in dim
    rooms 0.035."""
    frontal: NonNegativeFloat = 0.3
    """1 for a face seen from the front, 0 for a profile; 0.3 is a head turned by 33 degrees."""

    speech_s: PositiveFloat = 0.35
    """Seconds of speech: one short word. Of real recordings of a single word 98 % have more."""
    level_db: float = -50.0
    """Level of the speech, full scale being 0. Of telephone calls 99 % are above −43."""
    snr_db: float = 0.0
    """Speech over noise in decibels: below 0 the nets hear more room than person."""
    clipped: PositiveFloat = 0.06
    """Share of the speech's samples that the recorder cut off; real
    recordings have 0.003 at most, personas who shout into a bad microphone up to 0.04."""
