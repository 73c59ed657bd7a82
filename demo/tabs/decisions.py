"""Decisions: every answer the fridge gave, why, and what it was made with."""

from typing import Any

import gradio as gr

from demo import cards, charts
from demo.desk import Desk, told
from demo.problems import DemoProblem

INTRO = """<p class="vx-intro">Every answer is kept with what it rested on. Choose one to see its
scores and its <b>lineage</b>: the models by digest, and the commit and data that made them.</p>"""

HEADERS = ["At (UTC)", "Outcome", "Who", "How", "Why", "Score", "Asked", "Id"]
_OUTCOMES = [("any", ""), *((title, key) for key, (_, title, _) in cards.OUTCOMES.items())]


def rows(decisions: list[dict[str, Any]], names: dict[str, str]) -> list[list[str]]:
    """The table of decisions, newest first."""
    return [
        [
            cards.moment(d.get("at")),
            cards.OUTCOMES.get(str(d.get("outcome")), ("", str(d.get("outcome")), ""))[1],
            _who(d.get("member"), names),
            str(d.get("method") or ""),
            ", ".join(cards.reason(str(r)) for r in d.get("reasons") or ()),
            _best(d),
            _number(cards.threshold_of(d)),
            str(d["id"]),
        ]
        for d in decisions
    ]


def build(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out."""
    gr.HTML(INTRO)
    with gr.Row():
        outcome = gr.Dropdown(_OUTCOMES, value="", label="Outcome", elem_id="decisions-outcome")
        method = gr.Dropdown(
            [("any", ""), ("face and voice", "biometric"), ("PIN", "pin")], value="", label="How"
        )
        refresh = gr.Button("Refresh", elem_id="decisions-refresh")
    table = gr.Dataframe(
        headers=HEADERS, interactive=False, elem_id="decisions-table", type="array",
        max_height=330, buttons=[],
        column_widths=["17%", "10%", "12%", "10%", "26%", "8%", "8%", "9%"],
    )  # fmt: skip
    with gr.Row():
        with gr.Column(scale=5):
            answer = gr.HTML(cards.waiting("Choose a line of the table."), elem_id="decisions-card")
            chart = gr.HTML(elem_id="decisions-chart")
        with gr.Column(scale=4):
            lineage = gr.HTML(elem_id="decisions-lineage")

    def fresh(outcome: str, method: str) -> tuple[Any, Any]:
        try:
            names = {str(m["id"]): str(m["name"]) for m in desk.members()}
            found = desk.admin.decisions(desk.fridge, outcome=outcome, method=method)
        except DemoProblem as error:
            return [], told(error)
        return rows(found, names), gr.skip()

    def show(table: list[list[str]], event: gr.SelectData) -> tuple[str, str, str]:
        chosen = str(table[event.index[0]][-1])
        try:
            one = desk.admin.decision(chosen)
            name_of, model = desk.namer(), desk.admin.model(desk.fridge)
        except DemoProblem as error:
            return told(error), "", ""
        drawn = charts.scores(cards.candidates_of(one), cards.threshold_of(one), name_of)
        return cards.decision(one, name_of), drawn, cards.lineage(one, model)

    gr.on(
        [page.load, tab.select, refresh.click, outcome.change, method.change], fresh,
        [outcome, method], [table, answer], show_progress="hidden",
    )  # fmt: skip
    table.select(show, table, [answer, chart, lineage], show_progress="hidden")


def _who(member: Any, names: dict[str, str]) -> str:
    if isinstance(member, dict):
        return str(member.get("name") or member.get("id"))
    return names.get(str(member), str(member)) if member else "–"


def _best(decision: dict[str, Any]) -> str:
    found = cards.candidates_of(decision)
    return _number(found[0].get("fused")) if found else "–"


def _number(value: Any) -> str:
    return "–" if value is None else f"{float(value):+.1f}"
