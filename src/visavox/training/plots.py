"""Pictures of an evaluation: DET, score histograms, rates per slice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visavox.training import metrics
from visavox.training.plots_data import (
    CLIP,
    Curve,
    histogram,
    identification_curve,
    verification_curve,
)
from visavox.training.trials import STREAMS, Trials

COLOURS = {"fused": "#0b7a75", "face": "#d9822b", "voice": "#7b4fa3"}
MATED, NONMATED = "#0b7a75", "#b0413e"
INK, FAINT = "#22303c", "#d5dbe1"

TICKS = (1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.2, 0.4)
_STYLE: Any = {
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def draw_det(trials: Trials, report: Mapping[str, Any], path: Path) -> Path:
    """FNMR against FMR, and FNIR against FPIR with the answers as served, on probit axes."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(11, 5.4), layout="constrained")
        pair, search = figure.subplots(1, 2)
        for stream in STREAMS:
            _det_line(pair, verification_curve(trials, stream), stream, _eer(report, stream))
            _det_line(search, identification_curve(trials, stream), stream, "")
        pair.plot(*2 * [metrics.probit([1e-6, 0.5])], color=INK, lw=0.7, ls=(0, (4, 4)))
        _served_cross(search, report)
        _det_axes(pair, "One probe, one member", "false match rate", "false non-match rate")
        _det_axes(
            search,
            "One probe, all members of a fridge",
            "strangers granted (FPIR)",
            "members missed (FNIR)",
        )
        for axes in (pair, search):  # below, where no curve can run through it
            axes.legend(
                loc="upper left",
                bbox_to_anchor=(-0.02, -0.13),
                ncols=4,
                fontsize=9,
                handlelength=1.4,
                columnspacing=1.4,
            )
        return _save(figure, "Detection error trade-off", report, path)


def draw_histogram(trials: Trials, report: Mapping[str, Any], path: Path) -> Path:
    """How the LLRs of mated and nonmated pairs lie, one row per stream."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 6.6), layout="constrained")
        rows = figure.subplots(len(STREAMS), 1, sharex=True)
        for axes, stream in zip(rows, STREAMS, strict=True):
            made = histogram(trials, stream)
            width = made.edges[1] - made.edges[0]
            for shares, colour, name in (
                (made.nonmated, NONMATED, "other people"),
                (made.mated, MATED, "the member"),
            ):
                density = shares / width
                axes.stairs(density, made.edges, fill=True, color=colour, alpha=0.25)
                axes.stairs(density, made.edges, color=colour, lw=1.4, label=name)
            axes.axvline(0.0, color=INK, lw=0.8, ls=(0, (4, 4)))
            axes.set_title(stream)
            axes.set_ylabel("density")
            axes.set_xlim(-CLIP, CLIP)
            axes.set_ylim(bottom=0)
            axes.text(0.995, 0.86, _costs(report, stream), transform=axes.transAxes, ha="right")
        rows[0].legend(loc="upper left", fontsize=9)
        rows[-1].set_xlabel("log-likelihood ratio (natural): right of 0 speaks for the member")
        return _save(figure, "Log-likelihood ratios", report, path)


def draw_slices(report: Mapping[str, Any], path: Path) -> Path:
    """FNIR and FPIR as served per group, with intervals and the people behind each."""
    rows = [
        (f"{attribute}: {value}", figures)
        for attribute, values in report["slices"].items()
        for value, figures in values.items()
    ]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10.5, 1.8 + 0.34 * max(len(rows), 3)), layout="constrained")
        sides = figure.subplots(1, 2, sharey=True)
        for axes, key, title, colour in (
            (sides[0], "fnir", "members missed (FNIR)", COLOURS["fused"]),
            (sides[1], "fpir", "strangers granted (FPIR)", NONMATED),
        ):
            _slice_rows(axes, rows, key, report["served"], colour)
            axes.set_title(title)
            axes.set_xlabel("%")
        sides[0].set_yticks(range(len(rows)), [name for name, _ in rows])
        sides[0].set_ylim(max(len(rows), 1) - 0.4, -0.6)
        return _save(figure, "As served, by group", report, path)


def _det_line(axes: Axes, curve: Curve, stream: str, note: str) -> None:
    # An error rate of 0 or 1 has no place on a probit axis; the line ends where errors end.
    inside = (curve.x > 0) & (curve.x < 1) & (curve.y > 0) & (curve.y < 1)
    axes.step(
        metrics.probit(curve.x[inside]),
        metrics.probit(curve.y[inside]),
        where="pre",
        color=COLOURS[stream],
        lw=2.0 if stream == "fused" else 1.4,
        label=f"{stream}{note}",
    )


def _det_axes(axes: Axes, title: str, x: str, y: str) -> None:
    places, names = metrics.probit(TICKS), [f"{100 * t:g} %" for t in TICKS]
    axes.set_xticks(places, names, fontsize=8)
    axes.set_yticks(places[1:], names[1:], fontsize=8)
    axes.set_xlim(*metrics.probit([7e-6, 0.5]))
    axes.set_ylim(*metrics.probit([7e-5, 0.6]))
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _served_cross(axes: Axes, report: Mapping[str, Any]) -> None:
    at = report["served"]
    if at["fpir"] is None or at["fnir"] is None:
        return
    # Rates of zero are drawn at the edge of the picture, their intervals reaching in.
    x, y = (metrics.probit(max(at[k], low)) for k, low in (("fpir", 8e-6), ("fnir", 8e-5)))
    for key, line in (("fpir", "x"), ("fnir", "y")):
        ends = metrics.probit(np.clip(at[f"{key}_ci"], 1e-6, 1 - 1e-6))
        axes.plot(*((ends, [y, y]) if line == "x" else ([x, x], ends)), color=INK, lw=1.1)
    axes.plot([x], [y], "o", color=INK, ms=5, label=f"as served ({report['level']:.0%} intervals)")


def _eer(report: Mapping[str, Any], stream: str) -> str:
    value = report[stream]["eer"]
    return "" if value is None else f"  EER {100 * value:.2g} %"


def _costs(report: Mapping[str, Any], stream: str) -> str:
    cost, least = (report[stream][k] for k in ("cllr", "min_cllr"))
    return "" if cost is None or least is None else f"Cllr {cost:.3f} bits, at best {least:.3f}"


def _slice_rows(
    axes: Axes,
    rows: list[tuple[str, Mapping[str, Any]]],
    key: str,
    overall: Mapping[str, Any],
    colour: str,
) -> None:
    if overall[key] is not None:
        axes.axvline(100 * overall[key], color=INK, lw=0.8, ls=(0, (4, 4)))
    reach = [100 * f[f"{key}_ci"][1] for _, f in rows if f[key] is not None]
    right = 1.12 * max(reach, default=1.0)
    for place, (_, figures) in enumerate(rows):
        value, people = figures[key], figures[f"{key}_people"]
        if value is None:
            axes.text(
                0.02 * right, place, figures[f"{key}_why"], va="center", fontsize=8, alpha=0.7
            )
            continue
        low, high = (100 * e for e in figures[f"{key}_ci"])
        axes.plot([low, high], [place, place], color=colour, lw=2.2, alpha=0.45)
        axes.plot([100 * value], [place], "o", color=colour, ms=5.5, clip_on=False)
        axes.annotate(
            f"{people} people",
            (1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            alpha=0.8,
            annotation_clip=False,
        )
    axes.set_xlim(0, right)
    axes.grid(axis="y", visible=False)


def _save(figure: Figure, title: str, report: Mapping[str, Any], path: Path) -> Path:
    counts = report["counts"]
    figure.suptitle(f"{title} — {report['people_are']}", x=0.01, ha="left", fontsize=12)
    figure.supxlabel(
        f"{report['dataset']}: {counts['mated_searches']:,} searches by "
        f"{counts['members_probed']:,} members, {counts['nonmated_searches']:,} by "
        f"{counts['strangers']:,} strangers, {counts['fridges']:,} fridges",
        fontsize=8.5,
        alpha=0.8,
        x=0.01,
        ha="left",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    # No software version or date inside: the same figures give the same file.
    figure.savefig(path, dpi=130, metadata={"Software": None})
    return path
