"""Adaptive score normalisation against a slow reading of its definition."""

import numpy as np
import pytest

from visavox.discriminator.prototype import PrototypeScorer, top_statistics, unit
from visavox.errors import BundleError


def test_both_sides_normalise_by_their_closest_cohort_scores() -> None:
    rng = np.random.default_rng(0)
    centre, templates = rng.normal(size=5) * 0.1, unit(rng.normal(size=(3, 5)))
    cohort, probes = unit(rng.normal(size=(9, 5))), unit(rng.normal(size=(4, 5)))
    mean, spread = rng.normal(size=3), rng.uniform(0.1, 1, 3)
    scorer = PrototypeScorer(centre, templates.T, mean, spread, cohort.T, 4)

    raw = scorer.raw(probes.astype(np.float32))

    for i, probe in enumerate(probes):
        x = (probe - centre) / np.linalg.norm(probe - centre)
        closest = sorted((float(x @ c) for c in cohort), reverse=True)[:4]
        for j, template in enumerate(templates):
            cosine = float(x @ template)
            of_member = (cosine - mean[j]) / spread[j]
            of_probe = (cosine - np.mean(closest)) / np.std(closest)
            assert raw[i, j] == pytest.approx((of_member + of_probe) / 2, abs=1e-5)


def test_equal_cohort_scores_do_not_divide_by_zero() -> None:
    mean, spread = top_statistics(np.full((2, 6), 0.3), 3)
    np.testing.assert_allclose(mean, 0.3)
    assert (spread > 0).all()


@pytest.mark.parametrize("top", [0.0, 16.0])
def test_more_neighbours_than_cohort_is_refused(top: float) -> None:
    rng = np.random.default_rng(0)
    scorer = PrototypeScorer(
        np.zeros(5), np.ones((5, 1)), np.zeros(1), np.ones(1), rng.normal(size=(5, 15)), 3
    )
    with pytest.raises(BundleError, match="closest of 15"):
        PrototypeScorer.of_tensors(scorer.tensors() | {"top": np.array(top)})
