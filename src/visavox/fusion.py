"""Two experts' LLRs become one, each heard as far as the quality of its sample warrants.

    fused = w_face(q)·face + w_voice(q)·voice + bias,   w(q) = weight + tilt · z(q)

With one modality missing the other speaks alone, through weights that were fitted for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from visavox.parts import Array, pick
from visavox.types import Matrix

Quality = NDArray[np.float32]  # (N, Q)


@dataclass(frozen=True, slots=True, eq=False)
class QualityScale:
    """Quality in units of its spread, clamped to the range that fitting has seen."""

    low: NDArray[np.float64]  # (Q,)
    high: NDArray[np.float64]  # (Q,)
    centre: NDArray[np.float64]  # (Q,)
    spread: NDArray[np.float64]  # (Q,) > 0

    def __call__(self, quality: Quality) -> Matrix:
        """(N, Q) → (N, Q); an unknown quality counts as an average one."""
        z = (np.minimum(np.maximum(quality, self.low), self.high) - self.centre) / self.spread
        known: Matrix = np.where(np.isnan(z), 0.0, z)
        return known


@dataclass(frozen=True, slots=True, eq=False)
class Hearing:
    """How much one expert's LLR weighs, given the quality of its sample."""

    weight: float  # at average quality
    tilt: NDArray[np.float64]  # (Q,) change per unit of scaled quality

    def __call__(self, z: Matrix) -> Matrix:
        """(N, Q) → (N, 1), never negative: more evidence never counts against a member."""
        weights: Matrix = np.maximum(self.weight + z @ self.tilt, 0.0)[:, None]
        return weights


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """Weights for both modalities together, and for each alone."""

    face_scale: QualityScale
    voice_scale: QualityScale
    face: Hearing
    voice: Hearing
    bias: float
    face_alone: Hearing
    face_alone_bias: float
    voice_alone: Hearing
    voice_alone_bias: float

    def __call__(
        self, face: Matrix, voice: Matrix, face_quality: Quality, voice_quality: Quality
    ) -> Matrix:
        """(N, M) fused LLRs; NaN only where both experts are silent."""
        z_face, z_voice = self.face_scale(face_quality), self.voice_scale(voice_quality)
        fused: Matrix = face * self.face(z_face) + voice * self.voice(z_voice) + self.bias
        missing = np.isnan(fused)
        if missing.any():
            face_only = face * self.face_alone(z_face) + self.face_alone_bias
            voice_only = voice * self.voice_alone(z_voice) + self.voice_alone_bias
            alone = np.where(np.isnan(face), voice_only, face_only)
            fused = np.where(missing, alone, fused)
        return fused

    def tensors(self) -> dict[str, Array]:
        """All that it is, by name."""
        return {
            "face.low": self.face_scale.low,
            "face.high": self.face_scale.high,
            "face.centre": self.face_scale.centre,
            "face.spread": self.face_scale.spread,
            "voice.low": self.voice_scale.low,
            "voice.high": self.voice_scale.high,
            "voice.centre": self.voice_scale.centre,
            "voice.spread": self.voice_scale.spread,
            "weights": np.array([self.face.weight, self.voice.weight, self.bias]),
            "face_alone": np.array([self.face_alone.weight, self.face_alone_bias]),
            "voice_alone": np.array([self.voice_alone.weight, self.voice_alone_bias]),
            "face.tilt": self.face.tilt,
            "voice.tilt": self.voice.tilt,
            "face_alone.tilt": self.face_alone.tilt,
            "voice_alone.tilt": self.voice_alone.tilt,
        }

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """The inverse of `tensors`; BundleError where they do not fit together."""
        scale = ("low", "high", "centre", "spread")
        shapes = {f"face.{k}": "f" for k in (*scale, "tilt")} | {"face_alone.tilt": "f"}
        shapes |= {f"voice.{k}": "v" for k in (*scale, "tilt")} | {"voice_alone.tilt": "v"}
        t = pick(tensors, shapes | {"weights": "w", "face_alone": "a", "voice_alone": "a"})
        return cls(
            face_scale=QualityScale(*(t[f"face.{k}"] for k in scale)),
            voice_scale=QualityScale(*(t[f"voice.{k}"] for k in scale)),
            face=Hearing(float(t["weights"][0]), t["face.tilt"]),
            voice=Hearing(float(t["weights"][1]), t["voice.tilt"]),
            bias=float(t["weights"][2]),
            face_alone=Hearing(float(t["face_alone"][0]), t["face_alone.tilt"]),
            face_alone_bias=float(t["face_alone"][1]),
            voice_alone=Hearing(float(t["voice_alone"][0]), t["voice_alone.tilt"]),
            voice_alone_bias=float(t["voice_alone"][1]),
        )
