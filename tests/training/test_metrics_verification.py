"""FMR, FNMR, EER and DET against brute force, scikit-learn and a published example."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from visavox.errors import DataError, NotEnoughData
from visavox.training.metrics import eer, fmr, fnmr, probit, steps

# Few distinct values, so that ties within and across kinds are common.
score = st.one_of(st.integers(-5, 5).map(float), st.just(float("inf")), st.just(float("-inf")))
some = st.lists(score, min_size=1, max_size=25)

# Fawcett (2006), "An introduction to ROC analysis", figure 3: 10 positives, 10 negatives.
FAWCETT = "ppnpppnnpnpnpnnnpnpn"
FAWCETT_SCORES = [0.9, 0.8, 0.7, 0.6, 0.55, 0.54, 0.53, 0.52, 0.51, 0.505]
FAWCETT_SCORES += [0.4, 0.39, 0.38, 0.37, 0.36, 0.35, 0.34, 0.33, 0.3, 0.1]
POSITIVE = [s for s, kind in zip(FAWCETT_SCORES, FAWCETT, strict=True) if kind == "p"]
NEGATIVE = [s for s, kind in zip(FAWCETT_SCORES, FAWCETT, strict=True) if kind == "n"]


def mixed_eer(mated: list[float], nonmated: list[float]) -> float:
    """The lowest FMR = FNMR that any mixture of two thresholds reaches: hull by exhaustion."""
    at = [(1.0, 0.0), (0.0, 1.0)]
    at += [
        (sum(n >= t for n in nonmated) / len(nonmated), sum(m < t for m in mated) / len(mated))
        for t in {*mated, *nonmated}
    ]
    best = 1.0
    for x0, y0 in at:
        for x1, y1 in at:
            gap0, gap1 = y0 - x0, y1 - x1
            if gap0 <= 0 <= gap1:
                share = 0.0 if gap0 == gap1 else -gap0 / (gap1 - gap0)
                best = min(best, x0 + share * (x1 - x0))
    return best


@given(some, some, st.lists(score, min_size=1, max_size=5))
def test_error_rates_are_what_counting_gives(
    mated: list[float], nonmated: list[float], thresholds: list[float]
) -> None:
    for t, false_match, false_non_match in zip(
        thresholds, fmr(nonmated, thresholds), fnmr(mated, thresholds), strict=True
    ):
        assert false_match == sum(n >= t for n in nonmated) / len(nonmated)
        assert false_non_match == sum(m < t for m in mated) / len(mated)


@given(some, some)
def test_eer_is_the_best_mixture_of_two_thresholds(
    mated: list[float], nonmated: list[float]
) -> None:
    assert eer(mated, nonmated) == pytest.approx(mixed_eer(mated, nonmated), abs=1e-12)


@given(some, some, st.integers(0, 2**32 - 1))
def test_eer_depends_on_the_order_of_scores_alone(
    mated: list[float], nonmated: list[float], seed: int
) -> None:
    values = sorted({*mated, *nonmated})
    rising = np.cumsum(np.random.default_rng(seed).exponential(size=len(values)))
    moved = dict(zip(values, rising, strict=True))
    mapped = eer([moved[m] for m in mated], [moved[n] for n in nonmated])
    assert mapped == eer(mated, nonmated)


@given(some, some)
def test_eer_is_the_same_when_both_kinds_change_places_and_scores_their_sign(
    mated: list[float], nonmated: list[float]
) -> None:
    swapped = eer([-n for n in nonmated], [-m for m in mated])
    assert swapped == pytest.approx(eer(mated, nonmated), abs=1e-12)
    assert 0.0 <= swapped <= 0.5


@given(some, some, st.integers(2, 5))
def test_eer_does_not_change_when_every_trial_is_repeated(
    mated: list[float], nonmated: list[float], times: int
) -> None:
    assert eer(mated * times, nonmated) == pytest.approx(eer(mated, nonmated), abs=1e-12)


def test_eer_of_fawcetts_published_example() -> None:
    # Hull from (0.1, 0.5) to (0.5, 0.8): 0.5 + 0.75 (x - 0.1) = 1 - x.
    assert eer(POSITIVE, NEGATIVE) == pytest.approx(23 / 70)
    assert fmr(NEGATIVE, 0.54) == pytest.approx(0.1)
    assert fnmr(POSITIVE, 0.54) == pytest.approx(0.5)


def test_steps_are_scikit_learns_roc() -> None:
    rng = np.random.default_rng(0)
    mated, nonmated = rng.normal(1, 1, 150).round(1), rng.normal(-1, 1, 400).round(1)
    labels = np.repeat([1, 0], [150, 400])
    x, y, _ = roc_curve(labels, np.concatenate([mated, nonmated]), drop_intermediate=False)
    ours = steps(mated, nonmated)
    np.testing.assert_allclose(ours.fmr[::-1], x)
    np.testing.assert_allclose(1 - ours.fnmr[::-1], y)


def test_steps_end_at_refuse_all_and_begin_at_accept_all() -> None:
    made = steps([np.inf, 1.0], [np.inf, 0.0])
    assert (made.fmr[0], made.fnmr[0]) == (1.0, 0.0)
    assert (made.fmr[-1], made.fnmr[-1], made.threshold[-1]) == (0.0, 1.0, np.inf)
    assert made.fmr[-2] == 0.5  # at a threshold of inf, a score of inf is still accepted


@given(some, some, st.floats(0, 1))
def test_fnmr_at_an_fmr_is_the_lowest_that_keeps_it(
    mated: list[float], nonmated: list[float], rate: float
) -> None:
    made = steps(mated, nonmated)
    kept = made.fnmr[made.fmr <= rate]
    assert made.fnmr_at_fmr(rate)[0] == kept.min()


@pytest.mark.parametrize(
    ("mated", "nonmated", "expected"),
    [
        ([1.0], [0.0], 0.0),
        ([0.0], [1.0], 0.5),  # worse than chance is chance: one may always toss a coin
        ([1.0], [1.0], 0.5),
        ([np.inf], [-np.inf], 0.0),
        ([2.0, 0.0], [1.0, -1.0], 0.25),  # halfway along the hull from (0.5, 0) to (0, 0.5)
    ],
)
def test_eer_at_the_corners(mated: list[float], nonmated: list[float], expected: float) -> None:
    assert eer(mated, nonmated) == pytest.approx(expected)


def test_scores_that_are_nan_are_refused_and_counted() -> None:
    with pytest.raises(DataError, match="2 of 3 mated scores are NaN"):
        eer([np.nan, 1.0, np.nan], [0.0])


def test_no_scores_are_no_rate() -> None:
    with pytest.raises(NotEnoughData, match="no nonmated scores"):
        eer([1.0], [])


def test_a_table_of_scores_is_refused() -> None:
    with pytest.raises(DataError, match="shape"):
        fmr(np.zeros((2, 2)), 0.0)


def test_normal_scores_draw_a_straight_line_of_slope_minus_one_on_probit_axes() -> None:
    rng = np.random.default_rng(1)
    made = steps(rng.normal(2, 1, 20_000), rng.normal(0, 1, 20_000))
    at = np.array([0.02, 0.1, 0.3])
    line = probit(made.fnmr_at_fmr(at)) + probit(at)
    np.testing.assert_allclose(line, -2.0, atol=0.06)
    assert probit(0.0) == -np.inf
    assert probit([0.5])[0] == 0.0
