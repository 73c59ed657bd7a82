"""Cllr, minCllr and isotonic regression against worked examples, brute force and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from visavox.errors import DataError
from visavox.training.metrics import cllr, isotonic, min_cllr

llrs = st.lists(st.floats(-30, 30), min_size=1, max_size=30)
coarse = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=25)


def by_definition(mated: list[float], nonmated: list[float]) -> float:
    ours = sum(math.log2(1 + math.exp(-x)) for x in mated) / len(mated)
    others = sum(math.log2(1 + math.exp(x)) for x in nonmated) / len(nonmated)
    return (ours + others) / 2


@given(llrs, llrs)
def test_cllr_is_its_definition(mated: list[float], nonmated: list[float]) -> None:
    assert cllr(mated, nonmated) == pytest.approx(by_definition(mated, nonmated), rel=1e-9)


@pytest.mark.parametrize(
    ("mated_lr", "nonmated_lr", "expected"),
    [
        ([1.0], [1.0], 1.0),  # knows nothing
        ([1 / 3], [3.0], 2.0),  # wrong: log2(1 + 3)
        ([2.0], [0.5], math.log2(1.5)),
        ([100.0], [0.01], math.log2(1.01)),
        ([1e-3], [1e3], math.log2(1001)),
    ],
)
def test_cllr_of_known_likelihood_ratios(
    mated_lr: list[float], nonmated_lr: list[float], expected: float
) -> None:
    assert cllr(np.log(mated_lr), np.log(nonmated_lr)) == pytest.approx(expected)


def test_cllr_of_calibrated_likelihood_ratios_cannot_be_bettered() -> None:
    # Each LR occurs in the proportion it claims: 4 : 1, 1 : 1 and 1 : 4.
    mated, nonmated = np.log([4, 4, 4, 4, 0.25, 1]), np.log([4, 0.25, 0.25, 0.25, 0.25, 1])
    expected = (4 * math.log2(1.25) + math.log2(5) + 1) / 6
    assert cllr(mated, nonmated) == pytest.approx(expected)
    assert min_cllr(mated, nonmated) == pytest.approx(expected)


def test_certainty_that_is_wrong_costs_infinitely_and_certainty_that_is_right_nothing() -> None:
    assert cllr([-np.inf, 5.0], [-1.0]) == np.inf
    assert cllr([1.0], [np.inf]) == np.inf
    assert cllr([np.inf], [-np.inf]) == 0.0


def test_cllr_of_huge_llrs_does_not_overflow() -> None:
    assert cllr([-1e4], [-1e4]) == pytest.approx(0.5e4 / math.log(2))


@given(coarse, coarse)
def test_min_cllr_is_the_cllr_of_scikit_learns_isotonic_calibration(
    mated: list[float], nonmated: list[float]
) -> None:
    scores = np.array(mated + nonmated)
    labels = np.repeat([1.0, 0.0], [len(mated), len(nonmated)])
    posterior = IsotonicRegression().fit(scores, labels).predict(scores)
    with np.errstate(divide="ignore"):
        odds = np.log(posterior) - np.log1p(-posterior) - math.log(len(mated) / len(nonmated))
    best = cllr(odds[: len(mated)], odds[len(mated) :])
    assert min_cllr(mated, nonmated) == pytest.approx(best, abs=1e-9)


@given(llrs, llrs)
def test_min_cllr_is_never_above_cllr_nor_above_knowing_nothing(
    mated: list[float], nonmated: list[float]
) -> None:
    least = min_cllr(mated, nonmated)
    assert 0.0 <= least <= min(cllr(mated, nonmated), 1.0) + 1e-9


@given(coarse, coarse, st.integers(0, 2**32 - 1))
def test_min_cllr_depends_on_the_order_of_scores_alone(
    mated: list[float], nonmated: list[float], seed: int
) -> None:
    values = sorted({*mated, *nonmated})
    rising = np.cumsum(np.random.default_rng(seed).exponential(size=len(values)))
    moved = dict(zip(values, rising, strict=True))
    mapped = min_cllr([moved[m] for m in mated], [moved[n] for n in nonmated])
    assert mapped == min_cllr(mated, nonmated)


@given(llrs, llrs)
def test_costs_are_the_same_when_both_kinds_change_places_and_llrs_their_sign(
    mated: list[float], nonmated: list[float]
) -> None:
    swapped = [-n for n in nonmated], [-m for m in mated]
    assert cllr(*swapped) == pytest.approx(cllr(mated, nonmated))
    assert min_cllr(*swapped) == pytest.approx(min_cllr(mated, nonmated), abs=1e-12)


def test_true_llrs_of_normal_scores_are_nearly_as_good_as_their_best_calibration() -> None:
    # LLRs of variance v are calibrated when their means are ± v / 2.
    rng = np.random.default_rng(0)
    mated, nonmated = rng.normal(4.5, 3, 20_000), rng.normal(-4.5, 3, 20_000)
    assert cllr(mated, nonmated) == pytest.approx(min_cllr(mated, nonmated), abs=0.004)
    assert cllr(3 * mated, 3 * nonmated) > 1.1 * min_cllr(3 * mated, 3 * nonmated)


def test_isotonic_regression_of_the_example_in_rs_manual() -> None:
    fitted = isotonic([1, 0, 4, 3, 3, 5, 4, 2, 0])
    np.testing.assert_allclose(fitted, [0.5, 0.5, 3, 3, 3, 3, 3, 3, 3])


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 5)), min_size=1, max_size=30))
def test_isotonic_regression_is_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    y, w = np.array(pairs).T
    theirs = IsotonicRegression().fit_transform(np.arange(len(y)), y, sample_weight=w)
    np.testing.assert_allclose(isotonic(y, w), theirs, atol=1e-9)


def test_llrs_that_are_nan_are_refused() -> None:
    with pytest.raises(DataError, match="NaN"):
        cllr([0.0], [np.nan])
