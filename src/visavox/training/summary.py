"""What a pipeline run left behind, for the person who waited for it: `make demo` ends with this.

Figures and where they stand, then two live decisions through the very pipeline that serves.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from visavox import bundle, characterizer, manifest
from visavox.errors import DataError
from visavox.manifest import Manifest, Row
from visavox.pipeline import Pipeline
from visavox.training.dataset import Dataset
from visavox.training.readme import TABLES, find
from visavox.types import Decision


@dataclass(frozen=True)
class Asked:
    """One capture shown to the trained fridge, and what it answered."""

    row: Row
    decision: Decision


def figures(report: Mapping[str, Any]) -> Table:
    table = Table("figure", "measured", "95 % interval", "people", title="How well")
    for line in TABLES["accuracy"][1]:
        value, span = find(report, line.key), find(report, line.key + "_ci")
        table.add_row(
            line.label,
            "–" if value is None else line.show(value),
            f"{line.show(span[0])} – {line.show(span[1])}" if span else "",
            str(find(report, line.key + "_people") or ""),
        )
    return table


def answers(asked: Sequence[Asked]) -> Table:
    table = Table("who stands there", "answer", "LLR", "asked for", "next step", title="Decisions")
    for one in asked:
        decision, best = one.decision, next(iter(one.decision.candidates), None)
        who = f"member {one.row.person}" if one.row.fridge else f"stranger {one.row.person}"
        said = f"{decision.outcome.value} {decision.member or ''}".strip()
        table.add_row(
            who,
            said,
            "–" if best is None else f"{best.fused:+.1f}",
            "–" if decision.threshold is None else f"{decision.threshold:+.1f}",
            decision.next_step,
        )
    return table


def ask(pipeline: Pipeline, rows: Sequence[Row], root: Path) -> list[Asked]:
    """Show each capture to the fridge, as bytes, as a kiosk would."""
    return [
        Asked(
            row,
            pipeline.run(
                images=[(root / row.image.path).read_bytes()] if row.image else [],
                audio=(root / row.audio.path).read_bytes() if row.audio else None,
            ),
        )
        for row in rows
    ]


def some(of: Manifest, fridge: str) -> list[Row]:
    """A probe of a member, and a capture of a stranger: neither was learnt from."""
    rows = [*of.of(split="probe", fridge=fridge)[:1], *of.of(split="stranger")[:1]]
    if len(rows) < 2:
        raise DataError(
            f"{of.root} has no probe of {fridge!r} or no stranger to show.",
            next_step="Choose a dataset with both, such as demo.",
        )
    return rows


def summary(data: Dataset, console: Console) -> None:
    reports = Path(data.reports)
    report = json.loads((reports / "evaluate.json").read_text("utf-8"))
    verdict = json.loads((reports / "gate.json").read_text("utf-8"))
    people = manifest.read(data.root)
    fridge = people.fridges[0]
    folder = bundle.find(data.bundles / fridge)
    nets = characterizer.load()
    with Pipeline(nets, bundle.load(folder, characterizer_digest=nets.digest)) as pipeline:
        asked = ask(pipeline, some(people, fridge), data.root)

    console.print(figures(report), answers(asked))
    gate = "passed: this is a champion" if verdict["passed"] else "NOT passed"
    # Plain lines: a frame would cut the paths, which are there to be copied.
    console.rule(f"{data.name}: {report['people_are']}")
    for name, value in (
        ("gate", f"{gate}, {len(verdict['claims'])} claims in {reports / 'gate.json'}"),
        ("metrics", reports / "evaluate.json"),
        ("DET plot", reports / "plots" / "det.png"),
        ("bundle", folder),
        ("look in", f".venv/bin/visavox bundle show {data.bundles / fridge}"),
        ("runs", ".venv/bin/mlflow ui --backend-store-uri sqlite:///.mlflow/mlflow.db"),
    ):
        console.print(f"{name:10}{value}", markup=False, highlight=False)


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "demo"
    reports = "reports" if name == "benchmark" else f"reports/{name}"
    summary(Dataset(name=name, reports=reports), Console(soft_wrap=True))


if __name__ == "__main__":
    main()
