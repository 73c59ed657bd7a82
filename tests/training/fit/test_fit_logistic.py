"""One-against-cohort regressions, side by side, against scikit-learn one by one."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from visavox.training.fit_logistic import one_against_cohort


def test_side_by_side_they_are_what_each_is_alone() -> None:
    rng = np.random.default_rng(0)
    negatives = rng.normal(size=(80, 5))
    groups = [rng.normal(size=(n, 5)) + rng.normal(size=5) * 2 for n in (1, 3, 5, 5)]
    weights = one_against_cohort(groups, negatives, 0.05)
    for m, group in enumerate(groups):
        x = np.vstack([group, negatives])
        y = np.arange(len(x)) < len(group)
        # scikit-learn sums losses and halves the norm: C = 1 / (penalty · weight of the sum).
        sample_weight = np.where(y, 0.5 / len(group), 0.5 / len(negatives))
        reference = LogisticRegression(C=1 / 0.05, tol=1e-10, max_iter=10_000)
        reference.fit(x, y, sample_weight=sample_weight)
        np.testing.assert_allclose(weights[:-1, m], reference.coef_[0], atol=2e-3)
        np.testing.assert_allclose(weights[-1, m], reference.intercept_[0], atol=5e-3)


def test_captures_far_from_everybody_do_not_break_it() -> None:
    negatives = np.random.default_rng(1).normal(size=(50, 3))
    weights = one_against_cohort([np.full((2, 3), 1e3)], negatives, 1e-4)
    assert np.isfinite(weights).all()
