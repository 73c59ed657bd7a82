"""Tests by betting: they err no more often than stated, though somebody looks after every request."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from visavox.service.sequential import (
    Tally,
    harmful,
    log_harmful,
    log_no_worse,
    needed,
    no_worse,
)

REPEATS, REQUESTS = 1000, 600
ALPHA = 0.05

Counts = NDArray[np.float64]


def walks(better: float, worse: float, seed: int = 0) -> tuple[Counts, Counts, Counts]:
    """Many experiments: how often the challenger was better, equal, worse after each request."""
    drawn = np.random.default_rng(seed).random((REPEATS, REQUESTS))
    is_better, is_worse = drawn < better, drawn >= 1 - worse
    counts = (is_better, ~is_better & ~is_worse, is_worse)
    one, two, three = (np.cumsum(c, axis=1, dtype=np.float64) for c in counts)
    return one, two, three


def ever(log_evidence: Counts, alpha: float) -> float:
    """How often the test says yes to somebody who looks after every single request."""
    return float((log_evidence >= -math.log(alpha)).any(axis=1).mean())


@pytest.mark.parametrize("margin", [0.02, 0.05])
@pytest.mark.parametrize("better", [0.0, 0.01, 0.1])
def test_a_challenger_worse_by_the_margin_is_hardly_ever_proven_however_often_one_looks(
    better: float, margin: float
) -> None:
    proven = ever(log_no_worse(*walks(better, better + margin), margin), ALPHA)
    # Three standard errors of the simulation above what is promised would be a broken promise.
    assert proven <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / REPEATS)
    assert proven > 0.005  # the test is not idle


@pytest.mark.parametrize("both", [0.02, 0.1])
def test_a_challenger_as_good_is_hardly_ever_called_harmful(both: float) -> None:
    better, _, worse = walks(both, both)
    harm = ever(log_harmful(better, worse), ALPHA)
    assert 0.005 < harm <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / REPEATS)


def test_a_fixed_test_that_is_looked_at_again_and_again_would_break_the_promise() -> None:
    """Why it takes a test by betting: the usual interval errs far more often than it says."""
    margin = 0.05
    better, equal, worse = walks(0.05, 0.05 + margin)
    count = better + equal + worse
    mean = (worse - better) / count
    spread = np.sqrt(np.maximum((worse + better) / count - mean**2, 1e-12) / count)
    naive = (mean + 1.645 * spread < margin) & (count >= 30)
    assert naive.any(axis=1).mean() > 2 * ALPHA


@pytest.mark.parametrize(
    ("better", "worse", "margin", "power"),
    [(0.0, 0.002, 0.02, 0.9), (0.005, 0.005, 0.02, 0.8), (0.02, 0.02, 0.05, 0.95)],
)
def test_a_challenger_as_good_is_proven_in_six_hundred_requests(
    better: float, worse: float, margin: float, power: float
) -> None:
    assert ever(log_no_worse(*walks(better, worse), margin), ALPHA) >= power


def test_a_challenger_that_errs_ten_times_as_often_is_found_out() -> None:
    better, _, worse = walks(0.01, 0.10)
    assert ever(log_harmful(better, worse), ALPHA / 2) >= 0.95


@pytest.mark.parametrize(("margin", "requests"), [(0.01, 344), (0.02, 171), (0.05, 68)])
def test_without_disagreements_it_takes_little_more_than_the_rule_of_three(
    margin: float, requests: int
) -> None:
    assert needed(margin, ALPHA) == requests
    assert no_worse(Tally(0, requests, 0), margin) >= 1 / ALPHA
    assert no_worse(Tally(0, requests - 1, 0), margin) < 1 / ALPHA
    assert requests < 1.2 * math.log(ALPHA) / math.log(1 - margin)


def test_nothing_seen_is_no_evidence() -> None:
    assert no_worse(Tally(0, 0, 0), 0.02) == pytest.approx(1.0)
    assert harmful(Tally(0, 500, 0)) == pytest.approx(1.0)


def test_evidence_is_expected_to_stay_what_it_is_under_the_null() -> None:
    """What the promise rests on: no bet is favourable where the challenger is worse by the margin."""
    margin, before = 0.02, Tally(2, 50, 3)
    chances = {Tally(3, 50, 3): 0.01, Tally(2, 51, 3): 0.96, Tally(2, 50, 4): 0.03}
    after = sum(p * no_worse(tally, margin) for tally, p in chances.items())
    assert after == pytest.approx(no_worse(before, margin))
    fair = {Tally(3, 50, 3): 0.1, Tally(2, 51, 3): 0.8, Tally(2, 50, 4): 0.1}
    assert sum(p * harmful(tally) for tally, p in fair.items()) == pytest.approx(harmful(before))
