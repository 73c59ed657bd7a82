"""One fridge, looked at: what has drifted, who comes how often, how often it was right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from visavox.monitoring import drift, features, refusals, shares
from visavox.monitoring.accuracy import Accuracy
from visavox.monitoring.drift import Shift, Verdict
from visavox.monitoring.reference import Reference
from visavox.monitoring.refusals import Burst
from visavox.monitoring.shares import Shares
from visavox.monitoring.visits import Seen, each, visits
from visavox.types import Modality

OUTCOME = "outcome"
"""What people were answered: the distribution of predictions."""
CATEGORIES = (OUTCOME, *(f"{m.value}.rejected" for m in Modality))
_SCORES = (features.SCORE, features.MARGIN)
_CAPTURED = tuple(name for name in features.FEATURES if name not in _SCORES)
TESTS = 2 * (len(features.FEATURES) + len(CATEGORIES))
"""Hypotheses of one look: each with PSI and with KS."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found at one fridge."""

    bundle: str | None
    decisions: int
    shifts: tuple[Shift, ...]
    shares: Shares
    bursts: tuple[Burst, ...]
    accuracy: Accuracy

    @property
    def drifted(self) -> tuple[str, ...]:
        return tuple(s.feature for s in self.shifts if s.verdict is Verdict.DRIFTED)

    def to_json(self) -> dict[str, Any]:
        """Plain figures; no member is named."""
        rates = ("missed", "let_in", "mistaken")
        return {
            "bundle": self.bundle,
            "decisions": self.decisions,
            "drift": {s.feature: s.to_json() for s in self.shifts},
            "shares": {
                "grants": self.shares.grants,
                "largest": round(self.shares.largest, 4),
                "gini": round(self.shares.gini, 4),
                "jumped": self.shares.jumped is not None,
                "rise": round(self.shares.rise, 4),
                "p": self.shares.p,
            },
            "refusals": max((b.refusals for b in self.bursts), default=0),
            "accuracy": {
                name: {"errors": rate.errors, "trials": rate.trials}
                for name in rates
                for rate in [getattr(self.accuracy, name)]
            },
        }


def judged(
    now: Sequence[Seen],
    before: Sequence[Seen],
    *,
    bundle: str | None,
    reference: Reference,
    enrolled: Mapping[str, Mapping[str, float]],
    accuracy: Accuracy,
    members: int,
    false_alarms: float = drift.FALSE_ALARMS,
    material: float = drift.MATERIAL,
) -> Report:
    """The window `now`, against the bundle's reference and the enrolment, and the weeks `before`."""
    shifts = _shifts(now, before, reference, enrolled, false_alarms, material)
    return Report(
        bundle=bundle,
        decisions=len(now),
        shifts=tuple(shifts),
        shares=shares.judged(_granted(before), _granted(now), members),
        bursts=refusals.bursts(now),
        accuracy=accuracy,
    )


def _shifts(
    now: Sequence[Seen],
    before: Sequence[Seen],
    reference: Reference,
    enrolled: Mapping[str, Mapping[str, float]],
    level: float,
    material: float,
) -> Iterable[Shift]:
    came, had = visits(s for s in now if s.biometric), visits(s for s in before if s.biometric)
    for name in _CAPTURED:
        values = each(came, lambda s, n=name: s.features.get(n))  # type: ignore[misc]
        yield drift.against_people(
            name, enrolled.get(name, {}), values, level=level, tests=TESTS, material=material
        )
    for name in _SCORES:
        if name in reference.features:
            values = each(came, lambda s, n=name: s.features.get(n))  # type: ignore[misc]
            known = reference.features[name]
            yield drift.against_reference(
                name, known, values, level=level, tests=TESTS, material=material
            )
    for name in CATEGORIES:
        said = each(came, lambda s, n=name: _said(s, n))  # type: ignore[misc]
        was = {p: v[-1] for p, v in each(had, lambda s, n=name: _said(s, n)).items()}  # type: ignore[misc]
        yield drift.against_categories(name, was, said, level=level, tests=TESTS, material=material)


def _said(one: Seen, name: str) -> str | None:
    if name == OUTCOME:
        return one.outcome
    return one.reasons.get(name.removesuffix(".rejected"))


def _granted(some: Sequence[Seen]) -> dict[str, int]:
    """Visits by member, of those who were let in; by face and voice or by PIN."""
    return {who: len(of) for who, of in visits(s for s in some if s.granted).items()}
