"""Genes make faces; relatives share them."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from visavox.personas.face_identity import FaceIdentity, Traits


def _strangers(seed: int, count: int) -> list[FaceIdentity]:
    rng = np.random.default_rng(seed)
    return [FaceIdentity.draw(rng) for _ in range(count)]


def _genes(faces: list[FaceIdentity]) -> NDArray[np.float64]:
    return np.array([f.genes for f in faces])


@given(st.integers(0, 2**32))
def test_the_same_seed_draws_the_same_face(seed: int) -> None:
    first, again = (FaceIdentity.draw(np.random.default_rng(seed)) for _ in range(2))
    assert first == again
    assert first != FaceIdentity.draw(np.random.default_rng(seed + 1))


@given(st.lists(st.floats(-40, 40), min_size=len(fields(Traits)), max_size=len(fields(Traits))))
def test_no_gene_however_odd_leaves_the_range_of_people(genes: list[float]) -> None:
    traits = FaceIdentity.of(tuple(genes), 0).traits
    assert 0.55 < traits.width < 0.85
    assert 0.0 < traits.eye_height < traits.eye_width < traits.eye_apart
    assert traits.eye_level + traits.nose_length < traits.mouth_level < traits.chin
    assert 0.0 <= traits.tone <= 1.0
    assert traits.brow_thick > 0.0


@pytest.mark.parametrize("share", [0.0, 0.5, 0.75, 1.0])
def test_relatives_share_as_much_as_was_asked(share: float) -> None:
    rng = np.random.default_rng(1)
    first = _strangers(2, 200)
    kin = [FaceIdentity.blend(a, FaceIdentity.draw(rng), share) for a in first]
    a, b = _genes(first).ravel(), _genes(kin).ravel()
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(np.sqrt(share), abs=0.03)
    # A blend is no more average than anybody else.
    assert b.std() == pytest.approx(1.0, abs=0.03)


def test_twins_have_moles_of_their_own() -> None:
    a, b = _strangers(3, 2)
    twin = FaceIdentity.blend(a, b, 1.0)
    assert twin.traits == a.traits
    assert twin.marks == b.marks != a.marks


def test_every_slice_has_people_in_it() -> None:
    groups: dict[str, set[str]] = {}
    for face in _strangers(4, 200):
        for name, value in face.slices.items():
            groups.setdefault(name, set()).add(value)
    assert groups == {
        "tone": {"light", "medium", "dark"},
        "age": {"young", "old"},
        "glasses": {"yes", "no"},
        "beard": {"yes", "no"},
    }


def test_beards_grow_on_men_only() -> None:
    assert all(f.traits.masculinity > 0.5 for f in _strangers(5, 200) if f.traits.bearded)
