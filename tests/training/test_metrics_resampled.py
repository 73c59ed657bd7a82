"""Weighted figures are the plain figures of trials repeated that many times."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavox.training.metrics import Mated, cllr, eer, fnir_at_fpir, min_cllr
from visavox.training.metrics.resampled import Cell, cllrs, fnirs_at_fpir, ladder, means
from visavox.training.metrics.rungs import rungs
from visavox.training.metrics.scores import Floats

CELLS = 6
Seeds = st.integers(0, 2**32 - 1)


class Drawn(NamedTuple):
    """What the functions under test take, in their order."""

    mated: Floats
    mated_cells: Cell
    nonmated: Floats
    nonmated_cells: Cell
    weights: Floats


def drawn(seed: int, *, mated: int = 15, nonmated: int = 40) -> Drawn:
    """Scores with ties, cells, and three replicates' weights; the first replicate is plain."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 3, (3, CELLS)).astype(np.float64)
    weights[0] = 1.0
    m, n = rng.normal(1, 1.5, mated).round(1), rng.normal(-1, 1.5, nonmated).round(1)
    return Drawn(m, rng.integers(0, CELLS, mated), n, rng.integers(0, CELLS, nonmated), weights)


def repeated(figure: Callable[[Floats, Floats], float], made: Drawn, row: int) -> float:
    times = made.weights[row].astype(int)
    sides = (
        np.repeat(made.mated, times[made.mated_cells]),
        np.repeat(made.nonmated, times[made.nonmated_cells]),
    )
    return figure(*sides) if all(side.size for side in sides) else float("nan")


@given(Seeds)
def test_eer_and_min_cllr_of_weights_are_those_of_repeated_trials(seed: int) -> None:
    made = drawn(seed)
    eers, min_cllrs = ladder(*made).hulls()
    for row in range(3):
        assert eers[row] == pytest.approx(repeated(eer, made, row), nan_ok=True)
        assert min_cllrs[row] == pytest.approx(repeated(min_cllr, made, row), nan_ok=True)


@given(Seeds)
def test_cllr_of_weights_is_that_of_repeated_trials(seed: int) -> None:
    made = drawn(seed)
    found = cllrs(*made)
    for row in range(3):
        assert found[row] == pytest.approx(repeated(cllr, made, row), nan_ok=True)


@given(Seeds, st.sampled_from([0.0, 0.1, 0.25, 1.0]))
def test_fnir_at_an_fpir_of_weights_is_that_of_repeated_searches(seed: int, target: float) -> None:
    own, m_cells, top, n_cells, weights = drawn(seed)
    rng = np.random.default_rng(seed)
    own[rng.random(own.size) < 0.2] = np.nan
    top[rng.random(top.size) < 0.2] = np.nan
    other = rng.normal(-1, 1.5, own.size).round(1)
    found = fnirs_at_fpir(Mated(own, other), m_cells, top, n_cells, weights, target)
    for row in range(3):
        m_times, n_times = (weights[row].astype(int)[c] for c in (m_cells, n_cells))
        if not m_times.sum() or not n_times.sum():
            continue
        searches = Mated(np.repeat(own, m_times), np.repeat(other, m_times))
        expected = fnir_at_fpir(searches, np.repeat(top, n_times), target)
        assert found[row] == pytest.approx(expected)


def test_a_replicate_that_drew_no_trial_of_a_kind_says_nothing() -> None:
    weights = np.array([[1.0, 0.0], [0.0, 1.0]])
    zero, one = np.array([0]), np.array([1])
    low, high = np.array([0.0]), np.array([1.0])
    assert np.isnan(ladder(high, zero, low, one, weights).hulls()[0]).all()
    assert np.isnan(cllrs(high, zero, low, one, weights)).all()
    assert np.isnan(means(high, zero, weights)).tolist() == [False, True]


def test_an_infinite_cost_counts_only_where_it_was_drawn() -> None:
    weights = np.array([[1.0, 1.0], [0.0, 1.0]])
    found = means(np.array([np.inf, 3.0]), np.array([0, 1]), weights)
    assert found.tolist() == [np.inf, 3.0]


def test_neighbours_of_one_kind_share_a_rung_and_ties_have_their_own() -> None:
    made = rungs(np.array([5.0, 6.0, 3.0]), np.array([3.0, 1.0, 2.0]))
    assert made.count == 3
    assert made.mated.tolist() == [2, 2, 1]
    assert made.nonmated.tolist() == [1, 0, 0]
