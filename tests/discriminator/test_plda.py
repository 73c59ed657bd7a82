"""PLDA's closed form against the densities it stands for."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from visavox.discriminator.plda import PldaScorer, Projection

D = 4
PLAIN = Projection(np.zeros(D), np.eye(D), np.zeros(D), np.eye(D))


def by_densities(enrolled: np.ndarray, probe: np.ndarray, between: np.ndarray) -> float:
    """log p(enrolled, probe | one person) - log p(enrolled | one) - log p(probe | another)."""
    n = len(enrolled)

    def joint(x: np.ndarray) -> float:
        cov = np.kron(np.ones((len(x), len(x))), np.diag(between)) + np.eye(len(x) * D)
        return float(multivariate_normal(np.zeros(len(x) * D), cov).logpdf(x.ravel()))

    assert enrolled.shape == (n, D)
    return joint(np.vstack([enrolled, probe])) - joint(enrolled) - joint(probe[None])


@given(seed=st.integers(0, 10_000), captures=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_it_is_the_ratio_of_the_joint_densities(seed: int, captures: int) -> None:
    rng = np.random.default_rng(seed)
    between = rng.uniform(0.2, 5, D)
    enrolled = rng.normal(size=(captures, D)) * 2
    probe = rng.normal(size=(1, D)).astype(np.float32)
    seen = PLAIN(probe)  # length-normalised, as the scorer will see it
    scorer = PldaScorer.enrol(
        PLAIN, between, enrolled.mean(axis=0)[None], np.array([float(captures)])
    )

    expected = by_densities(enrolled, seen[0], between)

    np.testing.assert_allclose(scorer.raw(probe)[0, 0], expected, atol=1e-9)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_another_member_never_moves_the_scores_of_the_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    between, means = rng.uniform(0.2, 5, D), rng.normal(size=(5, D))
    counts = rng.integers(1, 6, 5).astype(np.float64)
    probes = rng.normal(size=(7, D)).astype(np.float32)

    all_five = PldaScorer.enrol(PLAIN, between, means, counts).raw(probes)
    first_four = PldaScorer.enrol(PLAIN, between, means[:4], counts[:4]).raw(probes)

    np.testing.assert_allclose(all_five[:, :4], first_four, atol=1e-12)


def test_a_member_without_captures_is_no_more_likely_than_a_stranger() -> None:
    scorer = PldaScorer.enrol(PLAIN, np.ones(D), np.full((1, D), np.nan), np.zeros(1))
    np.testing.assert_allclose(scorer.raw(np.eye(D, dtype=np.float32)), 0.0, atol=1e-12)


def test_a_closer_look_at_the_same_mean_is_more_certain() -> None:
    mean = np.array([[1.5, -1.0, 0.5, 0.2]])
    probe = (mean / np.linalg.norm(mean)).astype(np.float32)
    scores = [
        PldaScorer.enrol(PLAIN, np.ones(D), mean, np.array([n])).raw(probe)[0, 0]
        for n in (1.0, 2.0, 5.0)
    ]
    assert scores == sorted(scores)


def test_a_vector_of_zeros_is_scored_without_a_warning() -> None:
    scorer = PldaScorer.enrol(PLAIN, np.ones(D), np.ones((2, D)), np.ones(2))
    assert np.isfinite(scorer.raw(np.zeros((1, D), np.float32))).all()
