"""Few trials stand for many."""

import numpy as np
from numpy.typing import NDArray

from visavox.table import Mask
from visavox.training.fit_logit import logit_weights
from visavox.training.fit_sample import sample

Floats = NDArray[np.float64]


def trials(foreign: int, *, seed: int = 0) -> tuple[Floats, Mask]:
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(3, 2, 500), rng.normal(-3, 2, foreign)])
    return scores, np.arange(len(scores)) < 500


def test_few_trials_are_all_taken() -> None:
    scores, target = trials(100)
    made = sample(scores, target, limit=100)
    assert made.rows.tolist() == list(range(600))
    assert made.share.tolist() == [1.0] * 600


def test_all_genuine_trials_are_taken_and_the_foreign_ones_that_look_most_genuine() -> None:
    scores, target = trials(10_000)
    made = sample(scores, target, limit=400)
    assert np.sum(target[made.rows]) == 500
    assert np.sum(~target[made.rows]) == 400
    hardest = np.flatnonzero(~target)[np.argsort(scores[~target])[-200:]]
    assert set(hardest) <= set(made.rows)


def test_the_sample_stands_for_every_trial() -> None:
    scores, target = trials(10_000)
    made = sample(scores, target, limit=400)
    foreign = ~target[made.rows]
    assert made.share[~foreign].tolist() == [1.0] * 500
    assert np.isclose(made.share[foreign].sum(), 10_000)


def test_the_same_trials_give_the_same_sample() -> None:
    scores, target = trials(10_000)
    one, two = (sample(scores, target, limit=400) for _ in range(2))
    assert np.array_equal(one.rows, two.rows)


def test_a_fit_on_the_sample_is_the_fit_on_all() -> None:
    scores, target = trials(200_000)
    made = sample(scores, target, limit=20_000)

    def fit(rows: NDArray[np.intp], share: Floats | None) -> Floats:
        return logit_weights(
            np.column_stack([scores[rows], np.ones(len(rows))]),
            target[rows],
            prior=0.5,
            centre=np.array([1.0, 0.0]),
            spread=np.ones(2),
            people=500,
            share=share,
        )

    whole = fit(np.arange(len(scores), dtype=np.intp), None)
    assert np.allclose(fit(made.rows, made.share), whole, atol=0.03)
    # Without saying for how many they stand, the same rows give another line.
    assert not np.allclose(fit(made.rows, None), whole, atol=0.03)
