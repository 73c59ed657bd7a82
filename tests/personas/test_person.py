"""Persons follow from their population and place, and from nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visavox.errors import ConfigError
from visavox.personas.person import (
    LOOK_ALIKE,
    POPULATIONS,
    SIBLING,
    Person,
    face_of,
    person,
    voice_of,
)


def _alike(a: Person, b: Person) -> float:
    return float(np.corrcoef(a.face.genes, b.face.genes)[0, 1])


def test_a_person_is_always_the_same() -> None:
    assert person(5, 3) == person(5, 3)
    assert person(5, 3).name == "p5-00003"


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 2**20), st.integers(0, 2**20))
@settings(max_examples=50, deadline=None)
def test_no_two_places_hold_the_same_person(p: int, q: int, i: int, k: int) -> None:
    a, b = person(p, i), person(q, k)
    assert ((p, i) == (q, k)) == (a.face == b.face) == (a.voice == b.voice)


def test_populations_share_nobody() -> None:
    assert len(set(POPULATIONS.values())) == len(POPULATIONS)
    everybody = [person(p, i) for p in (*POPULATIONS.values(), 0, 1) for i in range(20)]
    assert len({x.face.genes for x in everybody}) == len(everybody)
    genes = np.array([x.face.genes for x in everybody])
    alike = np.corrcoef(genes) - np.eye(len(everybody))
    assert alike.max() < 0.6  # nobody resembles another as a sibling would


def test_siblings_resemble_each_other_and_look_alikes_more() -> None:
    def typical(share: float) -> float:
        pairs = [(person(8, i), person(8, i + 1, relative_of=i, share=share)) for i in range(12)]
        return float(np.median([_alike(a, b) for a, b in pairs]))

    strangers = float(np.median([_alike(person(8, i), person(8, i + 1)) for i in range(12)]))
    assert abs(strangers) < 0.15
    assert 0.55 < typical(SIBLING) < typical(LOOK_ALIKE) < 0.95


def test_siblings_sound_alike() -> None:
    def apart(share: float) -> float:
        gaps = []
        for i in range(12):
            kin = person(8, i + 1, relative_of=i, share=share)
            gaps.append(abs(np.log(person(8, i).voice.tract_cm / kin.voice.tract_cm)))
        return float(np.mean(gaps))

    assert apart(LOOK_ALIKE) < apart(SIBLING) < apart(0.0)


def test_face_and_voice_agree_in_sex() -> None:
    people = [person(9, i) for i in range(60)]
    deep = [p.voice.f0_hz for p in people if p.face.traits.masculinity > 0.8]
    high = [p.voice.f0_hz for p in people if p.face.traits.masculinity < 0.2]
    assert np.median(deep) < 0.75 * np.median(high)


def test_slices_name_face_and_voice() -> None:
    assert set(person(5, 0).slices) == {"tone", "age", "glasses", "beard", "pitch"}


@pytest.mark.parametrize(("population", "index", "of"), [(-1, 0, None), (0, -1, None), (5, 3, 3)])
def test_people_who_cannot_be_are_refused(population: int, index: int, of: int | None) -> None:
    with pytest.raises(ConfigError):
        person(population, index, relative_of=of)


def test_captures_of_a_session_share_what_sessions_differ_in() -> None:
    ada = person(5, 0)

    def corner(session: int, index: int) -> float:
        """The wall behind the shoulder."""
        small = face_of(ada, session, index, size=(112, 112), head=40.0)
        return float(small.pixels[:10, :10].mean())

    rooms = [[corner(s, i) for i in range(2)] for s in range(5)]
    within = np.abs(np.diff(rooms, axis=1)).mean()
    between = np.std([r[0] for r in rooms])
    assert within < 0.5 * between


def test_captures_are_all_different_and_all_repeatable() -> None:
    ada = person(5, 0)

    def pixels(session: int, index: int) -> bytes:
        return face_of(ada, session, index, size=(112, 112), head=40.0).pixels.tobytes()

    assert pixels(1, 2) == pixels(1, 2)
    assert len({pixels(s, i) for s in range(2) for i in range(2)}) == 4
    first, again, other = (voice_of(ada, 0, i, seconds=1.5) for i in (0, 0, 1))
    assert np.array_equal(first.waveform, again.waveform)
    assert not np.array_equal(first.waveform, other.waveform)


def test_the_digits_asked_for_are_spoken() -> None:
    assert voice_of(person(5, 1), 0, 0, digits="4071", seconds=2.0).digits == "4071"
    assert 4 <= len(voice_of(person(5, 1), 0, 0, seconds=2.0).digits) <= 6


def test_the_mouth_can_be_opened() -> None:
    ada = person(5, 0)
    shut, wide = (face_of(ada, 0, 0, size=(112, 112), head=40.0, mouth_open=o) for o in (0.0, 1.0))
    assert np.allclose(shut.landmarks[:2], wide.landmarks[:2], atol=1e-3)
    assert wide.landmarks[3:, 1].mean() > shut.landmarks[3:, 1].mean()


def test_hardness_moves_one_person_further_apart() -> None:
    def spread(hardness: float) -> float:
        shapes = []
        for i in range(6):
            landmarks = face_of(person(5, 2), i, 0, hardness, size=(112, 112), head=40.0).landmarks
            shapes.append(landmarks - landmarks.mean(0))
        return float(np.std(shapes, axis=0).mean())

    assert spread(0.0) < 0.2 * spread(0.6) < 0.2 * spread(1.8)
