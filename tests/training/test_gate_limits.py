"""One limit against one report: measured or proved, missing, or more than the data can carry."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavox.config import validated
from visavox.training.gate_limits import Limit, judge_limit, lookup

LEVEL = 0.95


def said(value: Any, *, high: Any = 0.01, people: Any = 1000, count: Any = 5000) -> dict[str, Any]:
    """A report of one figure."""
    figures = {"eer": value, "eer_ci": [0.0, high], "eer_people": people, "eer_trials": count}
    return {"population": "personas", "fused": {k: v for k, v in figures.items() if v != "gone"}}


def at_most(limit: float, compare: str = "point", metric: str = "fused.eer") -> Limit:
    return validated(Limit, {"metric": metric, "at_most": limit, "compare": compare})


@pytest.mark.parametrize(
    ("value", "high", "compare", "passed"),
    [
        (0.004, 0.009, "point", True),
        (0.006, 0.009, "point", False),
        (0.005, 0.009, "point", True),  # at most means at most
        (0.004, 0.006, "upper", False),  # measured, but not proved
        (0.001, 0.004, "upper", True),
    ],
)
def test_a_figure_is_held_against_its_limit_as_measured_or_as_proved(
    value: float, high: float, compare: str, passed: bool
) -> None:
    judged = judge_limit(said(value, high=high), at_most(0.005, compare), level=LEVEL)
    assert judged.passed is passed
    assert "fused.eer is" in judged.sentence
    assert "0.5 %" in judged.sentence


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), True, "0.001", "gone"])
def test_a_figure_that_is_missing_or_no_number_fails(value: Any) -> None:
    judged = judge_limit(said(value), at_most(0.5), level=LEVEL)
    assert not judged.passed
    assert "fused.eer is missing" in judged.sentence


def test_the_reason_why_a_figure_is_missing_is_passed_on() -> None:
    made = said(None)
    made["fused"]["eer_why"] = "no mated pairs"
    assert "no mated pairs" in judge_limit(made, at_most(0.5), level=LEVEL).sentence


@pytest.mark.parametrize("high", [None, float("inf"), "gone"])
def test_proof_without_a_finite_interval_is_no_proof(high: Any) -> None:
    made = said(0.0, high=high)
    if high == "gone":
        del made["fused"]["eer_ci"]
    judged = judge_limit(made, at_most(0.005, "upper"), level=LEVEL)
    assert not judged.passed
    assert "no interval" in judged.sentence


def test_people_who_are_too_few_to_prove_it_fail_whatever_the_figure() -> None:
    judged = judge_limit(said(0.0, high=0.001, people=400), at_most(0.003, "upper"), level=LEVEL)
    assert not judged.passed
    assert "400 independent people" in judged.sentence
    assert "takes 998" in judged.sentence  # 3 / 0.003, exactly


def test_trials_that_are_too_few_to_show_it_fail_even_as_a_measurement() -> None:
    judged = judge_limit(said(0.0, count=100, people=100), at_most(0.003), level=LEVEL)
    assert not judged.passed
    assert "100 trials: even without an error they allow for 2.95 %" in judged.sentence
    assert judge_limit(said(0.0, people=100), at_most(0.003), level=LEVEL).passed


def test_a_figure_that_hides_its_trials_fails() -> None:
    assert not judge_limit(said(0.0, count="gone"), at_most(0.003), level=LEVEL).passed
    assert not judge_limit(said(0.0, people=None), at_most(0.003, "upper"), level=LEVEL).passed


@given(st.integers(1, 2000), st.floats(0.001, 0.4))
def test_no_claim_passes_as_proved_below_three_over_n(people: int, limit: float) -> None:
    perfect = said(0.0, high=0.0, people=people)
    if judge_limit(perfect, at_most(limit, "upper"), level=LEVEL).passed:
        assert 1 - 0.05 ** (1 / people) <= limit * (1 + 1e-6)


def test_costs_in_bits_have_no_rule_of_three() -> None:
    made = {"fused": {"cllr": 0.04, "cllr_ci": [0.03, 0.06]}}
    assert judge_limit(made, at_most(0.05, metric="fused.cllr"), level=LEVEL).passed
    judged = judge_limit(made, at_most(0.05, "upper", "fused.cllr"), level=LEVEL)
    assert not judged.passed
    assert "bits" in judged.sentence


def test_names_are_found_through_dots_that_belong_to_a_key() -> None:
    made = {"fused": {"fnir_at_fpir_0.3pct": 0.1, "a": {"b.c": 2}}, "x.y": {"z": 3}}
    assert lookup(made, "fused.fnir_at_fpir_0.3pct") == 0.1
    assert lookup(made, "fused.a.b.c") == 2
    assert lookup(made, "x.y.z") == 3
    assert lookup(made, "fused.none") is None
    assert lookup(made, "") is None
