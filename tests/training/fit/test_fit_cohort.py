"""Who of the cohort does what."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from visavox.errors import DataError, NotEnoughData
from visavox.training.fit_cohort import Roles, assign, people_of
from visavox.types import Modality

Crowds = Callable[..., Any]


def roles(crowd: Any, *, seed: int = 0, least: int = 20) -> Roles:
    people = people_of(crowd.table, crowd.people, what="cohort")
    return assign(people, strangers=0.3, folds=4, least=least, seed=seed)


def test_nobody_does_two_things(make_crowd: Crowds) -> None:
    crowd = make_crowd(40, 3, seed=0)
    found = roles(crowd)
    assert set(found.model.names).isdisjoint(found.strangers.names)
    assert {*found.model.names, *found.strangers.names} == set(crowd.people)
    assert len(found.strangers) == 12
    assert len(found.strangers.table) == 36
    assert {*found.model.table.captures}.isdisjoint(found.strangers.table.captures)
    assert np.bincount(found.fold).tolist() == [7, 7, 7, 7]


def test_a_small_cohort_keeps_its_folds_filled(make_crowd: Crowds) -> None:
    found = roles(make_crowd(20, 3, seed=0))
    assert np.bincount(found.fold).tolist() == [4, 4, 4, 4]
    assert len(found.strangers) == 4


def test_rows_keep_their_person(make_crowd: Crowds) -> None:
    found = roles(make_crowd(30, 3, seed=0))
    for people in (found.model, found.strangers):
        for capture, owner in zip(people.table.captures, people.owner, strict=True):
            assert capture.rsplit("-")[0] == people.names[owner]


def test_the_split_follows_the_seed(make_crowd: Crowds) -> None:
    crowd = make_crowd(40, 2, seed=0)
    assert roles(crowd, seed=1).model.names == roles(crowd, seed=1).model.names
    assert set(roles(crowd, seed=1).model.names) != set(roles(crowd, seed=2).model.names)


def test_too_few_people_are_an_error_that_says_how_many_are_needed(make_crowd: Crowds) -> None:
    with pytest.raises(NotEnoughData, match=r"has 19 people with face captures.*20 are needed"):
        roles(make_crowd(19, 3, seed=0))
    with pytest.raises(NotEnoughData, match="has 0 people"):
        roles(make_crowd(50, 1, seed=0))


def test_people_who_never_came_back_do_not_count(make_crowd: Crowds) -> None:
    crowd = make_crowd(50, 4, seed=0, sessions=1)
    people = people_of(crowd.table, crowd.people, what="cohort", sessions=crowd.sessions)
    with pytest.raises(NotEnoughData, match="has 0 people with face captures from two"):
        assign(people, strangers=0.3, folds=4, least=20, seed=0)


def test_absent_captures_do_not_count(make_crowd: Crowds) -> None:
    crowd = make_crowd(30, 2, seed=0, missing=0.5)
    with pytest.raises(NotEnoughData, match="two or more sessions"):
        roles(crowd)
    vectors, owner = people_of(crowd.table, crowd.people, what="cohort").of(Modality.VOICE)
    assert len(vectors) == len(owner) == crowd.table.voice.present.sum()
    assert np.isfinite(vectors).all()


def test_a_vector_that_is_not_finite_is_named(make_crowd: Crowds) -> None:
    crowd = make_crowd(3, 2, seed=0)
    crowd.table.voice.vectors[4, 0] = np.inf
    with pytest.raises(DataError, match="cohort's voice embedding of capture 'p2-4'"):
        people_of(crowd.table, crowd.people, what="cohort")


def test_each_capture_needs_a_name(make_crowd: Crowds) -> None:
    crowd = make_crowd(3, 2, seed=0)
    with pytest.raises(DataError, match="6 captures and 5 names"):
        people_of(crowd.table, crowd.people[:5], what="enrolment")
