"""One ordinary face and one ordinary voice, of people who do not exist."""

import numpy as np
import pytest

from visavox.characterizer.detector import Detector
from visavox.personas.person import POPULATIONS, face_of, person, voice_of
from visavox.types import DetectedFace, Pixels, Waveform


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector()


@pytest.fixture(scope="session")
def frame() -> Pixels:
    return face_of(person(POPULATIONS["test"], 0), session=0, index=0, hardness=0.3).pixels


@pytest.fixture(scope="session")
def face(detector: Detector, frame: Pixels) -> DetectedFace:
    (found,) = detector(frame)
    return found


@pytest.fixture(scope="session")
def speech() -> Waveform:
    """Three seconds from a quiet cabin, at most half of full scale."""
    spoken = voice_of(person(POPULATIONS["test"], 0), session=0, index=0, hardness=0.0)
    half: Waveform = spoken.waveform * np.float32(0.5 / np.abs(spoken.waveform).max())
    return half
