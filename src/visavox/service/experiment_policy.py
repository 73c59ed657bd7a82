"""What follows from a comparison: the challenger is promoted, rejected, or tried for longer. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from visavox.config import settings
from visavox.service.comparison import Comparison
from visavox.service.sequential import harmful, needed, no_worse

Chance = Annotated[float, Field(gt=0, le=0.5)]
Margin = Annotated[float, Field(gt=0, le=0.5)]


@settings
class ExperimentPolicy:
    """What a challenger must show. The rates hold however often, and whenever, somebody looks."""

    alpha: Chance = 0.05
    """Highest chance that a challenger is ever promoted that is worse by a margin or more."""
    beta: Chance = 0.05
    """Highest chance that one is ever rejected as harmful that is no worse at all."""
    wrong_openings: Margin = 0.02
    """So many wrong openings more per request are too many."""
    turned_away: Margin = 0.05
    """So many members turned away more per request are too many."""
    trials: Annotated[int, Field(ge=1)] = 50
    """Requests before any promotion."""
    days: Annotated[float, Field(gt=0)] = 14.0
    """One that is not proven by then is rejected: the champion stays."""
    errors: Annotated[int, Field(ge=1)] = 3
    """Requests in which it failed that reject it at once."""


class Outcome(StrEnum):
    PROMOTE = "promote"
    EXTEND = "extend"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Wealth won by betting against a claim: 1 to begin with, and `asked` disproves it."""

    value: float
    asked: float

    @property
    def enough(self) -> bool:
        return self.value >= self.asked


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict, in words, and what it rests on."""

    verdict: Outcome
    reasons: tuple[str, ...]
    safe: Evidence
    """That it does not open wrongly more often, by the margin."""
    welcoming: Evidence
    """That it does not turn members away more often, by the margin."""
    unsafe: Evidence
    """That it does open wrongly more often."""
    unwelcoming: Evidence
    """That it does turn members away more often."""


def rule(policy: ExperimentPolicy, found: Comparison, age: timedelta) -> Ruling:
    """The verdict at any moment, `age` after the comparison began."""
    proof, harm = 1 / policy.alpha, 2 / policy.beta  # of two ways to be harmful, each half
    openings, turnings = found.wrong_openings, found.turned_away
    safe = Evidence(no_worse(openings.at_most, policy.wrong_openings), proof)
    welcoming = Evidence(no_worse(turnings.at_most, policy.turned_away), proof)
    unsafe = Evidence(harmful(openings.at_least), harm)
    unwelcoming = Evidence(harmful(turnings.at_least), harm)
    against = _against(policy, found, unsafe, unwelcoming)
    lacking = _lacking(policy, found, safe, welcoming)
    if against:
        verdict, reasons = Outcome.REJECT, against
    elif not lacking:
        verdict, reasons = Outcome.PROMOTE, (_proven(policy, found),)
    elif age >= timedelta(days=policy.days):
        verdict = Outcome.REJECT
        reasons = (f"It is not proven after {policy.days:g} days: the champion stays.", *lacking)
    else:
        verdict, reasons = Outcome.EXTEND, lacking
    return Ruling(verdict, reasons, safe, welcoming, unsafe, unwelcoming)


def _against(
    policy: ExperimentPolicy, found: Comparison, unsafe: Evidence, unwelcoming: Evidence
) -> tuple[str, ...]:
    said = []
    if found.errors >= policy.errors:
        said.append(f"It failed in {found.errors} of {found.trials} requests.")
    if unsafe.enough:
        said.append(f"It opens wrongly more often than the champion: {_odds(unsafe)}.")
    if unwelcoming.enough:
        said.append(f"It turns members away more often than the champion: {_odds(unwelcoming)}.")
    return tuple(said)


def _lacking(
    policy: ExperimentPolicy, found: Comparison, safe: Evidence, welcoming: Evidence
) -> tuple[str, ...]:
    said = []
    if found.trials < policy.trials:
        said.append(f"{found.trials} requests were compared; at least {policy.trials} are asked.")
    for evidence, margin, what in (
        (safe, policy.wrong_openings, "opens wrongly"),
        (welcoming, policy.turned_away, "turns members away"),
    ):
        if not evidence.enough:
            said.append(
                f"That it {what} in no {margin:.1%} of requests more than the champion is not"
                f" proven: {_odds(evidence)}; {needed(margin, policy.alpha)} requests without a"
                " disagreement would."
            )
    return tuple(said)


def _proven(policy: ExperimentPolicy, found: Comparison) -> str:
    return (
        f"In {found.trials} requests it is proven to open wrongly in fewer than"
        f" {policy.wrong_openings:.1%} of requests more than the champion, and to turn members away"
        f" in fewer than {policy.turned_away:.1%} more, with an error rate of at most"
        f" {policy.alpha:g}."
    )


def _odds(evidence: Evidence) -> str:
    return f"evidence {min(evidence.value, 1e6):.3g} of {evidence.asked:g}"
