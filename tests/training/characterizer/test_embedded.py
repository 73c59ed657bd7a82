"""The pair that is shipped: loads, is small, says what it is, and tells new personas apart."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from visavox import characterizer
from visavox.characterizer import Characterizer
from visavox.personas.person import POPULATIONS, Person, face_of, person, voice_of
from visavox.training.characterizer.verification import trials
from visavox.training.metrics import eer
from visavox.types import DetectedFace, FaceEvidence, FaceSample, VoiceEvidence

FOLDER = Path(str(characterizer.__file__)).parent / "embedded"
PEOPLE, CAPTURES, ENROL = 16, 5, 3


@pytest.fixture(scope="module")
def embedded() -> Characterizer:
    return characterizer.load("embedded")


@pytest.mark.parametrize("file", ["face.onnx", "voice.onnx"])
def test_each_net_is_at_most_six_megabytes(file: str) -> None:
    assert (FOLDER / file).stat().st_size <= 6_000_000


def test_the_model_card_says_that_no_real_person_was_seen() -> None:
    card = (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    for said in (
        "personas only",
        "must not be used to recognise real people",
        "identities",
        "epochs",
        "validation EER",
        "95 % interval",
        "MIT",
    ):
        assert said in card


def test_the_card_names_its_population(embedded: Characterizer) -> None:
    assert embedded.name == "embedded"
    assert embedded.population == "personas"
    assert (embedded.face_dim, embedded.voice_dim) == (128, 128)


def test_new_faces_are_told_apart(embedded: Characterizer) -> None:
    assert rate([face(embedded, *which) for which in captures()]) < 0.15


def test_new_voices_are_told_apart(embedded: Characterizer) -> None:
    assert rate([voice(embedded, *which) for which in captures()]) < 0.25


def captures() -> list[tuple[Person, int]]:
    """Of people whom training cannot have met: another population."""
    people = [person(POPULATIONS["test"], 700 + i) for i in range(PEOPLE)]
    return [(who, i) for who in people for i in range(CAPTURES)]


def rate(vectors: list[NDArray[np.float32]]) -> float:
    seen = trials(np.stack(vectors), np.repeat(np.arange(PEOPLE), CAPTURES), enrol=ENROL)
    return eer(seen.mated, seen.foreign)


def face(embedded: Characterizer, who: Person, index: int) -> NDArray[np.float32]:
    # Small pictures with true landmarks: what is measured is the net, not the detector.
    seen = face_of(who, index // 2, index, size=(176, 176), head=64.0)
    found = DetectedFace(np.array([0, 0, 176, 176], np.float32), seen.landmarks, 1.0)
    quality = {"size": 1.0, "sharpness": 1.0, "brightness": 1.0, "frontal": 1.0}
    return embedded.embed_face(FaceEvidence((FaceSample(seen.pixels, found, quality),))).vector


def voice(embedded: Characterizer, who: Person, index: int) -> NDArray[np.float32]:
    spoken = voice_of(who, index // 2, index)
    return embedded.embed_voice(VoiceEvidence(spoken.waveform, {})).vector
