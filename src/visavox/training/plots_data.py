"""Curves as tables of numbers, for DVC to draw and to compare between revisions."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visavox.training import metrics
from visavox.training.metrics.scores import Floats
from visavox.training.trials import STREAMS, Kind, Trials

POINTS = 121
BINS = 80
CLIP = 60.0
"""Histograms end at ± this LLR; the outermost bins hold what lies beyond."""


@dataclass(frozen=True)
class Curve:
    """Errors on the own side (y) against errors on the strangers' side (x), both shares."""

    x: Floats
    y: Floats


@dataclass(frozen=True)
class Histogram:
    """Shares of mated and nonmated pairs per bin."""

    edges: Floats  # (BINS + 1,)
    mated: Floats
    nonmated: Floats


def verification_curve(trials: Trials, stream: str) -> Curve:
    """FNMR against FMR over all scored pairs, at every step."""
    mated, nonmated = trials.pairs(stream)
    if not mated.size or not nonmated.size:
        return Curve(np.empty(0), np.empty(0))
    steps = metrics.steps(trials.llr[stream][mated], trials.llr[stream][nonmated])
    return Curve(steps.fmr, steps.fnmr)


def identification_curve(trials: Trials, stream: str) -> Curve:
    """FNIR against FPIR over all searches, at every distinct best score."""
    at, strangers = trials.of(Kind.MEMBER), trials.of(Kind.STRANGER)
    if not at.size or not strangers.size:
        return Curve(np.empty(0), np.empty(0))
    top, mated = trials.top(stream)[strangers], trials.mated(stream)
    scored = np.concatenate([top, mated.hits])
    thresholds = np.append(np.unique(scored[~np.isnan(scored)]), np.inf)
    return Curve(metrics.fpir(top, thresholds), metrics.fnir(mated, thresholds))


def at_rates(curve: Curve, rates: Floats) -> Floats:
    """The lowest y reached with an x of at most each of `rates`; NaN where the curve is empty."""
    if curve.x.size == 0:
        return np.full(rates.shape, np.nan)
    first = np.searchsorted(-curve.x, -rates, side="left")  # x falls along the curve
    return np.asarray(curve.y[np.minimum(first, curve.y.size - 1)], np.float64)


def histogram(trials: Trials, stream: str) -> Histogram:
    """How the LLRs of a stream lie."""
    mated, nonmated = trials.pairs(stream)
    edges = np.linspace(-CLIP, CLIP, BINS + 1)
    llr = np.clip(trials.llr[stream], -CLIP, CLIP)

    def shares(pairs: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> Floats:
        counts = np.histogram(llr[pairs], edges)[0]
        return np.asarray(counts / max(pairs.size, 1), np.float64)

    return Histogram(edges, shares(mated), shares(nonmated))


def write_det(trials: Trials, path: Path) -> Path:
    """FNMR and FNIR of every stream on one grid of FMR or FPIR."""
    rates = np.logspace(-5, 0, POINTS)
    columns = {"rate": rates, "log10_rate": np.log10(rates)}
    for stream in STREAMS:
        columns[stream] = at_rates(verification_curve(trials, stream), rates)
    for stream in STREAMS:
        columns[f"{stream}_fnir"] = at_rates(identification_curve(trials, stream), rates)
    return _write(path, columns)


def write_histogram(trials: Trials, path: Path) -> Path:
    """Shares per bin of LLR, for every stream."""
    columns: dict[str, Floats] = {}
    for stream in STREAMS:
        made = histogram(trials, stream)
        columns.setdefault("llr", (made.edges[:-1] + made.edges[1:]) / 2)
        columns[f"{stream}_mated"] = made.mated
        columns[f"{stream}_nonmated"] = made.nonmated
    return _write(path, columns)


def _write(path: Path, columns: dict[str, Floats]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            table.writerow(["" if np.isnan(v) else f"{v:.6g}" for v in row])
    return path
