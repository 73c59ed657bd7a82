"""The pictures of the comparison of families."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from visavox.training import metrics
from visavox.training.plots_data import identification_curve
from visavox.training.trials import FUSED, Trials

MADE = "made from personas: people who do not exist"


def draw_det(drawn: Mapping[str, Trials], path: Path) -> Path:
    """Fused FNIR against FPIR, one line per family, on probit axes."""
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(7, 5.2), layout="constrained")
        axes = figure.subplots()
        for family, trials in drawn.items():
            curve = identification_curve(trials, FUSED)
            seen = (curve.x > 0) & (curve.x < 1) & (curve.y > 0) & (curve.y < 1)
            axes.step(
                metrics.probit(curve.x[seen]), metrics.probit(curve.y[seen]),
                where="pre", label=family,
            )  # fmt: skip
        ticks = [1e-4, 1e-3, 1e-2, 0.05, 0.2]
        places, names = metrics.probit(ticks), [f"{100 * t:g} %" for t in ticks]
        axes.set_xticks(places, names)
        axes.set_yticks(places, names)
        axes.axvline(metrics.probit([0.003])[0], color="0.6", lw=0.8, ls=":")
        axes.set(xlabel="FPIR: strangers granted", ylabel="FNIR: members missed")
        axes.set_title(f"Families, fused — {MADE}", loc="left", fontsize=10)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        figure.savefig(path, dpi=130)
    return path


def draw_costs(result: Mapping[str, Any], path: Path) -> Path:
    """Accuracy and calibration beside what they cost."""
    shown: tuple[tuple[str, Callable[[Mapping[str, Any]], float]], ...] = (
        ("fused EER, %", lambda f: 100 * f["fused.eer"]["mean"]),
        ("Cllr, bit", lambda f: f["fused.cllr"]["mean"]),
        ("fit one fridge, s", lambda f: f["cost"]["fit_s"]),
        ("one probe, ms", lambda f: f["cost"]["score_ms"]),
        ("weights, KB", lambda f: f["cost"]["weights_kb"]),
    )
    names = list(result["families"])
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(12, 2.9), layout="constrained")
        for axes, (title, value) in zip(figure.subplots(1, len(shown)), shown, strict=True):
            values = [value(result["families"][n]) for n in names]
            bars = axes.barh(names, values, color="#4477aa")
            axes.bar_label(bars, [f"{v:.3g}" for v in values], padding=3)
            axes.set_xlim(0, 1.3 * max(values))
            axes.set_title(title, loc="left", fontsize=10)
            axes.invert_yaxis()
            axes.set_xticks([])
        figure.suptitle(f"What each family gets and costs — {MADE}", x=0.01, ha="left", fontsize=11)
        figure.savefig(path, dpi=130)
    return path
