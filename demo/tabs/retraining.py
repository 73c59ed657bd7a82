"""Retraining: what decides at the fridge, how it came there, and what is tried beside it."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from demo import cards, cards_retraining, retraining
from demo.desk import Desk, told
from demo.problems import ApiProblem, DemoProblem

INTRO = """<p class="vx-intro">Whoever comes or goes has the fridge <b>retrained, proved and put
live</b> with nobody watching. What was live before stays warm, to go back to at once.</p>"""

_LATELY = 8  # runs shown


def build(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out."""
    gr.HTML(INTRO)
    with gr.Row():
        with gr.Column(scale=5):
            gr.HTML('<p class="vx-intro"><b>What decides</b></p>')
            standing = gr.HTML(elem_id="retraining-standing")
            with gr.Row():
                ask = gr.Button("Retrain now", elem_id="retraining-ask")
                back = gr.Button("Roll back", variant="stop", elem_id="retraining-back")
                refresh = gr.Button("Refresh", size="sm")
            gr.HTML('<p class="vx-intro"><b>Champion against challenger</b></p>')
            compared = gr.HTML(elem_id="retraining-experiment")
        with gr.Column(scale=6):
            result = gr.HTML(
                cards.waiting("A run's steps will stand here."), elem_id="retraining-result"
            )
            gr.HTML('<p class="vx-intro"><b>The latest runs</b></p>')
            runs = gr.HTML(elem_id="retraining-runs")
    shown = [standing, compared, runs]

    def fresh() -> tuple[str, str, str]:
        try:
            return (
                cards_retraining.standing(desk.admin.model(desk.fridge)),
                _compared(desk),
                cards_retraining.runs(desk.admin.retrainings(desk.fridge, limit=_LATELY)),
            )
        except DemoProblem as error:
            return told(error), "", ""

    def retrain() -> Iterator[str]:
        try:
            desk.admin.ask_for_retraining(desk.fridge)
            for now in retraining.follow(desk.admin, desk.fridge):
                yield cards_retraining.retraining(now, asked="Asked for on this page.")
        except DemoProblem as error:
            yield told(error)

    def roll_back() -> str:
        try:
            leave = str(desk.admin.model(desk.fridge).get("bundle") or "")
            now = desk.admin.roll_back(desk.fridge, leave=leave)
            text = f"Live again: {str(now.get('bundle'))[:12]}…, instead of {leave[:12]}…"
            return cards.card("↶", "Rolled back", "good", f"<p>{text}</p>", [])
        except DemoProblem as error:
            return told(error)

    gr.on([page.load, tab.select, refresh.click], fresh, None, shown, show_progress="hidden")
    ask.click(retrain, None, result, show_progress="hidden").then(
        fresh, None, shown, show_progress="hidden"
    )
    back.click(roll_back, None, result).then(fresh, None, shown, show_progress="hidden")


def _compared(desk: Desk) -> Any:
    """The comparison, where there is one."""
    try:
        return cards_retraining.experiment(desk.admin.experiment(desk.fridge), desk.namer())
    except ApiProblem as error:
        return cards.waiting(error.problem)
