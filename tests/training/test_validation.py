"""The number that sweeps compare: on people held out of the cohort, and on nobody else."""

from dataclasses import replace

import numpy as np
import pytest

from visavox.errors import NotEnoughData
from visavox.table import Column, EmbeddingTable
from visavox.training import validation
from visavox.training.fit import DiscriminatorSettings
from visavox.training.validation import Validation, validate

HOW = Validation(rounds=1, members=8, strangers=10, enrol=2)
FAST = DiscriminatorSettings(least_people=8)


def people(count: int, captures: int, *, noise: float, seed: int = 0) -> EmbeddingTable:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(count), captures)
    columns = []
    for width in (4, 3):
        x = rng.standard_normal((count, 12))[owner]
        x = x + noise * rng.standard_normal((len(owner), 12))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        columns.append(
            Column(
                x.astype(np.float32),
                np.ones(len(owner), np.bool_),
                rng.uniform(size=(len(owner), width)).astype(np.float32),
                ("",) * len(owner),
            )
        )
    return EmbeddingTable(tuple(f"c{i}" for i in range(len(owner))), *columns)


def names(count: int, captures: int) -> list[str]:
    return [f"p{i:03d}" for i in range(count) for _ in range(captures)]


COHORT, NAMES = people(50, 4, noise=0.5), names(50, 4)
DAYS = [f"{name}-{i % 4}" for i, name in enumerate(NAMES)]  # each capture its own session
PAIRS = [f"{name}-{i % 4 // 2}" for i, name in enumerate(NAMES)]  # two of two captures


def test_every_probe_meets_every_member() -> None:
    found = validate(COHORT, NAMES, DAYS, HOW, FAST, seed=1)
    assert found.mated == 8 * 2
    assert found.nonmated == 8 * 2 * 7 + 10 * 4 * 8
    assert found.objective == found.fused
    assert found.figures()["validation.fused.cllr"] == found.fused


def test_rounds_are_of_other_people() -> None:
    one = validate(COHORT, NAMES, DAYS, HOW, FAST, seed=1)
    two = validate(COHORT, NAMES, DAYS, replace(HOW, rounds=2), FAST, seed=1)
    assert (two.mated, two.nonmated) == (2 * one.mated, 2 * one.nonmated)
    assert two.fused != one.fused


def test_the_same_seed_gives_the_same_number_and_another_another() -> None:
    first = validate(COHORT, NAMES, DAYS, HOW, FAST, seed=1)
    assert validate(COHORT, NAMES, DAYS, HOW, FAST, seed=1) == first
    assert validate(COHORT, NAMES, DAYS, HOW, FAST, seed=2) != first


def test_people_who_are_harder_to_tell_apart_cost_more() -> None:
    easy = validate(people(50, 4, noise=0.3), NAMES, DAYS, HOW, FAST, seed=1)
    hard = validate(people(50, 4, noise=2.0), NAMES, DAYS, HOW, FAST, seed=1)
    assert easy.fused < 0.1 < hard.fused
    assert hard.fused < hard.voice, "two modalities tell more than one"


def test_nobody_who_is_scored_was_fitted_on() -> None:
    table, days = np.array(NAMES, dtype=object), np.array(DAYS, dtype=object)
    for enrol, probe, rest in validation._rounds(table, days, replace(HOW, rounds=3), seed=1):
        assert not set(table[rest]) & (set(table[enrol]) | set(table[probe]))
        assert not set(enrol) & set(probe)
        assert len(set(table[enrol])) == 8
        assert len(set(table[probe])) == 18


@pytest.mark.parametrize("enrol", [1, 2])
def test_nobody_is_probed_in_a_session_that_they_were_enrolled_in(enrol: int) -> None:
    table, days = np.array(NAMES, dtype=object), np.array(PAIRS, dtype=object)
    how = replace(HOW, enrol=enrol)
    for taken, probe, _ in validation._rounds(table, days, how, seed=1):
        assert len(taken) == 8 * enrol
        assert not set(days[taken]) & set(days[probe])
        assert np.isin(table[probe], table[taken]).sum() == 8 * 2, "the other session, whole"


def test_a_cohort_too_small_says_what_is_needed() -> None:
    small = 30 * 4
    with pytest.raises(NotEnoughData, match="36 people in all; there are 30 and 30"):
        validate(COHORT.take(np.arange(small)), NAMES[:small], DAYS[:small], HOW, FAST, seed=1)
    with pytest.raises(NotEnoughData, match="there are 0 and 50"):
        validate(COHORT, NAMES, DAYS, replace(HOW, enrol=4), FAST, seed=1)
