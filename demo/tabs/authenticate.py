"""Authenticate: who stands before the fridge, and what it answers."""

from pathlib import Path
from typing import Any

import gradio as gr

from demo import cards, charts, scenes
from demo.client import Json, Shown
from demo.desk import Desk, told
from demo.problems import DemoProblem
from demo.recording import mended

INTRO = """<p class="vx-intro">Choose a member, then a situation: one click shows the camera and
the microphone what they would get, and asks the fridge. It answers <b>granted</b>,
<b>refused</b>, or <b>try again, like this</b>. Five failures in a row lock it for a while.</p>"""

HONEST = """<div class="vx-honest" role="note"><b>Liveness is not built yet.</b> The fridge
compares faces and voices; it does not yet ask whether a living person gave them. Attacks made
from a member's own material can open it today, and this page does not hide it.</div>"""

GOT_IN = "This attack got in: only liveness, which is not built yet, could have told."

_ATTACKS = {scene.key for scene in scenes.ATTACKS}


def build(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out."""
    gr.HTML(INTRO)
    challenge = gr.State("")
    with gr.Row():
        with gr.Column(scale=5):
            with gr.Row():
                who = gr.Dropdown(label="Member", elem_id="auth-who", scale=3)
                day = gr.Radio(
                    [("1", 0), ("2", 1), ("3", 2)], value=0, label="Later day", scale=3,
                    elem_id="auth-day",
                )  # fmt: skip
            buttons: list[tuple[gr.Button, str]] = []
            with gr.Tabs():
                with gr.Tab("Situations"):
                    buttons += _buttons(scenes.SCENES)
                with gr.Tab("Attacks", id="attacks"):
                    gr.HTML(HONEST)
                    buttons += _buttons(scenes.ATTACKS)
                with gr.Tab("Yourself"):
                    digits = gr.HTML(cards.waiting("Get digits to say, then record yourself."))
                    get = gr.Button("Get digits")
                    film = gr.Video(
                        label="Look into the camera and say the digits", elem_id="auth-film",
                        sources=["webcam", "upload"], include_audio=True, height=340,
                    )  # fmt: skip
                    go = gr.Button("Ask the fridge", variant="primary", elem_id="auth-film-go")
                with gr.Tab("PIN"):
                    gr.HTML('<p class="vx-intro">The way in for those who are not seen.</p>')
                    with gr.Row():
                        number = gr.Textbox(label="Number", max_length=12, elem_id="auth-number")
                        pin = gr.Textbox(
                            label="PIN", type="password", max_length=12, elem_id="auth-pin"
                        )
                    with gr.Row():
                        fill = gr.Button("Fill in the member's")
                        by_pin = gr.Button("Open", variant="primary", elem_id="auth-pin-go")
            lift = gr.Button("Lift the lock, as the admin", size="sm", elem_id="auth-unlock")
        with gr.Column(scale=5):
            scene = gr.HTML(elem_id="auth-scene")
            with gr.Row():
                picture = gr.Image(
                    label="The camera takes", interactive=False, height=190, elem_id="auth-picture",
                    buttons=[],
                )  # fmt: skip
                sound = gr.Audio(
                    label="The microphone takes", interactive=False, buttons=[], min_width=230
                )
            result = gr.HTML(cards.waiting("The answer will stand here."), elem_id="auth-result")
            chart = gr.HTML(elem_id="auth-chart")

    shown = [scene, picture, sound, result, chart]

    def fresh(chosen: str | None) -> Any:
        try:
            choices = [(p.name, p.id) for p in desk.enrolled()]
        except DemoProblem:
            return gr.skip()  # what is shown stays: the answers say what is wrong
        ids = [member for _, member in choices]
        value = chosen if chosen in ids else next(iter(ids), None)
        return gr.update(choices=choices, value=value)

    def play(key: str, who: str | None, day: int) -> tuple[Any, ...]:
        if not who:
            return ("", None, None, cards.waiting("Choose a member: enrol one first."), "")
        try:
            member = desk.cast[who]
            take = scenes.play(key, member, desk.cast, desk.made, day=int(day))
            really = scenes.who_plays(key, member, desk.cast, int(day))
        except DemoProblem as error:
            return ("", None, None, told(error), "")
        face = str(take.images[0]) if take.images else None
        voice = str(take.audio) if take.audio else None
        return (
            _caption(key, member.name, really.name),
            face,
            voice,
            *_ask(desk, take, attack=key in _ATTACKS),
        )

    def yourself(film: str | None, challenge: str) -> tuple[Any, ...]:
        if not film:
            return ("", None, None, cards.waiting("Record yourself first."), "", "")
        answer = _ask(desk, Shown(clip=mended(Path(film))), challenge)
        return ("<p class='vx-quiet'>You</p>", None, None, *answer, "")

    def new_digits() -> tuple[str, str]:
        try:
            made = desk.kiosk.challenge(desk.fridge)
        except DemoProblem as error:
            return told(error), ""
        said = f'<p class="vx-digits" id="auth-digits">{made["digits"]}</p>'
        return said, str(made["id"])

    def pin_of(who: str | None) -> tuple[str, str]:
        try:
            number = desk.admin.member(desk.fridge, who or "")["number"] if who else ""
        except DemoProblem:
            return "", ""
        return str(number), desk.cast[who].pin if who else ""

    def pin_opens(number: str, pin: str) -> tuple[Any, ...]:
        try:
            answer = desk.kiosk.authenticate_by_pin(desk.fridge, number.strip(), pin.strip())
        except DemoProblem as error:
            return ("", None, None, told(error), "")
        return ("", None, None, *_answered(desk, answer))

    def unlock() -> str:
        try:
            desk.admin.unlock(desk.fridge)
        except DemoProblem as error:
            return told(error)
        return cards.card("✓", "Unlocked", "good", "<p>The fridge listens again.</p>", [])

    for button, key in buttons:

        def run(who: str | None, day: int, key: str = key) -> tuple[Any, ...]:
            return play(key, who, day)

        button.click(run, [who, day], shown)
    get.click(new_digits, None, [digits, challenge])
    go.click(yourself, [film, challenge], [*shown, challenge])
    fill.click(pin_of, who, [number, pin], show_progress="hidden")
    by_pin.click(pin_opens, [number, pin], shown)
    lift.click(unlock, None, result)
    gr.on([page.load, tab.select], fresh, who, who, show_progress="hidden")


def _buttons(of: tuple[scenes.Scene, ...]) -> list[tuple[gr.Button, str]]:
    made = []
    for first in range(0, len(of), 2):
        with gr.Row():
            for scene in of[first : first + 2]:
                with gr.Column(min_width=200, elem_classes="vx-scene"):
                    button = gr.Button(scene.title, elem_id=f"scene-{scene.key.replace(' ', '-')}")
                    gr.HTML(f'<p class="vx-quiet">{scene.text}</p>')
                made.append((button, scene.key))
    return made


def _caption(key: str, member: str, really: str) -> str:
    scene = next(s for s in (*scenes.SCENES, *scenes.ATTACKS) if s.key == key)
    whom = f"{really}, whom the fridge does not know" if really != member else member
    text = f"as {member}" if scene.is_attack else whom
    return f'<p class="vx-intro"><b>{scene.title}</b>: {text}</p>'


def _ask(desk: Desk, take: Shown, challenge: str = "", *, attack: bool = False) -> tuple[str, str]:
    """The fridge's answer as a card, and its scores as a picture."""
    try:
        answer = desk.kiosk.authenticate(desk.fridge, take, challenge=challenge or None)
        return _answered(desk, answer, attack=attack)
    except DemoProblem as error:
        return told(error), ""


def _answered(desk: Desk, answer: Json, *, attack: bool = False) -> tuple[str, str]:
    name_of = desk.namer()
    # The kiosk's key does not see the scores of others; the admin's does.
    full = desk.admin.decision(str(answer["id"]))
    drawn = charts.scores(cards.candidates_of(full), cards.threshold_of(full), name_of)
    note = GOT_IN if attack and answer.get("outcome") == "granted" else ""
    return cards.decision(answer, name_of, note=note), "" if answer.get(
        "method"
    ) == "pin" else drawn
