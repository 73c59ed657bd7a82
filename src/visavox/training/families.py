"""Compare the Discriminator families on one dataset: what each gets right, and what it costs.

    python -m visavox.training.families data=benchmark

Every family is fitted to the same members against the same cohort and searched by the same
captures. Writes `<reports>/families.json`, and into the study's folder a table and two pictures.
"""

import json
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from visavox.config import settings
from visavox.discriminator import Discriminator
from visavox.table import EmbeddingTable
from visavox.training import evaluate_report, families_pictures, provenance, train
from visavox.training.dataset import Dataset
from visavox.training.evaluate import population
from visavox.training.evaluate_report import Reporting
from visavox.training.evaluate_searches import Fridge, searches
from visavox.training.fit import DiscriminatorSettings, fit_members, prepare
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.training.trials import Trials

Family = Literal["prototype", "plda", "logistic", "mlp"]
PROBES_TIMED = 200
BEGIN, END = "<!-- table: families -->", "<!-- end: families -->"


@settings
class FamiliesSettings:
    data: Dataset
    families: tuple[Family, ...] = ("prototype", "plda", "logistic", "mlp")
    seeds: tuple[int, ...] = (1, 2, 3)
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    """Everything but the family."""
    risk: str = "normal"
    reporting: Reporting = Reporting()
    study: str = "research/2026-11-families"
    """Where the pictures go; its README's table is made anew."""


@dataclass(frozen=True)
class Cost:
    """What one family needs, on this machine."""

    prepare_s: float  # once per cohort
    fit_s: float  # median of one fridge
    weights_kb: float  # median of one fridge
    score_ms: float  # median of one probe against all members


@stage(FamiliesSettings)
def families(settings: FamiliesSettings, run: Run) -> dict[str, Any]:
    """Fit, search and time every family, and write the comparison."""
    made: dict[str, Any] = {}
    drawn: dict[str, Trials] = {}
    members = train.inputs(settings.data.root, settings.data.features)
    cohort = train.inputs(settings.data.cohort_root, settings.data.cohort_features)
    for family in settings.families:
        reports, costs = [], []
        for seed in settings.seeds:
            how = replace(settings.discriminator, family=family)
            trials, cost = one(members, cohort, how, seed=seed, risk=settings.risk)
            drawn.setdefault(family, trials)
            costs.append(cost)
            reports.append(
                evaluate_report.report(
                    trials, settings.reporting, population=population(members.manifest.rows)
                )
            )
        made[family] = summed(reports, costs)
        run.metrics({f"{family}.{k}": v for k, v in numbers(made[family]).items()})
    result = {
        "population": population(members.manifest.rows),
        "dataset": settings.data.name,
        "seeds": list(settings.seeds),
        "counts": reports[0]["counts"],
        "families": made,
        "made_by": {
            **provenance.measured(),
            "data_hash": provenance.data_hash(settings.data.root),
            "characterizer": members.seen.characterizer_digest,
        },
    }
    written = Path(settings.data.reports) / "families.json"
    written.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    study = Path(settings.study)
    families_pictures.draw_det(drawn, study / "det.png")
    families_pictures.draw_costs(result, study / "costs.png")
    readme = study / "README.md"
    readme.write_text(filled(readme.read_text("utf-8"), result), "utf-8")
    for path in (written, study):
        run.artifact(path)
    return result


def one(
    members: train.Inputs,
    cohort: train.Inputs,
    how: DiscriminatorSettings,
    *,
    seed: int,
    risk: str,
) -> tuple[Trials, Cost]:
    """All fridges of one family with one seed: their searches, and what they cost."""
    began = time.perf_counter()
    background = prepare(cohort.seen.table, cohort.people, how, seed=seed, sessions=cohort.sessions)
    prepared = time.perf_counter() - began
    fridges, spent, sizes = [], [], []
    for name in members.manifest.fridges:
        enrolment, people = members.enrolment(name)
        began = time.perf_counter()
        fitted = fit_members(background, enrolment, people, seed=seed)
        spent.append(time.perf_counter() - began)
        sizes.append(sum(t.nbytes for t in fitted.discriminator.to_parts()[1].values()) / 1024)
        fridges.append(Fridge(name, fitted.discriminator, fitted.policy))
    table = members.seen.table
    trials = searches(fridges, members.manifest.rows, table, risk=risk)
    first = fridges[0].discriminator
    assert isinstance(first, Discriminator)
    scoring = score_ms(first, table)
    return trials, Cost(prepared, statistics.median(spent), statistics.median(sizes), scoring)


def score_ms(discriminator: Discriminator, table: EmbeddingTable) -> float:
    """Median time of one probe on its own, as served."""
    spent = []
    for i in range(min(PROBES_TIMED, len(table))):
        probe = table.take(np.array([i], np.intp))
        began = time.perf_counter()
        discriminator.score(probe)
        spent.append(1000 * (time.perf_counter() - began))
    return statistics.median(spent)


FIGURES = ("fused.eer", "fused.cllr", "fused.min_cllr", "fused.fnir_at_fpir_0.3pct",
           "face.eer", "voice.eer", "served.fpir", "served.fnir")  # fmt: skip


def summed(reports: Sequence[dict[str, Any]], costs: Sequence[Cost]) -> dict[str, Any]:
    """Mean over the seeds, their range, and the first seed's interval."""
    out: dict[str, Any] = {}
    for key in FIGURES:
        group, name = key.split(".", 1)
        values = [r[group][name] for r in reports]
        out[key] = {
            "mean": statistics.fmean(values),
            "range": [min(values), max(values)],
            "ci": reports[0][group].get(f"{name}_ci"),
        }
    cheap = [asdict(c) for c in costs]
    out["cost"] = {k: statistics.median(c[k] for c in cheap) for k in cheap[0]}
    return out


def numbers(figures: dict[str, Any]) -> dict[str, float]:
    cost: dict[str, float] = figures["cost"]
    return {k: float(v["mean"]) for k, v in figures.items() if k != "cost"} | cost


def filled(text: str, result: dict[str, Any]) -> str:
    """The study's README with its table made anew."""
    percent: Callable[[float], str] = lambda v: f"{100 * v:.2f}"  # noqa: E731
    rows = [
        "| family | fused EER % (95 % interval) | FNIR % at FPIR 0.3 % | Cllr / minCllr, bit |"
        " face EER % | voice EER % | prepare, s | fit a fridge, s | weights, KB | ms per probe |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for family, f in result["families"].items():
        low, high = f["fused.eer"]["ci"]
        cost = f["cost"]
        rows.append(
            f"| `{family}` | {percent(f['fused.eer']['mean'])} ({percent(low)} – {percent(high)})"
            f" | {percent(f['fused.fnir_at_fpir_0.3pct']['mean'])}"
            f" | {f['fused.cllr']['mean']:.4f} / {f['fused.min_cllr']['mean']:.4f}"
            f" | {percent(f['face.eer']['mean'])} | {percent(f['voice.eer']['mean'])}"
            f" | {cost['prepare_s']:.2f} | {cost['fit_s']:.3f} | {cost['weights_kb']:.0f}"
            f" | {cost['score_ms']:.2f} |"
        )
    table = "\n".join(rows)
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{table}\n{END}", text)


if __name__ == "__main__":
    families.main()
