"""May this challenger be served? Metrics × limits × champion → verdict with reasons.

    python -m visavox.training.gate data=benchmark gate=benchmark

Reads `<reports>/evaluate.json` and the trials behind it; writes `<reports>/gate.json`, and ends
with an error when the challenger fails.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from visavox.config import settings
from visavox.errors import DataError, GateRefused
from visavox.training import evaluate_report
from visavox.training import trials as trials_file
from visavox.training.dataset import Dataset
from visavox.training.gate_champion import Margin, difference, judge_margin, paired
from visavox.training.gate_limits import Judged, Limit, judge_limit
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.training.trials import Trials

VERDICT = "gate.json"


@settings
class Limits:
    """All that a challenger must keep."""

    population: str
    """The kind of people these limits are meant for; figures on others prove nothing."""
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]
    margins: tuple[Margin, ...] = ()
    """By how much it may be worse than the champion, if there is one."""
    shared: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Share of the champion's searches that the challenger must have been shown, too."""
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    replicates: Annotated[int, Field(ge=100)] = 1000
    seed: int = 0


@dataclass(frozen=True)
class Measured:
    """An evaluation: its report, and the trials behind it."""

    report: Mapping[str, Any]
    trials: Trials


@dataclass(frozen=True)
class Verdict:
    """`reasons` why it fails (none when it passes), and the `claims` that hold."""

    passed: bool
    reasons: tuple[str, ...]
    claims: tuple[str, ...]


def judge(challenger: Measured, limits: Limits, champion: Measured | None) -> Verdict:
    """Pass only when every limit is kept, and the champion is not missed by more than a margin."""
    judged = [
        _population(challenger.report, limits.population),
        *(judge_limit(challenger.report, limit, level=limits.level) for limit in limits.limits),
    ]
    if champion is not None:
        judged += _against(challenger, limits, champion)
    return Verdict(
        passed=all(j.passed for j in judged),
        reasons=tuple(j.sentence for j in judged if not j.passed),
        claims=tuple(j.sentence for j in judged if j.passed),
    )


def _population(report: Mapping[str, Any], wanted: str) -> Judged:
    found = report.get("population")
    if found != wanted:
        return Judged(False, f"The figures are on {found!r}, the limits are for {wanted!r}.")
    return Judged(True, f"All figures are on {found}.")


def _against(challenger: Measured, limits: Limits, champion: Measured) -> list[Judged]:
    theirs = champion.report.get("population")
    if theirs != challenger.report.get("population"):
        return [
            Judged(
                False,
                f"The champion was measured on {theirs!r}, "
                f"the challenger on {challenger.report.get('population')!r}.",
            )
        ]
    pair = paired(challenger.trials, champion.trials)
    if pair is None or pair.shared < limits.shared:
        share = 0.0 if pair is None else pair.shared
        return [
            Judged(
                False,
                f"Only {share:.0%} of the champion's searches were made with the challenger, too; "
                f"a comparison takes {limits.shared:.0%}.",
            )
        ]
    drawn = pair.draw(replicates=limits.replicates, seed=limits.seed, level=limits.level)
    return [
        judge_margin(difference(drawn, margin.metric), margin, level=limits.level)
        for margin in limits.margins
    ]


@settings
class GateSettings:
    """Which evaluation is judged, by which limits, against which champion."""

    data: Dataset
    gate: Limits
    champion: str | None = None
    """Folder with the champion's evaluate.json and trials.safetensors; null: there is none yet."""


@stage(GateSettings)
def gate(settings: GateSettings, run: Run) -> Verdict:
    """Judge the evaluated challenger, and say why."""
    reports = Path(settings.data.reports)
    challenger = measured(reports / evaluate_report.NAME, trials_file.path_of(settings.data.name))
    champion = None
    if settings.champion is not None:
        folder = Path(settings.champion)
        champion = measured(folder / evaluate_report.NAME, folder / trials_file.NAME)
    verdict = judge(challenger, settings.gate, champion)
    path = reports / VERDICT
    about = {**asdict(verdict), "compared_with_champion": champion is not None}
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    run.metrics({"passed": float(verdict.passed)})
    run.artifact(path)
    if not verdict.passed:
        reasons = "\n".join(f"  - {reason}" for reason in verdict.reasons)
        raise GateRefused(
            f"The challenger is not let through:\n{reasons}",
            next_step=f"See {path}. Better data or another discriminator may pass; "
            "limits are raised only with a reason.",
        )
    sys.stdout.write("".join(f"  + {claim}\n" for claim in verdict.claims))
    return verdict


def measured(report: Path, trials: Path) -> Measured:
    """An evaluation as it was written."""
    try:
        figures = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"There is no evaluation at {report} ({error}).",
            next_step="Run `python -m visavox.training.evaluate` first.",
        ) from None
    return Measured(figures, trials_file.read(trials))


if __name__ == "__main__":
    gate.main()
