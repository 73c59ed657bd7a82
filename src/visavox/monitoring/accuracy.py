"""How often it was right, where somebody who knows has said who stood there.

Labels are no random sample: doubtful decisions are labelled more often than plain ones, so the
rates err on the high side. Intervals are Wilson's, for independent decisions.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.99


@dataclass(frozen=True, slots=True)
class Labelled:
    """One decision, and who it really was; None is nobody who is a member."""

    granted: str | None
    really: str | None


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors among trials, and the interval that the true rate lies in."""

    errors: int
    trials: int

    @property
    def value(self) -> float | None:
        return self.errors / self.trials if self.trials else None

    @property
    def low(self) -> float:
        return wilson(self.errors, self.trials)[0]

    @property
    def high(self) -> float:
        return wilson(self.errors, self.trials)[1]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of members who came, and of whoever was none."""

    missed: Rate
    """Members who were not let in as themselves."""
    let_in: Rate
    """Strangers who were let in as anybody."""
    mistaken: Rate
    """Members who were let in as somebody else, of all members who came."""


def measured(labelled: Iterable[Labelled]) -> Accuracy:
    """The rates of what was labelled."""
    known = list(labelled)
    members = [one for one in known if one.really is not None]
    strangers = [one for one in known if one.really is None]
    return Accuracy(
        missed=Rate(sum(m.granted != m.really for m in members), len(members)),
        let_in=Rate(sum(s.granted is not None for s in strangers), len(strangers)),
        mistaken=Rate(sum(m.granted not in {None, m.really} for m in members), len(members)),
    )


def wilson(errors: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval; everything is possible where nothing was tried."""
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p, spread = errors / trials, z * z / trials
    middle = (p + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(p * (1 - p) / trials + spread / (4 * trials))
    low = 0.0 if errors == 0 else max(0.0, middle - half)
    return low, 1.0 if errors == trials else min(1.0, middle + half)
