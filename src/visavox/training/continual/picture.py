"""The picture of the study: how everybody fares, step by step, in each way."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

MADE = "personas: people who do not exist"


def draw(result: Mapping[str, Any], path: Path) -> Path:
    """One panel per step's people: their EER after each step, with intervals, a line per way."""
    cameras = list(result["steps"]["cameras"])
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(3.1 * len(cameras), 3.4), layout="constrained")
        panels = figure.subplots(1, len(cameras), sharey=True, squeeze=False)[0]
        for i, axes in enumerate(panels):
            for n, (name, of) in enumerate(result["methods"].items()):
                column = [row[i] for row in of["eer"]["old"]]
                at = [k + 0.08 * n for k in range(len(column))]
                values = [100 * c["value"] for c in column]
                spread = [
                    [100 * (c["value"] - c["low"]) for c in column],
                    [100 * (c["high"] - c["value"]) for c in column],
                ]
                axes.errorbar(
                    at, values, yerr=spread, marker="o", ms=3, lw=1.2, capsize=2, label=name
                )
            axes.axvline(i - 0.2, color="0.7", lw=0.8, ls=":")
            axes.set_xticks(range(len(cameras)), ["nothing", *cameras[1:]], rotation=30)
            axes.set_title(f"people of {cameras[i]}", loc="left", fontsize=9)
            axes.grid(alpha=0.25)
        panels[0].set_ylabel("EER, % (after learning …)")
        panels[-1].legend(frameon=False, fontsize=8)
        figure.suptitle(f"Learned (dotted: when new) and forgotten — {MADE}", fontsize=10)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
    return path
