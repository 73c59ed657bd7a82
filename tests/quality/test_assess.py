"""Face and voice are judged each on its own, and few frames are searched."""

import numpy as np

from visavox.quality import QualityLimits, assess
from visavox.types import (
    Capture,
    DetectedFace,
    FaceEvidence,
    Pixels,
    Reason,
    Rejected,
    VoiceEvidence,
    Waveform,
)


def test_a_good_capture_gives_both(frame: Pixels, face: DetectedFace, speech: Waveform) -> None:
    verdict = assess(Capture((frame,), (0.0,), speech), lambda _: (face,))
    assert isinstance(verdict.face, FaceEvidence)
    assert isinstance(verdict.voice, VoiceEvidence)


def test_what_is_missing_was_not_captured(
    frame: Pixels, face: DetectedFace, speech: Waveform
) -> None:
    silent = assess(Capture((frame,), (0.0,)), lambda _: (face,))
    assert isinstance(silent.face, FaceEvidence)
    assert isinstance(silent.voice, Rejected)
    assert silent.voice.reason is Reason.NOT_CAPTURED
    unseen = assess(Capture(waveform=speech), lambda _: (face,))
    assert isinstance(unseen.voice, VoiceEvidence)
    assert isinstance(unseen.face, Rejected)
    assert unseen.face.reason is Reason.NOT_CAPTURED


def test_few_frames_are_searched_from_the_first_to_the_last() -> None:
    frames = tuple(np.full((64, 64, 3), n, np.uint8) for n in range(16))
    searched: list[int] = []

    def detect(frame: Pixels) -> tuple[DetectedFace, ...]:
        searched.append(int(frame[0, 0, 0]))
        return ()

    verdict = assess(
        Capture(frames, tuple(map(float, range(16)))), detect, QualityLimits(looked_at=4)
    )
    assert searched == [0, 5, 10, 15]
    assert isinstance(verdict.face, Rejected)
    assert verdict.face.reason is Reason.NO_FACE


def test_a_limit_asked_for_is_a_limit_kept(
    frame: Pixels, face: DetectedFace, speech: Waveform
) -> None:
    strict = QualityLimits(size=1_000.0, speech_s=30.0)
    verdict = assess(Capture((frame,), (0.0,), speech), lambda _: (face,), strict)
    assert isinstance(verdict.face, Rejected)
    assert verdict.face.reason is Reason.FACE_TOO_SMALL
    assert isinstance(verdict.voice, Rejected)
    assert verdict.voice.reason is Reason.TOO_LITTLE_SPEECH
