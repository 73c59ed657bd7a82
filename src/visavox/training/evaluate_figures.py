"""Figures with their intervals, the number of trials, and how many independent people stand behind.

Each function takes trials and their bootstrap, and gives named figures; none reads or writes files.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visavox.training import metrics
from visavox.training.intervals import (
    Interval,
    Resamples,
    percentile,
    rate_interval,
    resample,
)
from visavox.training.metrics import resampled
from visavox.training.metrics.scores import Floats
from visavox.training.trials import Index, Kind, Mask, Served, Trials


@dataclass(frozen=True)
class Figure:
    """One number, and what it is worth. `value` is None where the data carry none: see `why`."""

    value: float | None
    trials: int
    people: int
    interval: Interval | None = None
    why: str = ""


Figures = dict[str, Figure]


@dataclass(frozen=True)
class Bootstrap:
    """Replicates of trials, drawn by person and by fridge."""

    trials: Trials
    resamples: Resamples
    level: float
    cell: Index = field(repr=False)  # (S,) cell of each search
    weights: Floats = field(repr=False)  # (R, C)

    @classmethod
    def of(cls, trials: Trials, *, replicates: int, seed: int, level: float) -> "Bootstrap":
        """Draw members and strangers separately: their numbers are chosen, not found."""
        is_member = np.zeros(len(trials.people), np.bool_)
        is_member[trials.person[trials.of(Kind.MEMBER)]] = True
        drawn = resample(is_member, len(trials.fridges), replicates=replicates, seed=seed)
        key = trials.person * len(trials.fridges) + trials.fridge
        cells, cell = np.unique(key, return_inverse=True)
        weights = drawn.weights(cells // len(trials.fridges), cells % len(trials.fridges))
        return cls(trials, drawn, level, cell, weights)

    @cached_property
    def pair_cell(self) -> Index:
        """(P,) cell of each pair."""
        return np.asarray(self.cell[self.trials.search], np.intp)

    def rate(self, wrong: Mask, at: Index) -> Figure:
        """Share of the searches `at` that are `wrong`."""
        if at.size == 0:
            return Figure(None, 0, 0, why="no trials")
        errors, people = wrong[at], self.trials.person[at]
        value = float(errors.mean())
        interval = rate_interval(
            value,
            resampled.means(errors, self.cell[at], self.weights),
            erring=np.unique(people[errors]).size,
            people=np.unique(people).size,
            level=self.level,
        )
        return Figure(value, at.size, np.unique(people).size, interval)

    def capture_rate(self, wrong: Mask, at: Index) -> Figure:
        """Share of the captures `at` (not searches) that are `wrong`."""
        if at.size == 0:
            return Figure(None, 0, 0, why="no trials")
        number = {name: i for i, name in enumerate(self.trials.people)}
        of = self.trials.captures.people
        people = np.array([number[of[c]] for c in at], np.intp)
        errors = wrong[at]
        value = float(errors.mean())
        interval = rate_interval(
            value,
            resampled.means(errors, people, self.resamples.people),
            erring=np.unique(people[errors]).size,
            people=np.unique(people).size,
            level=self.level,
        )
        return Figure(value, at.size, np.unique(people).size, interval)


def verification(boot: Bootstrap, stream: str) -> Figures:
    """EER, Cllr and minCllr over all scored pairs of a stream."""
    trials = boot.trials
    mated, nonmated = trials.pairs(stream)
    sides = (_people(trials, mated), _people(trials, nonmated))
    count, people = mated.size + nonmated.size, min(s.size for s in sides)
    names = ("eer", "cllr", "min_cllr")
    if not mated.size or not nonmated.size:
        kind = "nonmated" if mated.size else "mated"
        return {name: Figure(None, count, people, why=f"no {kind} pairs") for name in names}
    m, n = trials.llr[stream][mated], trials.llr[stream][nonmated]
    cells = (boot.pair_cell[mated], boot.pair_cell[nonmated])
    eers, min_cllrs = resampled.ladder(m, cells[0], n, cells[1], boot.weights).hulls()
    value = metrics.eer(m, n)
    at = _balance(m, n)
    erring = min(
        _people(trials, mated[m < at]).size,
        _people(trials, nonmated[n >= at]).size,
    )
    intervals = (
        rate_interval(value, eers, erring=erring, people=people, level=boot.level),
        percentile(resampled.cllrs(m, cells[0], n, cells[1], boot.weights), boot.level),
        percentile(min_cllrs, boot.level),
    )
    values = (value, metrics.cllr(m, n), metrics.min_cllr(m, n))
    return {
        name: Figure(v, count, people, interval)
        for name, v, interval in zip(names, values, intervals, strict=True)
    }


def identification(boot: Bootstrap, stream: str, target: float) -> Figures:
    """Open-set searches of a stream: FNIR at an FPIR, and rank-1."""
    trials = boot.trials
    name = fnir_name(target)
    at, strangers = trials.of(Kind.MEMBER), trials.of(Kind.STRANGER)
    if not at.size or not strangers.size:
        why = "no mated searches" if not at.size else "no nonmated searches"
        return {key: Figure(None, at.size, 0, why=why) for key in (name, "rank1")}
    mated, top = trials.mated(stream), trials.top(stream)[strangers]
    value = metrics.fnir_at_fpir(mated, top, target)
    threshold = metrics.threshold_at_fpir(top, target)
    missed = ~(mated.hits >= threshold)  # NaN is missed
    people = np.unique(trials.person[at])
    replicates = resampled.fnirs_at_fpir(
        mated, boot.cell[at], top, boot.cell[strangers], boot.weights, target
    )
    interval = rate_interval(
        value,
        replicates,
        erring=np.unique(trials.person[at][missed]).size,
        people=people.size,
        level=boot.level,
    )
    wrong = np.ones(trials.searches, np.bool_)
    wrong[at] = mated.right
    return {
        name: Figure(value, at.size, people.size, interval),
        "rank1": boot.rate(wrong, at),
    }


def fnir_name(target: float) -> str:
    """What FNIR at a target FPIR is called in reports: fnir_at_fpir_0.3pct."""
    return f"fnir_at_fpir_{target * 100:g}pct"


def served(boot: Bootstrap) -> Figures:
    """What the service's own decisions come to: rates of its answers, no score in between."""
    trials = boot.trials
    members, strangers = trials.of(Kind.MEMBER), trials.of(Kind.STRANGER)
    retry = trials.served == Served.RETRY
    wrong = trials.missed & trials.accepted
    return {
        "fpir": boot.rate(trials.accepted, strangers),
        "fnir": boot.rate(trials.missed, members),
        "wrong_member": boot.rate(wrong, members),
        "retry_members": boot.rate(retry, members),
        "retry_strangers": boot.rate(retry, strangers),
    }


def acquisition(boot: Bootstrap) -> Figures:
    """Failure to acquire: captures of real people that quality let nothing through of."""
    of = boot.trials.captures
    real = np.flatnonzero(np.array([not a for a in of.attack], np.bool_))
    face, voice = _given(of.face_rejected), _given(of.voice_rejected)
    return {
        "face": boot.capture_rate(face, real),
        "voice": boot.capture_rate(voice, real),
        "both": boot.capture_rate(face & voice, real),
    }


def _given(reasons: tuple[str, ...]) -> Mask:
    return np.array([bool(r) for r in reasons], np.bool_)


def _people(trials: Trials, pairs: Index) -> NDArray[np.intp]:
    return np.unique(trials.person[trials.search[pairs]])


def _balance(mated: Floats, nonmated: Floats) -> float:
    """The threshold at which FMR and FNMR come closest."""
    steps = metrics.steps(mated, nonmated)
    return float(steps.threshold[np.argmin(np.abs(steps.fmr - steps.fnmr))])
