"""Drift is found where there is some, and chance is not taken for it more often than is stated."""

import numpy as np
import pytest

from visavox.monitoring import drift
from visavox.monitoring.drift import Binned, Verdict

LEVEL, TESTS = 0.001, 28


def people(rng: np.random.Generator, n: int, visits: int, shift: float = 0.0) -> tuple[
    dict[str, float], dict[str, list[float]]
]:  # fmt: skip
    """Each has a value of their own, five times as different as their visits are."""
    own = 5 * rng.standard_normal(n)
    first = {f"m{i}": float(own[i] + rng.standard_normal()) for i in range(n)}
    later = {
        f"m{i}": [float(own[i] + shift + rng.standard_normal()) for _ in range(visits)]
        for i in range(n)
    }
    return first, later


@pytest.mark.parametrize(("n", "visits"), [(8, 2), (20, 1), (20, 5)])
def test_steady_windows_raise_no_more_alarms_than_stated(n: int, visits: int) -> None:
    rng = np.random.default_rng(n + visits)
    found = [
        drift.against_people("x", *people(rng, n, visits), level=0.05, tests=2, material=0.0)
        for _ in range(200)
    ]
    # Of 200 at 5 %, 19 and fewer with probability 99.3 %.
    assert sum(s.verdict is Verdict.DRIFTED for s in found) <= 19


def test_the_customary_limit_of_the_psi_takes_chance_for_drift() -> None:
    """Why there is none: at twenty people most steady windows exceed 0.2."""
    rng = np.random.default_rng(1)
    found = [drift.against_people("x", *people(rng, 20, 1), level=0.05, tests=2) for _ in range(50)]
    assert sum(s.psi > 0.2 for s in found) > 40
    assert all(s.psi_chance > 0.2 for s in found)


def test_a_shift_that_drowns_among_people_is_found_person_by_person() -> None:
    """It is two fifths of what people differ by, and moves everybody."""
    first, later = people(np.random.default_rng(2), 20, 3, shift=3.0)
    found = drift.against_people("x", first, later, level=LEVEL, tests=TESTS)
    assert found.verdict is Verdict.DRIFTED
    assert found.p <= 0.001
    assert found.ks > found.ks_chance
    assert found.psi > found.psi_chance
    assert (found.people, found.visits) == (20, 60)


def test_who_comes_often_counts_no_more_than_the_others() -> None:
    first, later = people(np.random.default_rng(3), 20, 2)
    later["m0"] = [later["m0"][0] + 40.0] * 300
    assert (
        drift.against_people("x", first, later, level=LEVEL, tests=TESTS).verdict is Verdict.STEADY
    )


def test_in_too_few_nothing_is_claimed() -> None:
    first, later = people(np.random.default_rng(4), 5, 2, shift=50.0)
    assert (
        drift.against_people("x", first, later, level=LEVEL, tests=TESTS).verdict is Verdict.TOO_FEW
    )
    assert drift.against_people("x", {}, {}, level=LEVEL, tests=TESTS).verdict is Verdict.TOO_FEW


def test_a_certain_but_small_shift_is_called_slight() -> None:
    first, later = people(np.random.default_rng(5), 60, 5, shift=0.9)
    found = drift.against_people("x", first, later, level=LEVEL, tests=TESTS, material=0.9)
    assert found.verdict is Verdict.SLIGHT


def test_the_same_window_is_judged_the_same_twice() -> None:
    first, later = people(np.random.default_rng(6), 20, 3, shift=1.0)
    one, other = (
        drift.against_people("x", first, later, level=LEVEL, tests=TESTS) for _ in range(2)
    )
    assert one == other


def test_answers_that_turn_are_found() -> None:
    before = {f"m{i}": "granted" for i in range(20)}
    now = {m: ["granted", "retry", "retry"] for m in before}
    steady = {m: ["granted"] * 3 for m in before}
    assert (
        drift.against_categories("o", before, now, level=LEVEL, tests=TESTS).verdict
        is Verdict.DRIFTED
    )
    assert (
        drift.against_categories("o", before, steady, level=LEVEL, tests=TESTS).verdict
        is Verdict.STEADY
    )


def test_scores_are_compared_with_the_bundles_own_distribution() -> None:
    rng = np.random.default_rng(7)
    edges = tuple(float(e) for e in drift.quantiles(rng.standard_normal(2000) + 8))
    known = Binned(edges, (10,) * (len(edges) + 1))
    same = {f"m{i}": [float(rng.standard_normal() + 8)] for i in range(40)}
    low = {m: [v[0] - 4] for m, v in same.items()}
    assert (
        drift.against_reference("s", known, same, level=LEVEL, tests=TESTS).verdict
        is Verdict.STEADY
    )
    found = drift.against_reference("s", known, low, level=LEVEL, tests=TESTS)
    assert found.verdict is Verdict.DRIFTED
    assert found.to_json()["verdict"] == "drifted"


@pytest.mark.parametrize("n", [20, 60])
def test_chance_against_a_distribution_stays_below_its_level(n: int) -> None:
    rng = np.random.default_rng(n)
    alarms = 0
    for _ in range(200):
        drawn = rng.standard_normal(30)
        edges = drift.quantiles(drawn)
        counts = np.bincount(np.searchsorted(edges, drawn, side="right"), minlength=len(edges) + 1)
        known = Binned(tuple(map(float, edges)), tuple(map(int, counts)))
        now = {f"m{i}": [float(v)] for i, v in enumerate(rng.standard_normal(n))}
        found = drift.against_reference("s", known, now, level=0.05, tests=2, material=0.0)
        alarms += found.verdict is Verdict.DRIFTED
    assert alarms <= 19
