"""Model lab: a movable threshold, and who pays for it."""

import json
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from demo import cards, charts, lab
from demo.desk import Desk, told
from demo.problems import DemoProblem
from demo.tabs.members import figures_row

INTRO = """<p class="vx-intro">The model was tried on captures that it had never seen: members on
other days, strangers, attacks. <b>Move the threshold</b> and see who would be locked out, and who
would be let in. A lower threshold forgives more and trusts more.</p>"""

NOTE = """<p class="vx-quiet">One threshold for everything that is scored. The fridge itself asks
for more where only face or voice speaks, and for a lead over the second best.</p>"""


@lru_cache(maxsize=2)
def _read(path: Path, _changed: float) -> lab.Trials:
    return lab.read(path)


def trials(path: Path) -> lab.Trials:
    """The trials, read again only when the file has changed."""
    return _read(path, path.stat().st_mtime if path.exists() else 0.0)


def build(desk: Desk, page: gr.Blocks, _tab: gr.Tab) -> None:
    """Lay the tab out."""
    gr.HTML(INTRO)
    verdict = gr.HTML(elem_id="lab-gate")
    with gr.Row():
        stream = gr.Radio(
            [(name, key) for key, name in charts.STREAM_NAMES.items()], value="fused",
            label="Scores of", elem_id="lab-stream",
        )  # fmt: skip
        threshold = gr.Slider(
            -40, 40, value=0, step=0.1, label="Threshold (log-likelihood ratio)", scale=2,
            elem_id="lab-threshold",
        )  # fmt: skip
    with gr.Row():
        served = gr.Button("As the fridge asks", size="sm", elem_id="lab-served")
        kind = gr.Button("Lock nobody out", size="sm", elem_id="lab-kind")
        strict = gr.Button("Let no stranger in", size="sm", elem_id="lab-strict")
    figures = gr.HTML(elem_id="lab-figures")
    with gr.Row():
        with gr.Column(scale=6):
            histogram = gr.HTML(elem_id="lab-histogram")
            det = gr.HTML(elem_id="lab-det")
        with gr.Column(scale=4):
            who = gr.HTML(elem_id="lab-who")
    gr.HTML(NOTE)
    shown = [figures, histogram, det, who]

    def move(stream: str, threshold: float) -> tuple[str, ...]:
        try:
            return _drawn(desk, trials(desk.trials), stream, threshold)
        except DemoProblem as error:
            return told(error), "", "", ""

    def as_served(_: str) -> Any:
        try:
            return _served(desk)
        except DemoProblem:
            return gr.skip()

    def lock_nobody_out(stream: str) -> Any:
        """The highest threshold at which each member's every scored capture passes."""
        try:
            hits = trials(desk.trials).streams[stream].hits
        except DemoProblem:
            return gr.skip()
        scored = hits[np.isfinite(hits)]
        return float(np.floor(scored.min() * 10) / 10) if scored.size else gr.skip()

    def let_nobody_in(stream: str) -> Any:
        """The lowest threshold that no capture of a stranger reaches."""
        try:
            tops = trials(desk.trials).streams[stream].tops
        except DemoProblem:
            return gr.skip()
        scored = tops[np.isfinite(tops)]
        return float(np.floor(scored.max() * 10) / 10 + 0.1) if scored.size else gr.skip()

    def start() -> tuple[Any, ...]:
        try:
            low, high = trials(desk.trials).span
            at = _served(desk)
            return gr.update(minimum=low, maximum=high, value=at), gate(desk.reports)
        except DemoProblem as error:
            return gr.skip(), told(error)

    # Hidden progress and only the last position: the picture follows the hand.
    gr.on(
        [stream.change, threshold.change], move, [stream, threshold], shown,
        show_progress="hidden", trigger_mode="always_last",
    )  # fmt: skip
    for button, set_to in ((served, as_served), (kind, lock_nobody_out), (strict, let_nobody_in)):
        button.click(set_to, stream, threshold, show_progress="hidden")
    page.load(start, None, [threshold, verdict], show_progress="hidden").then(
        move, [stream, threshold], shown, show_progress="hidden"
    )


def _served(desk: Desk) -> float:
    """What the fridge asks for now, both modalities speaking."""
    asked = desk.admin.model(desk.fridge).get("threshold")
    return round(float(asked), 1) if asked is not None else 0.0


def _drawn(desk: Desk, of: lab.Trials, stream: str, threshold: float) -> tuple[str, ...]:
    outcome = lab.at(of, stream, threshold)
    scores = of.streams[stream]
    names = {p.id: p.name for p in (*desk.cast.members, *desk.cast.strangers)}
    locked = [f for f in outcome.fates if f.locked_out]
    row = figures_row(
        [
            (f"{outcome.fnir:.1%}", f"of {scores.hits.size} members' captures not let in"),
            (f"{outcome.fpir:.1%}", _strangers(outcome, scores)),
            (str(len(locked)), f"of {len(outcome.fates)} members locked out"),
            (_attacks_passed(outcome), "attacks let in (no liveness yet)"),
        ]
    )
    return (
        row,
        charts.histogram(scores, threshold),
        charts.det(of, stream, threshold),
        _who(outcome, names),
    )


def _strangers(outcome: lab.Outcome, scores: lab.Stream) -> str:
    """Of how many, and what so many can prove at best: the rule of three."""
    told = f"of {scores.tops.size} strangers' captures let in"
    if outcome.let_in or not scores.tops.size:
        return told
    return f"{told} (so few prove only: under {3 / scores.tops.size:.1%})"


def _attacks_passed(outcome: lab.Outcome) -> str:
    if not outcome.attacks:
        return "–"
    passed = sum(p for p, _ in outcome.attacks.values())
    return f"{passed} of {sum(n for _, n in outcome.attacks.values())}"


def _who(outcome: lab.Outcome, names: dict[str, str]) -> str:
    """Everybody whom this threshold costs something."""
    locked = [names.get(f.member, f.member) for f in outcome.fates if f.locked_out]
    parts = ["<h4>Locked out</h4>"]
    parts.append(cards.chips(locked, "bad") if locked else '<p class="vx-quiet">Nobody.</p>')
    sometimes = [f for f in outcome.fates if 0 < f.granted < f.tried]
    parts.append("<h4>Sometimes not let in</h4>")
    parts.append(
        cards.facts_table(
            [
                (names.get(f.member, f.member), f"{f.tried - f.granted} of {f.tried} times")
                for f in sometimes
            ]
        )
        if sometimes
        else '<p class="vx-quiet">Nobody.</p>'
    )
    parts.append("<h4>Strangers let in</h4>")
    if outcome.let_in:
        most = outcome.let_in[:8]
        parts.append(
            cards.facts_table(
                [
                    (
                        names.get(s.person, s.person),
                        f"as {names.get(s.best_member, s.best_member)}, {s.best:+.1f}",
                    )
                    for s in most
                ]
            )
        )
        if len(outcome.let_in) > len(most):
            parts.append(f'<p class="vx-quiet">… {len(outcome.let_in) - len(most)} more.</p>')
    else:
        parts.append('<p class="vx-quiet">Nobody.</p>')
    if outcome.attacks:
        parts.append("<h4>Attacks let in</h4>")
        parts.append(
            cards.facts_table(
                [
                    (species.replace("_", " "), f"{passed} of {tried}")
                    for species, (passed, tried) in sorted(outcome.attacks.items())
                ]
            )
        )
    return f'<div class="vx-who">{"".join(parts)}</div>'


def gate(reports: Path) -> str:
    """What the gate said when the model was measured; nothing where it was not."""
    path = reports / "gate.json"
    try:
        told_by = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    word = "passed" if told_by.get("passed") else "did not pass"
    reasons = "".join(f"<br>{escape(str(r))}" for r in told_by.get("reasons") or ())
    return f'<p class="vx-intro">The gate: this model <b>{word}</b>.{reasons}</p>'
