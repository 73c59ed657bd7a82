"""Why a retraining is due, and when it is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from visavox.monitoring import shares
from visavox.monitoring.accuracy import Accuracy, Rate
from visavox.monitoring.drift import Shift, Verdict
from visavox.monitoring.report import Report
from visavox.training.production.due import Cause, Learned, WatchSettings, causes, fresh, why

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NONE = Rate(0, 0)
CALM = Report("b" * 64, 40, (), shares.judged({}, {}, 0), (), Accuracy(NONE, NONE, NONE))
CAPTURES = [f"cap_{i}" for i in range(20)]
LEARNED = Learned(frozenset(CAPTURES), NOW - timedelta(days=10))
RULES = WatchSettings()


def keys(report: Report, learned: Learned | None, captures: list[str] = CAPTURES) -> list[str]:
    return [c.key for c in causes(report, learned, captures, at=NOW, rules=RULES)]


def shift(feature: str, verdict: Verdict) -> Shift:
    return Shift(feature, verdict, 2.5, 0.9, 1.2, 0.5, 0.0006, 14, 28)


def test_a_calm_fridge_needs_nothing() -> None:
    assert keys(CALM, LEARNED) == []
    assert why(()) == ""


def test_only_what_has_drifted_is_a_cause() -> None:
    shifts = tuple(shift(v.value, v) for v in Verdict)
    assert keys(replace(CALM, shifts=shifts), LEARNED) == ["drift:drifted"]


def test_the_words_have_the_figures() -> None:
    report = replace(CALM, shifts=(shift("face.brightness", Verdict.DRIFTED),))
    said = why(causes(report, LEARNED, CAPTURES, at=NOW, rules=RULES))
    assert said == (
        "face.brightness has drifted (KS 0.90, chance reaches 0.50; PSI 2.50, chance 1.20;"
        " p 0.0006; 28 visits of 14 people)"
    )


def test_new_captures_are_a_cause_from_the_fifth_on() -> None:
    for new, due in ((4, []), (5, ["new_captures"])):
        assert keys(CALM, LEARNED, CAPTURES + [f"new_{i}" for i in range(new)]) == due
    # What was erased since is nothing new, and of an older bundle nobody knows.
    assert keys(CALM, LEARNED, CAPTURES[:3]) == []
    assert keys(CALM, Learned(None, None), CAPTURES) == []


def test_age_is_a_cause_after_ninety_days() -> None:
    for days, due in ((90, []), (91, ["age"])):
        assert keys(CALM, replace(LEARNED, as_of=NOW - timedelta(days=days))) == due


def test_a_fridge_without_a_model_is_a_cause_once_anybody_is_enrolled() -> None:
    assert keys(CALM, None) == ["untrained"]
    assert keys(CALM, None, []) == []


def test_errors_are_a_cause_only_where_the_labels_prove_them() -> None:
    few = Accuracy(Rate(1, 3), Rate(0, 3), NONE)
    many = Accuracy(Rate(30, 100), Rate(10, 100), NONE)
    assert keys(replace(CALM, accuracy=few), LEARNED) == []
    assert keys(replace(CALM, accuracy=many), LEARNED) == ["errors:missed", "errors:let_in"]


def test_a_cause_that_was_asked_for_is_not_fresh() -> None:
    some = (Cause("age", "old"), Cause("drift:x", "moved"))
    assert fresh(some, {"age"}) == some[1:]
