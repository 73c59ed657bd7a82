"""Newton's logistic regression against a general optimiser, and where it must not run away."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from visavox.training.fit_logit import logit_weights, newton, sigmoid


@given(seed=st.integers(0, 1000), prior=st.floats(0.01, 0.9))
@settings(max_examples=15, deadline=None)
def test_it_finds_what_a_general_optimiser_finds(seed: int, prior: float) -> None:
    rng = np.random.default_rng(seed)
    target = np.arange(200) < 40
    features = np.column_stack([rng.normal(size=200) + target, np.ones(200)])
    centre, spread = np.array([1.0, 0.0]), np.array([0.7, 1.3])

    def cost(theta: np.ndarray) -> float:
        score = features @ theta + math.log(prior / (1 - prior))
        genuine = np.logaddexp(0, -score[target]).mean()
        foreign = np.logaddexp(0, score[~target]).mean()
        ridge = (((theta - centre) / spread) ** 2).sum() / (2 * 30)
        return float(prior * genuine + (1 - prior) * foreign + ridge)

    theta = logit_weights(features, target, prior=prior, centre=centre, spread=spread, people=30)

    expected = minimize(cost, centre, method="BFGS", options={"gtol": 1e-8})
    assert cost(theta) <= expected.fun + 1e-9
    np.testing.assert_allclose(theta, expected.x, atol=1e-4)


def test_trials_that_are_all_told_apart_have_finite_weights() -> None:
    target = np.arange(40) < 20
    features = np.where(target, 5.0, -5.0)[:, None]
    few, many = (
        logit_weights(
            features, target, prior=0.5, centre=np.ones(1), spread=np.ones(1), people=people
        )[0]
        for people in (10, 1000)
    )
    assert 1 < few < many < 3  # the more people, the less the prior holds it back


def test_a_step_that_overshoots_is_halved() -> None:
    """Newton's own step diverges on this function from 2."""
    found = newton(
        lambda x: float(np.log(np.cosh(x)).sum()),
        lambda x: (np.tanh(x), np.diag(1 / np.cosh(x) ** 2)),
        np.array([2.0]),
    )
    assert found[0] == pytest.approx(0, abs=1e-5)


def test_the_sigmoid_does_not_overflow() -> None:
    np.testing.assert_allclose(sigmoid(np.array([-1e4, 0.0, 1e4])), [0, 0.5, 1])
