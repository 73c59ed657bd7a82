"""Calibration on Gaussians, where the true likelihood ratio is known."""

import numpy as np
import pytest

from visavox.errors import NotEnoughData
from visavox.training.fit_calibration import Lines
from visavox.training.fit_simulation import Side


def gaussian_trials(
    rng: np.random.Generator, strength: float, *, genuine: int = 1500, foreign: int = 6000
) -> tuple[np.ndarray, np.ndarray]:
    """True LLRs of two normal kinds of trial, `strength` standard deviations apart."""
    target = np.arange(genuine + foreign) < genuine
    mean = np.where(target, 0.5, -0.5) * strength**2
    return mean + strength * rng.standard_normal(len(target)), target


def cllr(llr: np.ndarray, target: np.ndarray) -> float:
    genuine, foreign = np.logaddexp(0, -llr[target]), np.logaddexp(0, llr[~target])
    return float((genuine.mean() + foreign.mean()) / (2 * np.log(2)))


def fit(raw: np.ndarray, count: np.ndarray, target: np.ndarray) -> Lines:
    return Lines.fit(Side(raw, count), target, prior=0.5, people=200, what="face")


@pytest.mark.parametrize("strength", [1.0, 2.5, 4.0])
def test_distorted_scores_are_brought_back_to_the_true_llr(strength: float) -> None:
    rng = np.random.default_rng(1)
    llr, target = gaussian_trials(rng, strength)
    lines = fit(2.5 * llr - 7, np.ones(len(llr), np.intp), target)

    fresh, fresh_target = gaussian_trials(rng, strength)
    found = lines(np.array([1]))((2.5 * fresh - 7)[:, None])[:, 0]

    assert cllr(found, fresh_target) < 1.05 * cllr(fresh, fresh_target) + 5e-4
    assert np.abs(found - fresh).mean() < 0.1 * np.abs(fresh).mean() + 0.1


def test_each_number_of_captures_has_its_own_line() -> None:
    rng = np.random.default_rng(2)
    llr, target = gaussian_trials(rng, 2.0)
    count = rng.integers(1, 4, len(llr))
    lines = fit(llr * count, count, target)  # as if more captures were counted as independent
    np.testing.assert_allclose(lines.slope, [1, 1 / 2, 1 / 3], rtol=0.12)


def test_a_number_that_nobody_could_play_takes_the_line_below() -> None:
    rng = np.random.default_rng(3)
    llr, target = gaussian_trials(rng, 2.0)
    count = rng.choice([1, 3], len(llr))
    lines = fit(llr * count, count, target)
    assert lines.slope[1] == lines.slope[0]
    np.testing.assert_array_equal(lines(np.array([0, 1, 3, 9])).slope, lines.slope[[0, 0, 2, 2]])


def test_scores_that_tell_nobody_apart_still_rise() -> None:
    rng = np.random.default_rng(4)
    target = np.arange(400) < 100
    lines = fit(rng.normal(size=400) - target, np.ones(400, np.intp), target)
    assert (lines.slope > 0).all()


def test_missing_scores_are_left_out() -> None:
    rng = np.random.default_rng(5)
    llr, target = gaussian_trials(rng, 2.0)
    holes = np.where(rng.uniform(size=len(llr)) < 0.3, np.nan, llr)
    kept = ~np.isnan(holes)
    ones = np.ones(len(llr), np.intp)
    np.testing.assert_array_equal(
        fit(holes, ones, target).slope, fit(llr[kept], ones[kept], target[kept]).slope
    )


def test_too_few_trials_are_an_error_that_counts_them() -> None:
    target = np.arange(40) < 3
    with pytest.raises(NotEnoughData, match="3 genuine and 37 foreign face trials, 8 of each"):
        fit(np.zeros(40), np.ones(40, np.intp), target)
