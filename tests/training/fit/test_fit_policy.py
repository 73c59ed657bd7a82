"""Thresholds and margin on scores whose distribution is known."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visavox.training.fit_policy import fit_policy, highest, lead, nearest, threshold
from visavox.training.fit_settings import DiscriminatorSettings
from visavox.training.fit_simulation import Side, Simulated


def maxima(count: int, seed: int, *, strength: float = 5.0, members: int = 20) -> np.ndarray:
    """Highest of `members` calibrated Gaussian LLRs, for strangers."""
    rng = np.random.default_rng(seed)
    llr = -0.5 * strength**2 + strength * rng.standard_normal((count, members))
    highest_of: np.ndarray = llr.max(axis=1)
    return highest_of


@pytest.mark.parametrize("fpir", [0.01, 0.003, 0.001])
def test_strangers_pass_no_more_often_than_asked(fpir: float) -> None:
    """On average over fits of 500 captures, tested on captures of their own."""
    fresh = maxima(100_000, 0)
    passed = [
        float((fresh >= threshold(maxima(500, seed), fpir=fpir, members=20)).mean())
        for seed in range(1, 21)
    ]
    assert 0.1 * fpir < np.mean(passed) < 1.3 * fpir


def test_many_strangers_are_simply_counted() -> None:
    scores = maxima(50_000, 1)
    found = threshold(scores, fpir=0.01, members=20)
    assert found == pytest.approx(np.quantile(scores, 0.99), abs=0.25)


def test_without_strangers_the_bound_of_calibrated_scores_serves() -> None:
    for nobody in (np.empty(0), np.full(5, np.nan)):
        assert threshold(nobody, fpir=0.003, members=20) == pytest.approx(math.log(20 / 0.003))
    assert threshold(np.empty(0), fpir=0.01, members=0) == pytest.approx(math.log(100))


def test_a_guess_goes_beyond_the_bound_only_where_a_stranger_was() -> None:
    wide = np.random.default_rng(2).normal(-10, 8, 300)
    bound = math.log(20 / 1e-4)
    assert threshold(np.minimum(wide, 5), fpir=1e-4, members=20) <= bound
    seen = np.append(wide, 14.0)
    assert bound < threshold(seen, fpir=1e-4, members=20) <= 14.0


@given(seed=st.integers(0, 1000), count=st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_a_lower_share_never_asks_for_less(seed: int, count: int) -> None:
    scores = maxima(count, seed)
    found = [threshold(scores, fpir=p, members=20) for p in (0.05, 0.01, 0.003, 0.001, 1e-4)]
    assert all(a <= b + 1e-9 for a, b in pairwise(found))


def simulated(target: np.ndarray, probe: np.ndarray) -> Simulated:
    side = Side(np.zeros(len(target)), np.ones(len(target), np.intp))
    return Simulated(side, side, target, probe, probe)


def pairs(strength: float, distortion: float, seed: int) -> tuple[Simulated, np.ndarray]:
    """For each probe, its own member's LLR and one other's, with the lead's true odds known."""
    rng = np.random.default_rng(seed)
    delta = 0.5 * strength**2 + strength * rng.standard_normal(4000)
    fused = np.column_stack([delta, np.zeros(4000)]) * distortion
    target = np.tile([True, False], 4000)
    return simulated(target, np.repeat(np.arange(4000), 2)), fused.ravel()


@pytest.mark.parametrize("distortion", [1.0, 1.5, 3.0])
def test_the_lead_is_translated_into_true_odds(distortion: float) -> None:
    found = lead(*pairs(1.5, distortion, 0))
    assert found == pytest.approx(1 / distortion, rel=0.1)


def test_a_lead_is_never_trusted_more_than_a_calibrated_one() -> None:
    """People far apart teach nothing of twins."""
    trials, fused = pairs(1.5, 0.5, 0)
    assert lead(trials, fused) == 1.0
    assert lead(trials, np.tile([50.0, 0.0], 4000)) <= 1.0


def test_probes_without_a_rival_teach_nothing() -> None:
    target, probe = np.array([True, False]), np.array([0, 1])
    assert lead(simulated(target, probe), np.array([3.0, 5.0])) == 1.0


def test_one_modality_alone_is_never_asked_for_less() -> None:
    found = fit_policy(
        {"both": maxima(500, 3), "face": maxima(500, 4) - 20, "voice": np.full(500, np.nan)},
        members=20,
        strangers=90,
        kappa=2.0,
        settings=DiscriminatorSettings(),
    )
    assert (found.members, found.strangers, found.captures) == (20, 90, 500)
    for level in found.levels.values():
        assert level.face_threshold >= level.threshold
        assert level.voice_threshold == pytest.approx(math.log(20 / (0.1 * level.fpir)))
        assert level.margin == pytest.approx(math.log((1 - level.fpir) / level.fpir) / 2)
    low, normal, high = (found.levels[r] for r in ("low", "normal", "high"))
    assert low.threshold < normal.threshold < high.threshold


def test_the_highest_of_a_row_ignores_what_is_missing() -> None:
    llr = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(highest(llr), [3.0, np.nan])
    assert np.isnan(highest(np.empty((2, 0)))).all()


def test_of_the_others_only_the_most_similar_counts() -> None:
    target = np.array([True, False, False, False, True, False])
    probe = np.array([0, 0, 0, 1, 1, 1])
    llr = np.array([5.0, 1.0, 2.0, np.nan, 4.0, -1.0])
    assert nearest(simulated(target, probe), llr).tolist() == [0, 2, 4, 5]
