"""Intervals against published tables, their own definitions, and repeated experiments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr

from visavox.errors import DataError, NotEnoughData
from visavox.training.intervals import (
    clopper_pearson,
    people_needed,
    percentile,
    rate_interval,
    resample,
    rule_of_three,
    wilson,
)
from visavox.training.metrics.resampled import means

# Newcombe (1998), Statistics in Medicine 17, table I: methods 3 (Wilson) and 5 (Clopper-Pearson).
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("errors", "trials", "score", "exact"), NEWCOMBE)
def test_intervals_are_those_of_newcombes_table(
    errors: int, trials: int, score: tuple[float, float], exact: tuple[float, float]
) -> None:
    for made, (low, high) in (
        (wilson(errors, trials), score),
        (clopper_pearson(errors, trials), exact),
    ):
        assert made.low == pytest.approx(low, abs=5e-5)
        assert made.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 60), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_exact_interval_ends_where_the_tails_hold_what_is_left(
    trials: int, data: st.DataObject, level: float
) -> None:
    errors = data.draw(st.integers(0, trials))
    made = clopper_pearson(errors, trials, level)
    tail = (1 - level) / 2
    assert made.low <= errors / trials <= made.high
    if errors < trials:
        assert bdtr(errors, trials, made.high) == pytest.approx(tail)
    if errors > 0:
        assert 1 - bdtr(errors - 1, trials, made.low) == pytest.approx(tail)


@given(st.integers(1, 60), st.data())
def test_an_interval_of_errors_mirrors_that_of_successes(trials: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, trials))
    for interval in (wilson, clopper_pearson):
        one, other = interval(errors, trials), interval(trials - errors, trials)
        assert one.low == pytest.approx(1 - other.high, abs=1e-9)
        assert one.high == pytest.approx(1 - other.low, abs=1e-9)


def test_no_errors_in_n_trials_prove_no_less_than_three_nths() -> None:
    for trials in (30, 100, 400, 3000):
        assert rule_of_three(trials) == pytest.approx(3 / trials, rel=0.06)
        assert rule_of_three(trials) < 3 / trials


@given(st.floats(1e-4, 0.5), st.sampled_from([0.9, 0.95, 0.99]))
def test_people_needed_are_the_fewest_that_can_prove_the_rate(rate: float, level: float) -> None:
    needed = people_needed(rate, level)
    assert rule_of_three(needed, level) <= rate * (1 + 1e-6)
    if needed > 1:
        assert rule_of_three(needed - 1, level) > rate * (1 - 1e-6)


def test_no_number_of_people_proves_a_rate_of_zero() -> None:
    with pytest.raises(DataError, match="No number of trials"):
        people_needed(0.0)


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(NotEnoughData, match="no trials"):
        wilson(0, 0)
    with pytest.raises(DataError, match="4 errors in 3 trials"):
        clopper_pearson(4, 3)


def test_resampling_keeps_the_number_of_people_of_each_stratum_and_of_fridges() -> None:
    drawn = resample([0, 0, 0, 1, 1], 4, replicates=50, seed=1)
    assert (drawn.people[:, :3].sum(axis=1) == 3).all()
    assert (drawn.people[:, 3:].sum(axis=1) == 2).all()
    assert (drawn.fridges.sum(axis=1) == 4).all()
    assert drawn.people.mean() == pytest.approx(1.0)


def test_the_weight_of_a_cell_is_its_persons_times_its_fridges() -> None:
    drawn = resample([0, 0, 0], 2, replicates=5, seed=1)
    weights = drawn.weights(np.array([2, 0]), np.array([1, 1]))
    np.testing.assert_array_equal(weights[:, 0], drawn.people[:, 2] * drawn.fridges[:, 1])
    np.testing.assert_array_equal(weights[:, 1], drawn.people[:, 0] * drawn.fridges[:, 1])


def test_the_same_seed_draws_the_same_people_and_another_seed_others() -> None:
    one, same, other = (resample([0] * 9, 3, replicates=4, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.people, same.people)
    np.testing.assert_array_equal(one.fridges, same.fridges)
    assert (one.people != other.people).any()


def test_a_single_fridge_is_never_drawn_away() -> None:
    assert (resample([0, 0], 1, replicates=20, seed=0).fridges == 1).all()


def test_nothing_cannot_be_resampled() -> None:
    with pytest.raises(NotEnoughData, match="0 people at 2 fridges"):
        resample([], 2, replicates=10, seed=0)


def test_a_percentile_interval_holds_the_middle_and_passes_over_what_says_nothing() -> None:
    replicates = np.append(np.arange(1000.0), [np.nan] * 50)
    made = percentile(replicates, 0.9)
    assert made.low == pytest.approx(49.5, abs=1)
    assert made.high == pytest.approx(949.5, abs=1)


def test_an_infinite_replicate_is_not_averaged_away() -> None:
    assert percentile(np.array([1.0] * 90 + [np.inf] * 10)).high == np.inf


def test_replicates_that_all_say_nothing_are_no_interval() -> None:
    with pytest.raises(NotEnoughData, match="No replicate"):
        percentile(np.array([np.nan]))


def test_no_error_of_anyone_is_no_proof_of_a_rate_of_zero() -> None:
    made = rate_interval(0.0, np.zeros(100), erring=0, people=40)
    assert made == clopper_pearson(0, 40)


def test_few_erring_people_widen_the_interval_and_many_leave_it_to_the_bootstrap() -> None:
    replicates = np.linspace(0.09, 0.11, 100)
    few = rate_interval(0.1, replicates, erring=9, people=100)
    many = rate_interval(0.1, replicates, erring=10, people=100)
    assert many == percentile(replicates)
    assert few.low < many.low < many.high < few.high


def test_resampling_people_covers_what_resampling_single_trials_does_not() -> None:
    """40 people of 10 trials, each with an error rate of their own; the mean rate is 0.2."""
    rng = np.random.default_rng(7)
    person = np.repeat(np.arange(40), 10)
    one_by_one = np.arange(400)
    covered = np.zeros(2)
    experiments = 120
    for i in range(experiments):
        errors = rng.random(400) < rng.beta(0.5, 2.0, 40)[person]
        for k, unit in enumerate((person, one_by_one)):
            drawn = resample(np.zeros(unit.max() + 1), 1, replicates=150, seed=i)
            made = percentile(means(errors, unit, drawn.people))
            covered[k] += made.low <= 0.2 <= made.high
    by_person, by_trial = covered / experiments
    assert by_person >= 0.88
    assert by_trial <= 0.80
