"""More than three refusals within five minutes at one kiosk."""

from datetime import UTC, datetime, timedelta

import pytest

from visavox.monitoring.refusals import bursts
from visavox.monitoring.visits import Seen, each, visits

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def refusal(seconds: float, kiosk: str = "door", *, failed: bool = True) -> Seen:
    at = NOON + timedelta(seconds=seconds)
    return Seen(at, kiosk, "refused", True, None, None, failed)


@pytest.mark.parametrize(
    ("at", "alarming"),
    [
        ((0, 60, 120), False),
        ((0, 60, 120, 180), True),
        ((0, 100, 200, 300), True),
        ((0, 100, 200, 300.001), False),
        ((0, 290, 580, 870, 1160), False),
    ],
)
def test_four_within_five_minutes_alarm(at: tuple[float, ...], alarming: bool) -> None:
    (burst,) = bursts(refusal(s) for s in at)
    assert burst.alarming is alarming


def test_kiosks_are_told_apart_and_the_worst_comes_first() -> None:
    some = [refusal(s, "a") for s in (0, 1)] + [refusal(s, "b") for s in range(5)]
    found = bursts(some)
    assert [(b.kiosk, b.refusals) for b in found] == [("b", 5), ("a", 2)]
    assert found[0].since == NOON


def test_a_burst_that_goes_on_is_one_and_the_next_another() -> None:
    some = [refusal(s) for s in range(0, 900, 60)] + [refusal(5000 + s) for s in range(4)]
    found = bursts(some)
    assert [(b.refusals, b.since) for b in found] == [
        (6, NOON),
        (4, NOON + timedelta(seconds=5000)),
    ]
    # Looked at half way, it had begun at the same moment.
    assert bursts(some[:5])[0].since == NOON


def test_a_poor_capture_is_no_refusal() -> None:
    assert bursts(refusal(s, failed=False) for s in range(9)) == ()


def test_tries_within_an_hour_are_one_visit() -> None:
    def came(minutes: float, who: str | None) -> Seen:
        at = NOON + timedelta(minutes=minutes)
        return Seen(at, "door", "granted", True, who, who, False, {}, {"x": minutes})

    some = [came(0, "ada"), came(50, "ada"), came(100, "ada"), came(161, "ada"), came(5, None)]
    found = visits(some)
    # Whoever stays around for longer than an hour has still come once.
    assert each(found, lambda s: s.features.get("x")) == {"ada": [0, 161]}
