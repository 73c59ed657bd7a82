"""Figures into a committed report, each group with the machine and moment that made it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visavox.training import provenance

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "reports" / "bench.json"
LOAD = ROOT / "reports" / "load.json"


def record(
    group: str, figures: Mapping[str, Any], *, trials: Mapping[str, Any], path: Path = BENCH
) -> None:
    """Replace the figures of `group`; those of other groups stay as they were measured."""
    report = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    report.update(figures)
    report.setdefault("measured", {})[group] = {
        **provenance.measured(),
        "load_before": round(os.getloadavg()[0], 2),
        "trials": dict(trials),
    }
    path.parent.mkdir(exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", "utf-8")
    half.replace(path)
