"""Is a retraining due, and why? Causes, in words that whoever reads the log understands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from visavox.config import settings
from visavox.monitoring import drift
from visavox.monitoring.accuracy import Rate
from visavox.monitoring.report import Report

Days = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


@settings
class WatchSettings:
    """configs/monitoring/watch.yaml."""

    days: Days = 7
    """The window that is looked at."""
    before: Days = 28
    """The time before it that members' shares and answers are compared with."""
    most: Count = 2000
    """Decisions of a window, the latest; each one's probe is opened."""
    false_alarms: Share = drift.FALSE_ALARMS
    """Of looks at a fridge where nothing has changed, how many may find drift."""
    material: Share = drift.MATERIAL
    """The KS distance from which on it matters."""
    age: Days = 90
    """Of the data that a model has learned from."""
    new_captures: Count = 5
    """Captures that no model of the fridge has learned from, and nobody has asked to."""
    missed: Share = 0.1
    """Share of labelled visits of members that may end without a grant of their own."""
    let_in: Share = 0.02
    """Share of labelled visits of strangers that may end with a grant."""
    again: Days = 7
    """A cause that a retraining was asked for is none again until then."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What the live bundle was made from; None where nobody knows."""

    captures: frozenset[str] | None
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason to retrain. The same `key` is the same cause, whatever its figures are by now."""

    key: str
    words: str


def causes(
    report: Report,
    learned: Learned | None,
    captures: Collection[str],
    *,
    at: datetime,
    rules: WatchSettings,
) -> tuple[Cause, ...]:
    """All that speak for a retraining now; `learned` is None where the fridge has no model."""
    if learned is None:
        if not captures:
            return ()
        words = f"{len(captures)} captures are enrolled, and no model has ever learned from them"
        return (Cause("untrained", words),)
    found = [Cause(f"drift:{s.feature}", _drifted(s)) for s in report.shifts
             if s.feature in report.drifted]  # fmt: skip
    found += _unlearned(learned, captures, rules)
    if learned.as_of is not None and at - learned.as_of > timedelta(days=rules.age):
        days = (at - learned.as_of).days
        found.append(
            Cause("age", f"the model's data are {days} days old, of {rules.age:g} that they may be")
        )
    rates = (
        ("missed", report.accuracy.missed, rules.missed, "members who were not let in"),
        ("let_in", report.accuracy.let_in, rules.let_in, "strangers who were let in"),
    )
    found += [
        Cause(f"errors:{key}", _wrong(rate, limit, what))
        for key, rate, limit, what in rates
        if rate.low > limit
    ]
    return tuple(found)


def fresh(found: Sequence[Cause], asked: Collection[str]) -> tuple[Cause, ...]:
    """Those for which nobody has asked for a retraining lately."""
    return tuple(cause for cause in found if cause.key not in asked)


def why(found: Sequence[Cause]) -> str:
    """All of it in one sentence."""
    return "; ".join(cause.words for cause in found)


def _drifted(shift: drift.Shift) -> str:
    return (
        f"{shift.feature} has drifted (KS {shift.ks:.2f}, chance reaches {shift.ks_chance:.2f};"
        f" PSI {shift.psi:.2f}, chance {shift.psi_chance:.2f}; p {shift.p:.1g};"
        f" {shift.visits} visits of {shift.people} people)"
    )


def _unlearned(learned: Learned, captures: Collection[str], rules: WatchSettings) -> list[Cause]:
    if learned.captures is None:
        return []
    new = set(captures) - learned.captures
    if len(new) < rules.new_captures:
        return []
    return [Cause("new_captures", f"{len(new)} captures are new since the model was trained")]


def _wrong(rate: Rate, limit: float, what: str) -> str:
    return (
        f"{rate.errors} of {rate.trials} labelled: {what}; the true share is at least"
        f" {rate.low:.1%} (99 %), and {limit:.1%} is allowed"
    )
