"""Is there one face, and can it be seen well enough to be compared?"""

from collections.abc import Sequence

import numpy as np

from visavox.quality.face_measures import frontal, seen
from visavox.quality.limits import QualityLimits
from visavox.quality.next_steps import rejected
from visavox.types import (
    DetectedFace,
    FaceEvidence,
    FaceSample,
    Modality,
    Pixels,
    Reason,
    Rejected,
)

# What the person can act on first comes first: a whole face close to the camera is often sharp
# and lit as well. Of several bad frames the one that got farthest here gives the reason.
_ORDER = (
    Reason.NO_FACE,
    Reason.SEVERAL_FACES,
    Reason.FACE_CUT_OFF,
    Reason.FACE_TOO_SMALL,
    Reason.FACE_TOO_DARK,
    Reason.FACE_TOO_BRIGHT,
    Reason.FACE_TURNED,
    Reason.FACE_BLURRED,
)
_DEFAULT = QualityLimits()


def assess_face(
    frames: Sequence[Pixels],
    detections: Sequence[Sequence[DetectedFace]],
    limits: QualityLimits = _DEFAULT,
) -> FaceEvidence | Rejected:
    """The best few frames, best first, or the reason why none will do.

    Two people in any frame spoil the capture: nobody could say whose voice it is.
    """
    verdicts = [
        _judge(frame, found, limits) for frame, found in zip(frames, detections, strict=True)
    ]
    failures = [verdict for verdict in verdicts if isinstance(verdict, Rejected)]
    samples = [verdict for verdict in verdicts if isinstance(verdict, FaceSample)]
    for failure in failures:
        if failure.reason is Reason.SEVERAL_FACES:
            return failure
    if samples:
        samples.sort(key=lambda sample: _worth(sample, limits), reverse=True)
        return FaceEvidence(tuple(samples[: limits.samples]))
    if failures:
        return max(failures, key=lambda failure: _ORDER.index(failure.reason))
    return rejected(Modality.FACE, Reason.NOT_CAPTURED)


def _judge(
    frame: Pixels, found: Sequence[DetectedFace], limits: QualityLimits
) -> FaceSample | Rejected:
    faces = sorted(
        (face for face in found if _plausible(face, limits)),
        key=_height,
        reverse=True,
    )
    if not faces:
        return rejected(Modality.FACE, Reason.NO_FACE)
    face, *others = faces
    if any(_height(other) >= limits.background * _height(face) for other in others):
        return rejected(Modality.FACE, Reason.SEVERAL_FACES, faces=float(len(faces)))
    quality = {"size": _height(face)}
    if _outside(face, frame) > limits.cut_off:
        return rejected(Modality.FACE, Reason.FACE_CUT_OFF, **quality)
    if quality["size"] < limits.size:
        return rejected(Modality.FACE, Reason.FACE_TOO_SMALL, **quality)
    quality["frontal"] = frontal(face)
    quality["brightness"], contrast, quality["sharpness"] = seen(frame, face)
    reason = _fault(quality, contrast, limits)
    if reason:
        return rejected(Modality.FACE, reason, contrast=contrast, **quality)
    return FaceSample(frame, face, quality)


def _fault(quality: dict[str, float], contrast: float, limits: QualityLimits) -> Reason | None:
    flat = contrast < limits.contrast
    if quality["brightness"] < limits.dark or (flat and quality["brightness"] < 0.5):
        return Reason.FACE_TOO_DARK
    if quality["brightness"] > limits.bright or flat:
        return Reason.FACE_TOO_BRIGHT
    if quality["frontal"] < limits.frontal:
        return Reason.FACE_TURNED
    if quality["sharpness"] < limits.sharpness:
        return Reason.FACE_BLURRED
    return None


def _worth(sample: FaceSample, limits: QualityLimits) -> float:
    """How much better than needed: each measure counts until it is comfortably met."""
    quality = sample.quality
    return (
        min(quality["size"] / (2 * limits.size), 1.0)
        + min(quality["sharpness"] / max(3 * limits.sharpness, 1e-6), 1.0)
        + quality["frontal"]
    )


def _plausible(face: DetectedFace, limits: QualityLimits) -> bool:
    """No face is four times as high as wide, whatever its probability."""
    width = float(face.box[2] - face.box[0])
    return face.probability >= limits.face_probability and 4 * width > _height(face)


def _height(face: DetectedFace) -> float:
    return float(face.box[3] - face.box[1])


def _outside(face: DetectedFace, frame: Pixels) -> float:
    """The largest share of the box's width or height beyond one side of the frame."""
    left, top, right, bottom = (float(edge) for edge in face.box)
    height, width = frame.shape[:2]
    across = max(-left, right - width) / max(right - left, 1e-6)
    along = max(-top, bottom - height) / max(bottom - top, 1e-6)
    inside = np.all((face.landmarks >= 0) & (face.landmarks <= (width, height)))
    return max(across, along, 0.0) if inside else 1.0
