"""Members: who may open the fridge; adding, removing, and watching what happens."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from demo import cards, cards_retraining, enrolling, retraining
from demo.desk import Desk, told
from demo.problems import DemoProblem

INTRO = """<p class="vx-intro">Everybody who may open the fridge. Removing somebody
<b>destroys the key</b> that their pictures, recordings and templates are sealed with, and ends
with a signed receipt. Each change <b>retrains the fridge</b>: watch it from the data to the model
that serves.</p>"""

_LATELY = 10  # events shown
_RECEIPT_S = 60.0  # for which the page waits for a receipt once the new model is live
HEADERS = ["Name", "Id", "Number", "Language", "Captures", "PIN", "Since (UTC)"]


def rows(members: list[dict[str, Any]]) -> list[list[str]]:
    """The table of members."""
    return [
        [
            str(m["name"]),
            str(m["id"]),
            str(m.get("number") or ""),
            {"en": "English", "fr": "Français"}.get(str(m.get("locale")), str(m.get("locale"))),
            str(m.get("captures", "")),
            "yes" if m.get("has_pin") else "no",
            cards.moment(m.get("created_at")),
        ]
        for m in members
    ]


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody came or went: what the page said, and what is still to come."""

    card: str
    name: str
    asked: str
    receipt: str = ""


def build(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out."""
    gr.HTML(INTRO)
    model = gr.HTML(elem_id="members-model")
    table = gr.Dataframe(
        headers=HEADERS, interactive=False, wrap=False, elem_id="members-table", type="array",
        max_height=340, buttons=[],
        column_widths=["20%", "20%", "10%", "13%", "11%", "8%", "18%"],
    )  # fmt: skip
    with gr.Row():
        follow = gr.Checkbox(label="Watch: refresh every two seconds", value=False, scale=3)
        refresh = gr.Button("Refresh", size="sm", scale=1)
    with gr.Row():
        with gr.Column(scale=4):
            add = gr.Dropdown(label="Add a persona", elem_id="members-add")
            added = gr.Button("Add", elem_id="members-add-go")
            chosen = gr.Dropdown(
                label="Remove a member", elem_id="members-remove", info="or click on a line above"
            )
            sure = gr.Checkbox(
                label="Yes, erase this member for good", value=False, elem_id="members-sure"
            )
            remove = gr.Button("Remove", variant="stop", elem_id="members-remove-go")
        with gr.Column(scale=6):
            result = gr.HTML(
                cards.waiting("The answer, or the proof, will stand here."),
                elem_id="members-result",
            )
            gr.HTML('<p class="vx-intro"><b>What happened lately</b></p>')
            events = gr.HTML(elem_id="members-events")
    timer = gr.Timer(2, active=False)
    change = gr.State(None)
    shown = [table, model, events, add, chosen]

    def fresh(add: str | None, chosen: str | None) -> tuple[Any, ...]:
        try:
            members = desk.members()
            about = desk.admin.model(desk.fridge)
            happened = desk.admin.events(desk.fridge)
        except DemoProblem as error:
            return ([], told(error), "", gr.skip(), gr.skip())
        there = {str(m["id"]) for m in members}
        outside = [
            (p.name, p.id) for p in (*desk.cast.newcomers, *desk.cast.members) if p.id not in there
        ]
        inside = [(f"{m['name']} ({m['id']})", str(m["id"])) for m in members]
        return (
            rows(members),
            _model(about),
            _events(happened, {str(m["id"]): str(m["name"]) for m in members}),
            gr.update(choices=outside, value=add if add in dict(_flip(outside)) else None),
            gr.update(choices=inside, value=chosen if chosen in there else None),
        )

    def enrol(chosen: str | None) -> tuple[str, Change | None]:
        if not chosen:
            return cards.waiting("Choose who is to be added."), None
        who = desk.cast[chosen]
        try:
            made = enrolling.enrol(
                desk.admin, desk.fridge, who,
                compartments=[c for _, c in desk.compartments()], accept_warnings=True,
            )  # fmt: skip
            card = cards.enrolled(made.answer, who.name, desk.namer(), left_out=made.left_out)
            return card, Change(card, who.name, f"{who.name} came in.")
        except DemoProblem as error:
            return told(error), None

    def erase(member: str | None, sure: bool) -> tuple[str, bool, Change | None]:
        if not member:
            return cards.waiting("Choose who is to be removed."), sure, None
        if not sure:
            return cards.waiting("Erasing cannot be undone: tick the box first."), False, None
        try:
            name = str(desk.admin.member(desk.fridge, member)["name"])
            proof = desk.admin.remove(desk.fridge, member)
            card = cards.erased(proof, name, desk.admin.audit())
            receipt = str((proof.get("erased") or {}).get("receipt") or "")
            return card, False, Change(card, name, f"{name} is gone.", receipt)
        except DemoProblem as error:
            return told(error), False, None

    def watch(change: Change | None) -> Iterator[Any]:
        """The model that learns of a change, and the receipt where somebody left."""
        if change is None:
            yield gr.skip()
            return
        try:
            for now in retraining.follow(desk.admin, desk.fridge):
                yield change.card + cards_retraining.retraining(now, asked=change.asked)
            for shown in _receipts(desk, change.receipt, change.name):
                yield change.card + shown
        except DemoProblem as error:
            yield told(error)

    def pick(table: list[list[str]], event: gr.SelectData) -> Any:
        return str(table[event.index[0]][1])

    asked = [add, chosen]
    gr.on(
        [page.load, tab.select, refresh.click, timer.tick], fresh, asked, shown,
        show_progress="hidden",
    )  # fmt: skip
    follow.change(lambda on: gr.Timer(active=on), follow, timer, show_progress="hidden")
    table.select(pick, table, chosen, show_progress="hidden")
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    adding = added.click(enrol, add, [result, change])
    removing = remove.click(erase, [chosen, sure], [result, sure, change])
    for done in (adding, removing):
        # The table first: the new model takes its time. Whatever is done next is watched instead.
        watching = done.then(fresh, asked, shown, **quiet).then(watch, change, result, **quiet)
        watching.then(fresh, asked, shown, **quiet)
        for button in (added, remove):
            button.click(None, cancels=[watching])


def _receipts(desk: Desk, receipt: str, name: str) -> Iterator[str]:
    """The receipt as it stands, until it is signed."""
    until = time.monotonic() + _RECEIPT_S
    while receipt:
        found = desk.admin.receipt(receipt)
        yield cards_retraining.receipt(found, name)
        if found.get("state") == "complete" or time.monotonic() > until:
            return
        time.sleep(1.0)


def _flip(choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(value, name) for name, value in choices]


def _model(model: dict[str, Any]) -> str:
    bundle = str(model.get("bundle") or "")
    figures = [
        (str(model.get("members", 0)), "members in the trained model"),
        (str(model.get("provisional", 0)), "provisional: stricter, until the next training"),
        (cards.number(model.get("threshold")), f"asked for, risk setting {model.get('risk')}"),
        (f"{bundle[:8]}…" if bundle else "none", f"bundle, {model.get('family') or 'no family'}"),
    ]
    told = model.get("problem")
    return figures_row(figures) + (f'<p class="vx-warning">{escape(str(told))}</p>' if told else "")


def figures_row(figures: list[tuple[str, str]]) -> str:
    """Numbers side by side, each with what it counts."""
    each = "".join(
        f'<div class="vx-figure"><b>{value}</b><span>{name}</span></div>' for value, name in figures
    )
    return f'<div class="vx-figures">{each}</div>'


def _events(events: list[dict[str, Any]], names: dict[str, str]) -> str:
    if not events:
        return '<p class="vx-quiet">Nothing worth a note.</p>'
    lines = []
    for event in events[:_LATELY]:
        kind = str(event.get("kind"))
        what = cards.EVENTS.get(kind, kind.replace("_", " "))
        lines.append((cards.moment(event.get("at")), f"{what}{_plain(event, names)}"))
    return cards.facts_table(lines)


def _plain(event: dict[str, Any], names: dict[str, str]) -> str:
    """Whom or what an event is about, as far as a person wants to know."""
    detail = event.get("detail")
    if not isinstance(detail, dict):
        return ""
    told = []
    if member := detail.get("member"):
        told.append(names.get(str(member), str(member)))
    if bundle := detail.get("bundle"):
        told.append(f"{str(bundle)[:8]}…")
    if seconds := detail.get("seconds"):
        told.append(f"for {float(seconds):.0f} s")
    if scope := detail.get("scope"):
        told.append(str(scope).split(":")[0])
    told += [
        f"{cards.reason(str(w.get('code')))} {names.get(str(w.get('member')), '')}".strip()
        for w in detail.get("warnings") or ()
        if isinstance(w, dict)
    ]
    return f": {', '.join(told)}" if told else ""
