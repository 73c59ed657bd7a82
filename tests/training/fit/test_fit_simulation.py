"""Simulated fridges: nobody is probed with a capture they were enrolled with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from visavox.errors import NotEnoughData
from visavox.training.fit_cohort import People, people_of
from visavox.training.fit_plda import PldaModel
from visavox.training.fit_settings import PldaSettings
from visavox.training.fit_simulation import (
    TRIALS_EACH,
    Fridge,
    fridge_like,
    fridges_of,
    simulate,
)
from visavox.types import Modality

Crowds = Callable[..., Any]


@pytest.fixture
def people(make_crowd: Crowds) -> People:
    crowd = make_crowd(24, 6, seed=0, missing=0.1)
    return people_of(crowd.table, crowd.people, what="cohort")


def check(fridge: Fridge, people: People, players: np.ndarray) -> None:
    assert not set(fridge.enrol) & set(fridge.probes)
    assert set(people.owner[fridge.enrol]) | set(people.owner[fridge.probes]) <= set(players)
    np.testing.assert_array_equal(fridge.members[fridge.member], people.owner[fridge.enrol])
    assert len(set(fridge.members)) == len(fridge.members)


def test_everybody_plays_a_member_with_every_number_of_captures(people: People) -> None:
    players = np.arange(5, 15)
    genuine = dict.fromkeys(range(1, 6), 0)
    for fridge in fridges_of(people, players, counts=range(1, 6), rng=np.random.default_rng(0)):
        check(fridge, people, players)
        n = len(fridge.enrol) // len(fridge.members)
        assert np.bincount(fridge.member).tolist() == [n] * 10
        genuine[n] += len(fridge.probes)
    assert all(count >= TRIALS_EACH * len(players) for count in genuine.values())


def test_nobody_is_probed_in_a_session_they_were_enrolled_in(make_crowd: Crowds) -> None:
    crowd = make_crowd(10, 6, seed=0, sessions=3)
    people = people_of(crowd.table, crowd.people, what="cohort", sessions=crowd.sessions)
    assert people.most == 4
    rng = np.random.default_rng(0)
    made = list(fridges_of(people, np.arange(10), counts=range(1, 6), rng=rng))
    made.append(fridge_like(people, np.arange(10), np.array([1, 4, 6]), rng=rng))
    for fridge in made:
        check(fridge, people, np.arange(10))
        assert not set(people.session[fridge.enrol]) & set(people.session[fridge.probes])
    sizes = {len(f.enrol) // len(f.members) for f in made[:-1]}
    assert sizes == {1, 2, 3, 4}  # five would leave no session to come back in
    assert sorted(np.bincount(made[-1].member)) == [1, 4, 4]


def test_people_of_a_single_session_are_strangers_to_all(make_crowd: Crowds) -> None:
    crowd = make_crowd(10, 6, seed=0, sessions=1)
    people = people_of(crowd.table, crowd.people, what="cohort", sessions=crowd.sessions)
    rng = np.random.default_rng(0)
    assert list(fridges_of(people, np.arange(10), counts=[1, 2], rng=rng)) == []
    with pytest.raises(NotEnoughData, match="two sessions"):
        fridge_like(people, np.arange(10), np.array([1, 2]), rng=rng)


def test_a_number_of_captures_that_nobody_has_is_left_out(people: People) -> None:
    made = fridges_of(people, np.arange(10), counts=[6, 7], rng=np.random.default_rng(0))
    assert list(made) == []


def test_a_fridge_like_another_has_its_members_captures(people: People) -> None:
    counts = np.array([1, 5, 5, 2, 9])
    fridge = fridge_like(people, np.arange(24), counts, rng=np.random.default_rng(0))
    check(fridge, people, np.arange(24))
    # Nine is more than anybody can spare here.
    assert sorted(np.bincount(fridge.member).tolist()) == [1, 2, 5, 5, 5]
    strangers = set(people.owner[fridge.probes]) - set(fridge.members)
    assert len(strangers) == 19


def test_half_of_the_candidates_stay_strangers(people: People) -> None:
    fridge = fridge_like(people, np.arange(12), np.full(50, 3), rng=np.random.default_rng(0))
    assert len(fridge.members) == 6


def test_trials_say_what_they_are(people: People) -> None:
    model = {
        m: PldaModel.train(*people.of(m), PldaSettings(), shrinkage=0.3, most=5) for m in Modality
    }
    fridges = list(fridges_of(people, np.arange(10), counts=[2, 3], rng=np.random.default_rng(0)))
    found = simulate(people, iter([(f, model) for f in fridges]), seed=0)
    assert len(found.target) == sum(len(f.probes) * len(f.members) for f in fridges)
    assert found.target.sum() == sum(len(f.probes) for f in fridges)  # each probe is of one member
    absent = ~people.table.voice.present[found.row]
    assert np.isnan(found.voice.raw[absent]).all()
    assert np.isnan(found.voice.raw[found.voice.count == 0]).all()
    assert np.isfinite(found.face.raw[~absent & (found.face.count > 0)]).mean() > 0.8
    assert np.nanmean(found.face.raw[found.target]) > np.nanmean(found.face.raw[~found.target])
