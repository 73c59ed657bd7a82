"""Pure: no Locust is started here."""

from typing import Any

import pytest

from tests.load.limits import Limits, missed

HELD = Limits(max_p95_ms=100, max_p99_ms=200, min_rps=5)


def figures(**changes: Any) -> dict[str, Any]:
    kind = {"requests": 100, "failures": 0, "rps": 10.0, "p50_ms": 40, "p95_ms": 90, "p99_ms": 150}
    return {
        "requests": 100,
        "failures": 0,
        "decisions_rps": 10.0,
        "kinds": {"authenticate: member": kind | changes.pop("kind", {}), "enrol": kind},
        "faults": [],
        **changes,
    }


def test_a_run_within_its_limits_misses_nothing() -> None:
    assert missed(figures(), HELD) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": {"p95_ms": 101}}, "authenticate: member: p95 is 101 ms, not 100 ms"),
        ({"kind": {"p99_ms": 201}}, "authenticate: member: p99 is 201 ms, not 200 ms"),
        ({"kind": {"requests": 0}}, "authenticate: member: 0 decisions, not 1 or more"),
        ({"decisions_rps": 4.0}, "4.0 decisions a second, not 5"),
        ({"kinds": {}}, "no decision was asked for"),
    ],
)
def test_each_limit_that_is_missed_is_named(changes: dict[str, Any], said: str) -> None:
    assert missed(figures(**changes), HELD) == [said]


def test_one_failure_in_a_hundred_is_one_too_many_and_says_what_it_was() -> None:
    fault = {"name": "enrol", "fault": "status 500", "times": 1}
    (said,) = missed(figures(failures=1, faults=[fault]), HELD)
    assert "1.00% of the requests failed" in said
    assert "1 × enrol: status 500" in said


def test_slow_enrolments_are_not_held_against_the_kiosks() -> None:
    slow = figures()
    slow["kinds"]["enrol"] = slow["kinds"]["enrol"] | {"p99_ms": 5_000}
    assert missed(slow, HELD) == []
