"""A member's share of the grants: what is a jump, and what is chance."""

import numpy as np
import pytest

from visavox.monitoring import shares


def test_a_share_that_jumps_names_whose_it_is() -> None:
    before = {f"m{i}": 10 for i in range(10)}
    now = {**{f"m{i}": 2 for i in range(10)}, "m3": 25}
    found = shares.judged(before, now, 10)
    assert found.jumped == "m3"
    assert found.rise == pytest.approx(25 / 43 - 0.1)
    assert found.p < 1e-6
    assert found.largest == pytest.approx(25 / 43)


def test_who_comes_as_often_as_ever_raises_no_alarm_more_often_than_stated() -> None:
    rng = np.random.default_rng(1)
    habits = rng.dirichlet(np.ones(8))
    alarms = 0
    for _ in range(2000):
        before, now = rng.multinomial(60, habits), rng.multinomial(15, habits)
        was, came = ({f"m{i}": int(c) for i, c in enumerate(cs) if c} for cs in (before, now))
        alarms += shares.judged(was, came, 8).jumped is not None
    assert alarms <= 8  # of 2,000 at 0.001: more with probability 0.02 %


def test_a_certain_rise_that_is_small_is_no_jump() -> None:
    before = {"a": 5000, "b": 5000}
    now = {"a": 5600, "b": 4400}
    assert shares.judged(before, now, 2).jumped is None


def test_without_a_before_nothing_can_have_jumped() -> None:
    assert shares.judged({}, {"a": 50}, 3).jumped is None
    assert shares.judged({"a": 3}, {}, 3).largest == 0.0


def test_the_tail_is_fishers() -> None:
    # Of 8 visits, 4 in the window, 4 of hers: all hers in the window by chance 1 in C(8, 4).
    assert shares.at_least(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert shares.at_least(0, 4, 4, 4) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("counts", "said"), [([1, 1, 1], 0.0), ([0, 0, 9], 2 / 3), ([], 0.0), ([0, 0], 0.0)]
)
def test_the_gini_runs_from_alike_to_one_alone(counts: list[int], said: float) -> None:
    assert shares.gini(counts) == pytest.approx(said)
