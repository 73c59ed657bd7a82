"""Open-set rates against a count by hand, with ties, missing searches and infinite scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavox.errors import DataError, NotEnoughData
from visavox.training.metrics import (
    Mated,
    fnir,
    fnir_at_fpir,
    fpir,
    rank1,
    threshold_at_fpir,
    tpir,
)

NAN, INF = float("nan"), float("inf")

score = st.one_of(st.integers(-4, 4).map(float), st.sampled_from([INF, -INF, NAN]))
finite = st.one_of(st.integers(-4, 4).map(float), st.just(NAN))
searches = st.lists(st.tuples(score, score), min_size=1, max_size=20)
strangers = st.lists(score, min_size=1, max_size=20)
target = st.sampled_from([0.0, 0.05, 0.1, 0.25, 0.3, 0.5, 0.9, 1.0])


def mated(pairs: list[tuple[float, float]]) -> Mated:
    own, other = np.array(pairs).T
    return Mated(own, np.where(np.isnan(other), -INF, other))


@given(searches, strangers, st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=4))
def test_rates_are_what_counting_gives(
    pairs: list[tuple[float, float]], top: list[float], thresholds: list[float]
) -> None:
    ours = mated(pairs)
    for t, false_positive, missed in zip(
        thresholds, fpir(top, thresholds), fnir(ours, thresholds), strict=True
    ):
        assert false_positive == sum(s >= t for s in top) / len(top)
        found = sum(a >= t and a > b for a, b in zip(ours.own, ours.other, strict=True))
        assert missed == pytest.approx(1 - found / len(pairs))
    np.testing.assert_allclose(tpir(ours, thresholds) + fnir(ours, thresholds), 1.0)


@given(strangers, target)
def test_the_threshold_for_an_fpir_is_the_lowest_that_keeps_it(
    top: list[float], rate: float
) -> None:
    at = threshold_at_fpir(top, rate)
    accepted = [s > INF if at == INF else s >= at for s in top]
    assert sum(accepted) <= rate * len(top) + 1e-9
    lower = [s for s in top if not np.isnan(s) and s < at]
    if lower:
        assert sum(s >= max(lower) for s in top) > rate * len(top)


@given(searches, st.lists(finite, min_size=1, max_size=20), target)
def test_fnir_at_an_fpir_is_the_best_that_any_threshold_gives(
    pairs: list[tuple[float, float]], top: list[float], rate: float
) -> None:
    ours = mated(pairs)
    every = [x for x in [*top, *ours.own] if not np.isnan(x)]
    places = [-INF, *every, *np.nextafter(every, INF)]
    allowed = [t for t in places if fpir(top, t) <= rate + 1e-9]
    best = min((float(fnir(ours, t)) for t in allowed), default=1.0)
    assert fnir_at_fpir(ours, top, rate) == pytest.approx(best)


def test_another_members_first_place_is_a_miss_however_high_the_score() -> None:
    ours = Mated(np.array([9.0, 9.0]), np.array([10.0, 1.0]))
    assert fnir(ours, 0.0) == 0.5
    assert rank1(ours) == 0.5


def test_a_tie_for_the_first_place_is_no_first_place() -> None:
    assert fnir(Mated(np.array([3.0]), np.array([3.0])), 0.0) == 1.0


def test_a_search_of_nothing_is_a_miss_for_a_member_and_no_acceptance_for_a_stranger() -> None:
    ours = Mated(np.array([NAN, 5.0]), np.array([-INF, -INF]))
    assert fnir(ours, -INF) == 0.5
    assert fpir([NAN, NAN, 5.0, 1.0], -INF) == 0.5


def test_a_lone_member_competes_with_nobody() -> None:
    assert rank1(Mated(np.array([-3.0]), np.array([-INF]))) == 1.0


def test_strangers_with_the_same_score_pass_together_or_not_at_all() -> None:
    top = [5.0, 5.0, 5.0, 1.0]
    assert fpir(top, threshold_at_fpir(top, 0.5)) == 0.0
    assert fpir(top, threshold_at_fpir(top, 0.75)) == 0.75


def test_a_whole_number_of_allowed_strangers_is_not_lost_to_rounding() -> None:
    top = np.arange(100.0)
    assert 0.29 * 100 < 29
    assert fpir(top, threshold_at_fpir(top, 0.29)) == 0.29


def test_a_stranger_of_infinite_score_blocks_every_threshold() -> None:
    ours = Mated(np.array([INF]), np.array([0.0]))
    assert fnir_at_fpir(ours, [INF, 0.0], 0.3) == 1.0
    assert fnir_at_fpir(ours, [INF, 0.0], 0.5) == 0.0


def test_no_searches_are_no_rate() -> None:
    with pytest.raises(NotEnoughData, match="no nonmated searches"):
        fpir([], 0.0)
    with pytest.raises(NotEnoughData, match="no mated searches"):
        rank1(Mated(np.empty(0), np.empty(0)))


def test_a_target_that_is_no_share_is_refused() -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        threshold_at_fpir([1.0], 3.0)
