"""Challenger against champion on the same trials: no worse by more than a margin?

Both have seen the same captures, so most of what varies is common to both and cancels in the
difference. People and fridges are drawn once for both (paired bootstrap).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from visavox.config import settings
from visavox.training import metrics
from visavox.training.evaluate_figures import Bootstrap
from visavox.training.gate_limits import COSTS, Judged
from visavox.training.intervals import FEW, Interval, clopper_pearson, percentile
from visavox.training.metrics import resampled
from visavox.training.metrics.scores import Floats
from visavox.training.trials import Index, Kind, Mask, Trials

Name = Literal["served.fnir", "served.fpir", "fused.eer", "fused.cllr"]


@settings
class Margin:
    """By how much the challenger may be worse: less than this is called no worse."""

    metric: Name
    at_most: float


@dataclass(frozen=True)
class Pair:
    """The trials that both have in common, in the same order."""

    challenger: Trials
    champion: Trials
    shared: float  # share of the champion's searches that the challenger has too

    def draw(self, *, replicates: int, seed: int, level: float) -> "Drawn":
        """Draw the same people and fridges for both."""
        ours, theirs = (
            Bootstrap.of(t, replicates=replicates, seed=seed, level=level)
            for t in (self.challenger, self.champion)
        )
        return Drawn(ours, theirs)


@dataclass(frozen=True)
class Drawn:
    """The bootstraps of both sides of a pair."""

    challenger: Bootstrap
    champion: Bootstrap


@dataclass(frozen=True)
class Difference:
    """Challenger minus champion: above zero is worse."""

    metric: str
    challenger: float
    champion: float
    interval: Interval
    people: int


def paired(challenger: Trials, champion: Trials) -> Pair | None:
    """The searches with the same capture of the same person at the same fridge; None if none."""
    ours, theirs = _keys(challenger), _keys(champion)
    common = sorted(ours.keys() & theirs.keys())
    if not common:
        return None
    return Pair(
        challenger.take(np.array([ours[key] for key in common], np.intp)),
        champion.take(np.array([theirs[key] for key in common], np.intp)),
        len(common) / len(theirs),
    )


def difference(drawn: Drawn, metric: Name) -> Difference | None:
    """How much worse the challenger is; None where the common trials do not hold both kinds."""
    if metric in ("served.fnir", "served.fpir"):
        return _served(drawn.challenger, drawn.champion, metric)
    return _scored(drawn.challenger, drawn.champion, metric)


def judge_margin(found: Difference | None, margin: Margin, *, level: float) -> Judged:
    """Hold a difference against its margin."""
    if found is None:
        return Judged(False, f"{margin.metric} cannot be compared: too few trials in common.")
    unit = "bits" if margin.metric.rpartition(".")[2] in COSTS else "%"
    factor = 1 if unit == "bits" else 100
    ours, theirs, high, allowed = (
        f"{factor * v:.3g} {unit}"
        for v in (found.challenger, found.champion, found.interval.high, margin.at_most)
    )
    shown = (
        f"{margin.metric} is {ours}, the champion's {theirs}: worse by no more than {high} at "
        f"{level:.0%} confidence, on {found.people:,} people"
    )
    if not np.isfinite(found.interval.high) or found.interval.high > margin.at_most:
        return Judged(False, f"{shown}; the margin is {allowed}.")
    return Judged(True, f"{shown}, within the margin of {allowed}.")


def _served(ours: Bootstrap, theirs: Bootstrap, metric: Name) -> Difference | None:
    kind = Kind.MEMBER if metric == "served.fnir" else Kind.STRANGER
    at = ours.trials.of(kind)
    if at.size == 0:
        return None
    wrong = [_errors(b.trials, kind)[at] for b in (ours, theirs)]
    replicates = [
        resampled.means(w, b.cell[at], b.weights)
        for w, b in zip(wrong, (ours, theirs), strict=True)
    ]
    person = ours.trials.person[at]
    people = np.unique(person).size
    interval = percentile(replicates[0] - replicates[1], ours.level)
    only_ours = wrong[0] & ~wrong[1]
    if np.unique(person[wrong[0] != wrong[1]]).size < FEW:
        # Where hardly anybody is served differently, resampling cannot show who else would be.
        # What the challenger alone gets wrong is then bounded exactly, and no credit is given.
        exact = clopper_pearson(float(only_ours.mean()) * people, people, ours.level)
        interval = Interval(interval.low, max(interval.high, exact.high))
    return Difference(metric, float(wrong[0].mean()), float(wrong[1].mean()), interval, people)


def _errors(trials: Trials, kind: Kind) -> Mask:
    return trials.missed if kind == Kind.MEMBER else trials.accepted


def _scored(ours: Bootstrap, theirs: Bootstrap, metric: Name) -> Difference | None:
    mine, champion = _figure(ours, metric), _figure(theirs, metric)
    if mine is None or champion is None:
        return None
    (value, replicates), (other, others) = mine, champion
    # Where the challenger's cost is infinite, an infinite champion is no excuse.
    infinite = np.isinf(replicates)
    gap = np.where(infinite, np.inf, replicates) - np.where(infinite, 0.0, others)
    interval = percentile(gap, ours.level)
    people = np.unique(ours.trials.person[ours.trials.of(Kind.MEMBER)]).size
    return Difference(metric, value, other, interval, people)


def _figure(boot: Bootstrap, metric: Name) -> tuple[float, Floats] | None:
    mated, nonmated = boot.trials.pairs("fused")
    if not mated.size or not nonmated.size:
        return None
    llr = boot.trials.llr["fused"]
    m, n = llr[mated], llr[nonmated]
    cells = (boot.pair_cell[mated], boot.pair_cell[nonmated])
    if metric == "fused.cllr":
        return metrics.cllr(m, n), resampled.cllrs(m, cells[0], n, cells[1], boot.weights)
    ladder = resampled.ladder(m, cells[0], n, cells[1], boot.weights)
    return metrics.eer(m, n), ladder.hulls()[0]


def _keys(trials: Trials) -> dict[tuple[str, str, int, str], int]:
    """What makes a search the same search: its fridge, capture, kind and person."""
    of = trials.captures
    places: Index = trials.capture
    return {
        (trials.fridges[f], of.names[c], int(k), of.people[c]): s
        for s, (f, c, k) in enumerate(
            zip(trials.fridge.tolist(), places.tolist(), trials.kind.tolist(), strict=True)
        )
    }
