"""Frozen values that travel from room to room.

    bytes → Capture → Evidence → Embeddings → LLRs → Decision

Missing evidence is a value of its own, `Rejected`, never a zero and never None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Every waveform in the house is mono at this rate."""

Pixels = NDArray[np.uint8]  # (H, W, 3) RGB
Waveform = NDArray[np.float32]  # (T,) in [-1, 1] at SAMPLE_RATE
Vector = NDArray[np.float32]  # (D,)
Vectors = NDArray[np.float32]  # (N, D)
Matrix = NDArray[np.float64]  # (N, M): LLR of N probes against M members


class Modality(StrEnum):
    FACE = "face"
    VOICE = "voice"


class Reason(StrEnum):
    """Why a modality gave no evidence."""

    NOT_CAPTURED = "not_captured"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_BLURRED = "face_blurred"
    FACE_TOO_DARK = "face_too_dark"
    FACE_TOO_BRIGHT = "face_too_bright"
    FACE_TURNED = "face_turned"
    FACE_CUT_OFF = "face_cut_off"
    TOO_LITTLE_SPEECH = "too_little_speech"
    TOO_QUIET = "too_quiet"
    CLIPPED = "clipped"
    TOO_NOISY = "too_noisy"


@dataclass(frozen=True, slots=True)
class Capture:
    """What one person gave in one go: pictures in order of time, and sound."""

    frames: tuple[Pixels, ...] = ()
    frame_times: tuple[float, ...] = ()  # seconds, one per frame
    waveform: Waveform | None = None


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """One face in one picture, in pixels of that picture."""

    box: NDArray[np.float32]  # (4,) left, top, right, bottom
    landmarks: NDArray[np.float32]  # (5, 2) eyes, nose, mouth corners; x, y
    probability: float


@dataclass(frozen=True, slots=True)
class FaceSample:
    """A face good enough to be embedded, with the picture it stands in."""

    frame: Pixels
    face: DetectedFace
    quality: Mapping[str, float]  # keys: FACE_QUALITY


@dataclass(frozen=True, slots=True)
class FaceEvidence:
    """The best faces of a capture, best first, all of one person."""

    samples: tuple[FaceSample, ...]


@dataclass(frozen=True, slots=True)
class VoiceEvidence:
    """Speech good enough to be embedded."""

    waveform: Waveform  # silence at both ends removed
    quality: Mapping[str, float]  # keys: VOICE_QUALITY


FACE_QUALITY = ("size", "sharpness", "brightness", "frontal")
VOICE_QUALITY = ("speech_s", "snr_db", "level_db")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A modality that gave no evidence: why, and what the person does next."""

    modality: Modality
    reason: Reason
    next_step: str
    measured: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What quality let through."""

    face: FaceEvidence | Rejected
    voice: VoiceEvidence | Rejected


@dataclass(frozen=True, slots=True)
class Embedding:
    """One unit vector, and the quality of what it was made from."""

    vector: Vector  # (D,), length 1
    quality: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One capture as the Characterizer sees it."""

    face: Embedding | Rejected
    voice: Embedding | Rejected


class Outcome(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One member's share of the evidence; None where a modality gave none."""

    member: str
    fused: float  # calibrated log-likelihood ratio, natural log
    face: float | None
    voice: float | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, with all that is needed to explain and replay it."""

    outcome: Outcome
    member: str | None  # only when granted
    reasons: tuple[str, ...]  # machine-readable, most important first
    next_step: str  # for the person at the kiosk
    candidates: tuple[Candidate, ...]  # best first, at most a few
    threshold: float | None  # the LLR that was asked for; None when nothing was scored
    rejected: tuple[Rejected, ...] = ()
