"""Error rates and their exact intervals, against the ones that scipy computes."""

import numpy as np
import pytest

from visavox.errors import DataError
from visavox.rates import Mean, Rate, clopper_pearson
from visavox.training import intervals


@pytest.mark.parametrize(
    ("errors", "trials"), [(0, 1), (1, 1), (0, 100), (3, 100), (50, 100), (99, 100), (7, 4000)]
)
def test_the_interval_is_clopper_and_pearsons(errors: int, trials: int) -> None:
    wanted = intervals.clopper_pearson(errors, trials)
    assert clopper_pearson(errors, trials) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_a_rate_of_nothing_is_not_zero() -> None:
    assert Rate.of(0, 0) == Rate(0, 0, None, 0.0, 1.0)
    assert Rate.of(0, 60).high == pytest.approx(0.06, abs=0.003)


def test_more_errors_than_trials_cannot_be() -> None:
    with pytest.raises(DataError, match="3 errors in 2 trials"):
        clopper_pearson(3, 2)


def test_the_interval_of_a_mean_covers_it_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        found = Mean.of(rng.normal(2.0, 3.0, size=50))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 2.0 <= found.high
    assert 0.91 <= covered / 400 <= 0.98
    assert Mean.of(np.array([])) == Mean(0, None, None, None)
    assert Mean.of(np.array([1.5])) == Mean(1, 1.5, None, None)
