"""One good face is let through; every fault has its own reason; the camera does not matter."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from visavox.characterizer.detector import Detector
from visavox.personas.person import POPULATIONS, face_of, person
from visavox.quality import NEXT_STEPS, QualityLimits, assess_face
from visavox.quality.face_measures import frontal
from visavox.types import (
    FACE_QUALITY,
    DetectedFace,
    FaceEvidence,
    Modality,
    Pixels,
    Reason,
    Rejected,
)

Shot = tuple[Pixels, DetectedFace]


def evidence(shots: Sequence[Shot]) -> FaceEvidence:
    verdict = assess_face([frame for frame, _ in shots], [[face] for _, face in shots])
    assert isinstance(verdict, FaceEvidence), verdict
    return verdict


def reason(frame: Pixels, *faces: DetectedFace) -> Reason:
    verdict = assess_face([frame], [faces])
    assert isinstance(verdict, Rejected), verdict
    assert verdict.modality is Modality.FACE
    assert verdict.next_step == NEXT_STEPS[verdict.reason]
    return verdict.reason


def moved(
    face: DetectedFace, *, scale: float = 1.0, right: float = 0, down: float = 0
) -> DetectedFace:
    shift = np.array([right, down], np.float32)
    return replace(
        face,
        box=(face.box * scale + np.tile(shift, 2)).astype(np.float32),
        landmarks=(face.landmarks * scale + shift).astype(np.float32),
    )


def resized(frame: Pixels, face: DetectedFace, scale: float) -> Shot:
    height, width = frame.shape[:2]
    size = round(width * scale), round(height * scale)
    picture = Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC)
    return np.array(picture), moved(face, scale=scale)


def blurred(frame: Pixels, face: DetectedFace, share: float) -> Shot:
    """By a Gaussian whose width is a share of the face's height."""
    width = share * float(face.box[3] - face.box[1])
    return np.array(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(width))), face


def noisy(frame: Pixels, deviation: float) -> Pixels:
    noise = np.random.default_rng(0).normal(0, deviation, frame.shape)
    return (frame + noise).clip(0, 255).astype(np.uint8)


def lit(frame: Pixels, gain: float) -> Pixels:
    return (frame * gain).clip(0, 255).astype(np.uint8)


def test_an_ordinary_face_is_let_through_with_its_measures(
    frame: Pixels, face: DetectedFace
) -> None:
    (sample,) = evidence([(frame, face)]).samples
    assert sample.frame is frame
    assert sample.face is face
    assert tuple(sorted(sample.quality)) == tuple(sorted(FACE_QUALITY))
    assert sample.quality["size"] == face.box[3] - face.box[1]
    assert 0 < sample.quality["brightness"] < 1
    assert 0.6 < sample.quality["frontal"] <= 1


@pytest.mark.parametrize(
    ("expected", "spoil"),
    [
        (Reason.FACE_TOO_SMALL, lambda frame, face: resized(frame, face, 0.3)),
        (Reason.FACE_BLURRED, lambda frame, face: blurred(frame, face, 0.05)),
        (Reason.FACE_TOO_DARK, lambda frame, face: (lit(frame, 0.1), face)),
        (Reason.FACE_TOO_DARK, lambda frame, face: (frame // 32 + 60, face)),
        (Reason.FACE_TOO_BRIGHT, lambda frame, face: (lit(frame, 20.0), face)),
        (Reason.FACE_TOO_BRIGHT, lambda frame, face: (frame // 32 + 200, face)),
        (Reason.NO_FACE, lambda frame, face: (frame, replace(face, probability=0.6))),
    ],
)
def test_every_fault_has_its_reason(
    frame: Pixels, face: DetectedFace, expected: Reason, spoil: Callable[..., Shot]
) -> None:
    assert reason(*spoil(frame, face)) is expected


def test_an_empty_picture_has_no_face(frame: Pixels) -> None:
    assert reason(frame) is Reason.NO_FACE


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_a_face_cut_off_at_any_side_is_rejected(
    frame: Pixels, face: DetectedFace, side: str
) -> None:
    left, top, right, bottom = (int(edge) for edge in face.box)
    third = (bottom - top) // 3
    x0, y0 = (left + third if side == "left" else 0), (top + third if side == "top" else 0)
    x1 = right - third if side == "right" else frame.shape[1]
    y1 = bottom - third if side == "bottom" else frame.shape[0]
    part = np.ascontiguousarray(frame[y0:y1, x0:x1])
    assert reason(part, moved(face, right=-x0, down=-y0)) is Reason.FACE_CUT_OFF


def test_a_face_is_not_turned_until_the_nose_leaves_the_middle(
    frame: Pixels, face: DetectedFace
) -> None:
    span = face.landmarks[1, 0] - face.landmarks[0, 0]
    turned = face.landmarks.copy()
    turned[2, 0] += span * 0.45
    assert reason(frame, replace(face, landmarks=turned)) is Reason.FACE_TURNED


def test_two_people_are_one_too_many(frame: Pixels, face: DetectedFace) -> None:
    other = moved(face, right=40)
    assert reason(frame, face, other) is Reason.SEVERAL_FACES
    assert reason(frame, moved(other, scale=0.8), face) is Reason.SEVERAL_FACES


def test_somebody_in_the_background_is_tolerated(frame: Pixels, face: DetectedFace) -> None:
    passer_by, ghost = moved(face, scale=0.4), replace(moved(face, right=40), probability=0.7)
    verdict = assess_face([frame], [[passer_by, face, ghost]])
    assert isinstance(verdict, FaceEvidence)
    assert verdict.samples[0].face is face


def test_two_people_in_any_frame_spoil_the_capture(frame: Pixels, face: DetectedFace) -> None:
    verdict = assess_face([frame] * 2, [[face], [face, moved(face, right=40)]])
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.SEVERAL_FACES


def test_what_the_person_can_act_on_first_is_told_first(frame: Pixels, face: DetectedFace) -> None:
    small = resized(*blurred(frame, face, 0.05), 0.3)
    assert reason(*small) is Reason.FACE_TOO_SMALL
    dim = blurred(lit(frame, 0.1), face, 0.05)
    assert reason(*dim) is Reason.FACE_TOO_DARK


def test_of_several_bad_frames_the_nearest_miss_gives_the_reason(
    frame: Pixels, face: DetectedFace
) -> None:
    misty, misty_face = blurred(frame, face, 0.05)
    verdict = assess_face([frame, misty, lit(frame, 0.1)], [[], [misty_face], [face]])
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.FACE_BLURRED
    assert verdict.measured["sharpness"] < QualityLimits().sharpness


def test_one_good_frame_is_enough_and_the_best_come_first(
    frame: Pixels, face: DetectedFace
) -> None:
    shots = [blurred(frame, face, share) for share in (0.05, 0.02, 0.0, 0.01, 0.015)]
    samples = evidence(shots).samples
    assert len(samples) == QualityLimits().samples
    sharpness = [sample.quality["sharpness"] for sample in samples]
    assert sharpness == sorted(sharpness, reverse=True)
    assert samples[0].frame is shots[2][0]


def test_nothing_looked_at_is_not_captured() -> None:
    verdict = assess_face([], [])
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.NOT_CAPTURED


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.5])
@pytest.mark.parametrize("share", [0.0, 0.015, 0.03])
def test_the_camera_s_resolution_does_not_change_sharpness(
    frame: Pixels, face: DetectedFace, scale: float, share: float
) -> None:
    forgiving = QualityLimits(sharpness=0.0)

    def sharpness(shot: Shot) -> float:
        verdict = assess_face([shot[0]], [[shot[1]]], forgiving)
        assert isinstance(verdict, FaceEvidence)
        return verdict.samples[0].quality["sharpness"]

    shot = blurred(frame, face, share)
    assert sharpness(resized(*shot, scale)) == pytest.approx(sharpness(shot), abs=0.08)


@pytest.mark.parametrize("deviation", [3.0, 5.0])
def test_noise_does_not_pass_for_sharpness(
    frame: Pixels, face: DetectedFace, deviation: float
) -> None:
    misty, _ = blurred(frame, face, 0.05)
    assert reason(noisy(misty, deviation), face) is Reason.FACE_BLURRED
    assert evidence([(noisy(frame, deviation), face)])


def test_light_changes_brightness_and_not_sharpness(frame: Pixels, face: DetectedFace) -> None:
    (usual,), (dim,) = (evidence([(lit(frame, gain), face)]).samples for gain in (1.0, 0.6))
    assert dim.quality["brightness"] == pytest.approx(0.6 * usual.quality["brightness"], abs=0.02)
    assert dim.quality["sharpness"] == pytest.approx(usual.quality["sharpness"], abs=0.03)


STRAIGHT = np.array([[30, 40], [70, 40], [50, 62], [34, 80], [66, 80]], np.float32)


def pointed(landmarks: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> float:
    return frontal(DetectedFace(np.zeros(4, np.float32), landmarks, 1.0))


@given(
    angle=st.floats(-1.5, 1.5), scale=st.floats(0.3, 5.0), nose=st.floats(-25, 25),
    shift=st.floats(-300, 300),
)  # fmt: skip
def test_frontal_is_about_the_nose_and_nothing_else(
    angle: float, scale: float, nose: float, shift: float
) -> None:
    turned = STRAIGHT + np.array([[0, 0]] * 2 + [[nose, 0]] + [[0, 0]] * 2, np.float32)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    elsewhere = ((turned * scale) @ rotation.T + shift).astype(np.float32)
    assert pointed(elsewhere) == pytest.approx(pointed(turned), abs=1e-2)
    assert pointed(turned) == pytest.approx(pointed(STRAIGHT - (turned - STRAIGHT)), abs=1e-5)
    assert pointed(turned) <= pointed(STRAIGHT) + 1e-6


def test_frontal_falls_as_the_head_turns_or_tilts() -> None:
    for axis in (0, 1):
        values = []
        for offset in (0, 4, 8, 12, 16):
            turned = STRAIGHT.copy()
            turned[2, axis] += offset
            values.append(pointed(turned))
        assert values == sorted(values, reverse=True)
        assert values[0] > 0.9
        assert values[-1] < 0.5


@given(
    numbers=st.lists(st.floats(-500, 1_000, width=32), min_size=14, max_size=14),
    probability=st.floats(0, 1),
)
@settings(deadline=None)
def test_any_detection_gets_a_verdict(numbers: list[float], probability: float) -> None:
    box, marks = np.array(numbers[:4], np.float32), np.array(numbers[4:], np.float32)
    grey = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    face = DetectedFace(box, marks.reshape(5, 2), probability)
    verdict = assess_face([grey], [[face]])
    assert isinstance(verdict, FaceEvidence | Rejected)


@pytest.mark.parametrize("box", [(100, 50, 100, 150), (100, 50, 100.4, 150), (319, 50, 321, 150)])
def test_a_face_without_width_gets_a_verdict(box: tuple[float, ...]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    marks = (STRAIGHT + 60).astype(np.float32)
    face = DetectedFace(np.array(box, np.float32), marks, 1.0)
    assert isinstance(assess_face([grey], [[face]]), FaceEvidence | Rejected)


def test_ordinary_captures_of_personas_pass(detector: Detector) -> None:
    """Up to a hardness of 1.5; the detector may miss one."""
    passed = 0
    for index in range(16):
        shot = face_of(person(POPULATIONS["test"], index), 0, 0, hardness=0.5 * (index % 4))
        passed += isinstance(assess_face([shot.pixels], [detector(shot.pixels)]), FaceEvidence)
    assert passed >= 15
