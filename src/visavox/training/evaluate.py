"""Evaluate a dataset's fridges on unseen captures of members, unseen strangers and attacks.

    python -m visavox.training.evaluate data=benchmark

Reads the manifest, the features and the bundles; writes `<reports>/evaluate.json` (DVC metrics),
`<reports>/plots/` (curves for DVC and pictures), and the single trials for the gate.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from visavox import bundle, manifest
from visavox.config import settings
from visavox.errors import DataError
from visavox.manifest import Row
from visavox.training import (
    evaluate_report,
    feature_table,
    plots,
    plots_data,
    progress,
    provenance,
    trials,
)
from visavox.training.dataset import Dataset
from visavox.training.evaluate_report import Reporting
from visavox.training.evaluate_searches import Fridge, searches
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.training.trials import Trials

PLOTS = "plots"


@settings
class EvaluateSettings:
    """Which fridges, at which risk, and how figures are made."""

    data: Dataset
    risk: str = "normal"
    """The risk setting whose thresholds are served."""
    reporting: Reporting = Reporting()


@stage(EvaluateSettings)
def evaluate(settings: EvaluateSettings, run: Run) -> dict[str, Any]:
    """Measure the fridges of a dataset: errors, calibration, groups and attacks."""
    rows = manifest.read(settings.data.root).rows
    seen = feature_table.read(settings.data.features)
    bundles = _bundles(settings.data, seen.characterizer_digest)
    with progress.bar(f"Searching {settings.data.name}", len(bundles)) as advance:
        made = searches(
            [Fridge(b.fridge, b.discriminator, b.policy) for b in bundles],
            rows,
            seen.table,
            risk=settings.risk,
            done=advance,
        )
    figures = evaluate_report.report(
        made,
        settings.reporting,
        population=population(rows),
        dataset=settings.data.name,
        risk=settings.risk,
    )
    figures["made_by"] = {
        **provenance.measured(),
        "data_hash": provenance.data_hash(settings.data.root),
        "characterizer": {
            "name": seen.characterizer,
            "digest": seen.characterizer_digest,
            "population": seen.population,
        },
        "bundles": {b.fridge: b.digest for b in bundles},
    }
    folder = Path(settings.data.reports)
    trials.write(made, trials.path_of(settings.data.name))
    written = write(made, figures, folder)
    run.metrics(numbers(figures))
    for path in written:
        run.artifact(path)
    return figures


def population(rows: Sequence[Row]) -> str:
    """The kind of people a dataset holds, as its manifest's `source` says."""
    return "+".join(sorted({row.source or "unknown" for row in rows}))


def write(made: Trials, figures: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write the report, its curves and its pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / evaluate_report.NAME
    report.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    drawn = folder / PLOTS
    return (
        report,
        plots_data.write_det(made, drawn / "det.csv"),
        plots_data.write_histogram(made, drawn / "histogram.csv"),
        plots.draw_det(made, figures, drawn / "det.png"),
        plots.draw_histogram(made, figures, drawn / "histogram.png"),
        plots.draw_slices(figures, drawn / "slices.png"),
    )


def numbers(figures: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The report's plain numbers under dotted names, for tracking."""
    out: dict[str, float] = {}
    for key, value in figures.items():
        if isinstance(value, Mapping):
            out |= numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            out[f"{prefix}{key}"] = float(value)
    return out


def _bundles(data: Dataset, characterizer_digest: str) -> list[bundle.Bundle]:
    """Every fridge's bundle; all must be for the Characterizer that saw the captures."""
    folders = sorted(p for p in data.bundles.glob("*") if p.is_dir())
    if not folders:
        raise DataError(
            f"There are no bundles in {data.bundles}.",
            next_step=f"Run `python -m visavox.training.train data={data.name}` first.",
        )
    return [bundle.load(f, characterizer_digest=characterizer_digest) for f in folders]


if __name__ == "__main__":
    evaluate.main()
