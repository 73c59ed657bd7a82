"""The pull towards a sphere is what the people themselves ask for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from visavox.table import Column
from visavox.training.fit_background import prepare
from visavox.training.fit_cohort import assign, people_of
from visavox.training.fit_selection import SHRINKAGES, choose_shrinkage
from visavox.training.fit_settings import DiscriminatorSettings, PldaSettings
from visavox.types import Modality

Crowds = Callable[..., Any]


def column(crowd: Any, noise: np.ndarray, seed: int) -> Column:
    """People as points of a round cloud, captures about them with the given noise per axis."""
    rng = np.random.default_rng(seed)
    owner = np.unique(crowd.people, return_inverse=True)[1]
    x = rng.standard_normal((owner.max() + 1, len(noise)))[owner]
    x = x + noise * rng.standard_normal(x.shape)
    vectors = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    face: Column = crowd.table.face
    return replace(face, vectors=vectors)


def test_round_variation_is_pulled_to_a_sphere_and_long_variation_is_not(
    make_crowd: Crowds,
) -> None:
    crowd = make_crowd(80, 5, seed=0)
    round_, long = np.full(30, 0.9), np.where(np.arange(30) < 10, 6.0, 0.5)
    table = replace(crowd.table, face=column(crowd, round_, 1))
    table = replace(table, voice=replace(column(crowd, long, 2), quality=crowd.table.voice.quality))
    people = people_of(table, crowd.people, what="cohort")
    roles = assign(people, strangers=0.3, folds=4, least=20, seed=0)
    chosen = choose_shrinkage(roles, PldaSettings(), seed=0)
    assert chosen[Modality.FACE] >= 0.9
    assert chosen[Modality.VOICE] <= 0.5
    assert chosen == choose_shrinkage(roles, PldaSettings(), seed=0)


def test_a_given_shrinkage_is_not_questioned(make_crowd: Crowds) -> None:
    crowd = make_crowd(40, 5, seed=0)
    given = [
        prepare(
            crowd.table,
            crowd.people,
            DiscriminatorSettings(plda=PldaSettings(shrinkage=s)),
            seed=0,
        ).models[Modality.FACE]
        for s in (0.33, 0.33, 0.66)
    ]
    between = [m.between for m in given]  # type: ignore[attr-defined]
    assert 0.33 not in SHRINKAGES
    np.testing.assert_array_equal(between[0], between[1])
    assert not np.array_equal(between[0], between[2])
