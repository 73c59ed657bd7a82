"""Four ways to teach the Characterizer new people, and what each forgets.

    python -m visavox.training.continual

The shipped face net goes on learning from people before cameras that it never saw through, step by
step. After each step everybody is searched for. Writes `<reports>/continual.json`, and into the
study's folder a table and a picture.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from visavox.characterizer.folder import read_card
from visavox.training import provenance
from visavox.training.characterizer.nets.face import FaceNet
from visavox.training.characterizer.samples import Samples
from visavox.training.characterizer.verification import Trials, trials
from visavox.training.continual import matrix, picture
from visavox.training.continual.learn import Past, learn, past
from visavox.training.continual.people import Step, steps
from visavox.training.continual.remedies import embedded
from visavox.training.continual.settings import ContinualSettings, Method
from visavox.training.continual.shipped import EMBEDDED, face_net
from visavox.training.stage import stage
from visavox.training.tracking import Run

KINDS = ("old", "unseen")
BEGIN, END = "<!-- table: continual -->", "<!-- end: continual -->"

Row = dict[str, list[Trials]]  # kind → one per step's people


@stage(ContinualSettings)
def continual(settings: ContinualSettings, run: Run) -> dict[str, Any]:
    """Learn all steps in every way, and write what was forgotten."""
    start = Path(settings.start) if settings.start else EMBEDDED
    with _on(settings.threads):
        made = compare(settings, face_net(start, settings.net))
    result = {
        "population": "personas",
        "net": "face",
        "characterizer": read_card(start).digest,
        "steps": asdict(settings.steps),
        "learning": asdict(settings.learning),
        "seeds": list(settings.seeds),
        "methods": made,
        "made_by": provenance.measured(),
    }
    run.metrics({f"{m}.{k}": v for m, of in made.items() for k, v in numbers(of).items()})
    written = Path(settings.reports) / "continual.json"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    study = Path(settings.study)
    picture.draw(result, study / "forgetting.png")
    readme = study / "README.md"
    readme.write_text(filled(readme.read_text("utf-8"), result), "utf-8")
    for path in (written, study):
        run.artifact(path)
    return result


def compare(settings: ContinualSettings, start: FaceNet) -> dict[str, Any]:
    """Every way over every seed: its forgetting matrices and what follows from them."""
    people = steps(settings.steps, Path(settings.cache))
    enrol = settings.steps.enrol
    drawn = {
        kind: [
            matrix.draws(len(_of(step, kind).identities), settings.replicates, 17 + i)
            for i, step in enumerate(people)
        ]
        for kind in KINDS
    }
    before = _row(start, people, enrol)
    first = _errors(before, drawn)
    made: dict[str, Any] = {}
    for method in settings.methods:
        began = time.process_time()
        found: dict[str, list[list[Any]]] = {kind: [] for kind in KINDS}
        apart = []
        for seed in settings.seeds:
            rows = _rows(start, people, method, settings, seed=seed)
            apart.append([[matrix.separation(t) for t in r["old"]] for r in (before, *rows)])
            measured = [first, *(_errors(row, drawn) for row in rows)]
            for kind in KINDS:
                found[kind].append([m[kind] for m in measured])
        figures = {kind: np.asarray(found[kind], np.float64) for kind in KINDS}
        made[method] = summed(figures, np.asarray(apart)) | {
            "cpu_s": round(time.process_time() - began, 1)
        }
    return made


def summed(figures: Mapping[str, matrix.Floats], apart: matrix.Floats) -> dict[str, Any]:
    """What is told of one way."""
    old = figures["old"]
    each = [matrix.backward_transfer(old[s : s + 1]).value for s in range(len(old))]
    return {
        "backward_transfer": matrix.backward_transfer(old).to_json() | {"seeds": each},
        "learned": matrix.learned(old).to_json(),
        "eer_at_the_end": matrix.at_the_end(old).to_json(),
        "backward_transfer_unseen": matrix.backward_transfer(figures["unseen"]).to_json(),
        "eer": {k: [[c.to_json() for c in row] for row in matrix.cells(v)] for k, v in figures.items()},
        "d_prime": apart.mean(axis=0).tolist(),
    }  # fmt: skip


def _rows(
    start: FaceNet,
    people: tuple[Step, ...],
    method: Method,
    settings: ContinualSettings,
    *,
    seed: int,
) -> list[Row]:
    """What is still known after each step; the net itself is only carried on."""
    how = settings.learning
    net, carried = start, past(start, people[0].learned, Past(), method, how, seed=seed)
    rows = []
    for number, step in enumerate(people[1:], 1):
        own = 100 * seed + number
        net = learn(net, step.learned, carried, method, how, seed=own)
        carried = past(net, step.learned, carried, method, how, seed=own)
        rows.append(_row(net, people, settings.steps.enrol))
    return rows


def _row(net: FaceNet, people: tuple[Step, ...], enrol: int) -> Row:
    return {
        kind: [
            trials(embedded(net, of).numpy(), of.labels, enrol=enrol)
            for of in (_of(step, kind) for step in people)
        ]
        for kind in KINDS
    }


def _of(step: Step, kind: str) -> Samples:
    return step.old if kind == "old" else step.unseen


def _errors(row: Row, drawn: dict[str, list[matrix.Draws]]) -> dict[str, list[Any]]:
    return {
        kind: [matrix.errors(t, d) for t, d in zip(row[kind], drawn[kind], strict=True)]
        for kind in KINDS
    }


def numbers(of: Mapping[str, Any]) -> dict[str, float]:
    names = ("backward_transfer", "learned", "eer_at_the_end", "backward_transfer_unseen")
    return {name: of[name]["value"] for name in names}


def filled(text: str, result: Mapping[str, Any]) -> str:
    """The study's README with its tables made anew."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{table(result)}\n{END}", text)


def table(result: Mapping[str, Any]) -> str:
    """The ways side by side, then one forgetting matrix each."""
    lines = [
        "| way | backward transfer, points (95 %) | learned, points | EER % at the end, everybody |"
        " backward transfer, unseen people | CPU, s |",
        "|---|---|---|---|---|---|",
    ]
    for name, of in result["methods"].items():
        told = (
            _points(of["backward_transfer"]),
            _points(of["learned"]),
            _points(of["eer_at_the_end"], sign=""),
            _points(of["backward_transfer_unseen"]),
            f"{of['cpu_s']:.0f}",
        )
        lines.append(f"| `{name}` | " + " | ".join(told) + " |")
    cameras = list(result["steps"]["cameras"])
    for name, of in result["methods"].items():
        lines += ["", f"`{name}`: EER % of each step's people", "",
                  "| after | " + " | ".join(cameras) + " |", "|---" * (len(cameras) + 1) + "|"]  # fmt: skip
        for camera, row in zip(["nothing", *cameras[1:]], of["eer"]["old"], strict=True):
            shown = [
                f"{100 * c['value']:.1f} ({100 * c['low']:.1f} – {100 * c['high']:.1f})"
                for c in row
            ]
            lines.append(f"| {camera} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _points(of: Mapping[str, float], sign: str = "+") -> str:
    value, low, high = (f"{100 * of[k]:{sign}.1f}" for k in ("value", "low", "high"))
    return f"{value} ({low} – {high})"


@contextmanager
def _on(threads: int) -> Iterator[None]:
    """As many threads of torch as are set, and its own choice again afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
