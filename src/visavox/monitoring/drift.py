"""Has a distribution moved since the training? PSI and Kolmogorov–Smirnov, with a stated level.

How bright a face is hangs on whose it is far more than on the camera, and some members come more
often than others. So the window is compared person by person with what the same people gave when
they were enrolled; where only a distribution is kept of that, each person counts once.

No fixed limit of the PSI does: at twenty people chance alone exceeds the customary 0.2 nearly
always. `chance` says what it does at exactly these sizes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visavox.monitoring import chance
from visavox.monitoring.features import Floats

FALSE_ALARMS = 0.001
"""Of looks at a fridge where nothing has changed, how many find drift, all features together."""
MATERIAL = 0.25
"""The KS distance from which on it matters: a shift by two thirds of what varies from visit to
visit has it."""
BINS = 10
EACH = 5
"""Visits of one person that count, the latest."""


class Verdict(StrEnum):
    TOO_FEW = "too_few"
    """Not even a complete change would show in so few."""
    STEADY = "steady"
    SLIGHT = "slight"
    """It has moved for certain, and by little."""
    DRIFTED = "drifted"


@dataclass(frozen=True, slots=True)
class Binned:
    """Counts between edges, open at both ends."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.counts)

    def bins(self, values: Floats) -> NDArray[np.intp]:
        """Into which bin each of the values falls."""
        return np.searchsorted(np.array(self.edges), values, side="right").astype(np.intp)


@dataclass(frozen=True, slots=True)
class Shift:
    """One feature of a window, against its reference."""

    feature: str
    verdict: Verdict
    psi: float
    ks: float
    psi_chance: float
    """What chance alone stays below, 99 times of 100, at these sizes."""
    ks_chance: float
    p: float
    """Corrected for all tests of this look."""
    people: int
    visits: int

    def to_json(self) -> dict[str, Any]:
        """Plain and rounded: figures of a distribution, nobody's. Of too few, how many they are."""
        numbers = {k: round(getattr(self, k), 5) for k in ("psi", "ks", "psi_chance", "ks_chance")}
        said = {"verdict": self.verdict.value, "people": self.people, "visits": self.visits}
        return said if self.verdict is Verdict.TOO_FEW else {**said, **numbers, "p": self.p}


def against_people(
    feature: str,
    before: Mapping[str, float],
    now: Mapping[str, Sequence[float]],
    *,
    level: float,
    tests: int,
    material: float = MATERIAL,
) -> Shift:
    """Each person's visits `now` (the latest last) against one value of theirs from `before`.

    What differs between people is taken out first: of each value, the mean of all that its person
    has given, early and late, which way nothing is told of what came first.
    """
    people = sorted(p for p in before if now.get(p) and math.isfinite(before[p]))
    if not people:
        return _too_few(feature)
    both = [np.array([before[p], *now[p][-EACH:]]) for p in people]
    centred = [values - values.mean() for values in both]
    first, later = np.array([c[0] for c in centred]), [c[1:] for c in centred]
    bounds = quantiles(np.concatenate(centred))
    return _person_by_person(
        feature,
        np.searchsorted(bounds, first, side="right").astype(np.intp),
        [np.searchsorted(bounds, w, side="right").astype(np.intp) for w in later],
        len(bounds) + 1,
        (level, tests, material),
    )


def against_categories(
    feature: str,
    before: Mapping[str, str],
    now: Mapping[str, Sequence[str]],
    *,
    level: float,
    tests: int,
    material: float = MATERIAL,
) -> Shift:
    """The same of what has no order, such as outcomes."""
    people = sorted(p for p in before if now.get(p))
    if not people:
        return _too_few(feature)
    names = sorted({before[p] for p in people} | {v for p in people for v in now[p][-EACH:]})
    first = np.array([names.index(before[p]) for p in people], np.intp)
    later = [np.array([names.index(v) for v in now[p][-EACH:]], np.intp) for p in people]
    given = level, tests, material
    return _person_by_person(feature, first, later, len(names), given, ordered=False)


def against_reference(
    feature: str,
    reference: Binned,
    now: Mapping[str, Sequence[float]],
    *,
    level: float,
    tests: int,
    material: float = MATERIAL,
) -> Shift:
    """The latest visit of each person against a distribution in which each person counts once."""
    latest = np.array([values[-1] for values in now.values() if values], np.float64)
    if len(latest) == 0 or reference.n == 0:
        return _too_few(feature)
    known = np.array(reference.counts, np.int64)
    window = np.bincount(reference.bins(latest), minlength=len(known)).astype(np.int64)
    enough = chance.log_fewest_pooled(reference.n, len(latest))
    return _shift(
        feature,
        (known / reference.n, window / len(latest)),
        chance.pooled(known, window),
        (level, tests, material),
        enough,
        counts=(len(latest), len(latest)),
        seed=[*known.tolist(), *window.tolist()],
    )


def quantiles(values: Floats) -> Floats:
    """Edges between bins of equal shares."""
    found: Floats = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return found


_Test = tuple[float, int, float]


def _person_by_person(
    feature: str,
    first: NDArray[np.intp],
    later: list[NDArray[np.intp]],
    bins: int,
    test: _Test,
    *,
    ordered: bool = True,
) -> Shift:
    shares = np.bincount(first, minlength=bins) / len(first)
    window = np.mean([np.bincount(w, minlength=bins) / len(w) for w in later], axis=0)
    return _shift(
        feature,
        (shares, window),
        chance.within(first, later, bins),
        test,
        chance.log_fewest_within(later),
        counts=(len(first), sum(map(len, later))),
        seed=[*first.tolist(), *np.concatenate(later).tolist()],
        ordered=ordered,
    )


def _shift(
    feature: str,
    seen: tuple[Floats, Floats],
    draw: chance.Draw,
    test: _Test,
    log_ways: float,
    *,
    counts: tuple[int, int],
    seed: list[int],
    ordered: bool = True,
) -> Shift:
    level, tests, material = test
    people, visits = counts
    far, apart = float(chance.psi(*seen, people)), float(chance.ks(*seen, ordered=ordered))
    if log_ways < math.log(tests / level):
        return Shift(feature, Verdict.TOO_FEW, far, apart, math.inf, 1.0, 1.0, people, visits)
    found = chance.measured(seen, draw, n=people, seed=seed, ordered=ordered)
    p = min(1.0, tests * found.p)
    verdict = Verdict.STEADY
    if p <= level:
        verdict = Verdict.DRIFTED if apart >= material else Verdict.SLIGHT
    return Shift(feature, verdict, far, apart, found.psi, found.ks, p, people, visits)


def _too_few(feature: str) -> Shift:
    return Shift(feature, Verdict.TOO_FEW, 0.0, 0.0, math.inf, 1.0, 1.0, 0, 0)
