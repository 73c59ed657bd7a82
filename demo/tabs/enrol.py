"""Enrol: a persona, or whoever sits before the camera, becomes a member."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from demo import cards, scenes
from demo.client import Json, Shown
from demo.desk import Desk, told
from demo.enrolling import Enrolled, leaving_out_poor
from demo.people import Persona
from demo.problems import ApiProblem, DemoProblem
from demo.recording import mended

INTRO = """<p class="vx-intro">Somebody new: a few pictures and a few spoken digits are enough.
<b>Poor captures are refused</b> with the reason, whoever looks or sounds like a member is
pointed out, and the newcomer can open the fridge <b>at once</b>.</p>"""

_MOST_TAKES = 5


def build(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out."""
    gr.HTML(INTRO)
    takes = gr.State(())  # of Shown: what will be enrolled
    persona_id = gr.State("")
    with gr.Row():
        with gr.Column(scale=5):
            with gr.Tabs():
                with gr.Tab("A persona"):
                    who = gr.Dropdown(label="Who is new?", elem_id="enrol-who")
                    pictures = gr.Gallery(
                        label="What the camera takes", columns=4, height=150, fit_columns=False,
                        object_fit="cover", allow_preview=False, buttons=[], elem_id="enrol-faces",
                    )  # fmt: skip
                    sound = gr.Audio(
                        label="What the microphone takes", interactive=False, buttons=[]
                    )
                with gr.Tab("Yourself"):
                    film = gr.Video(
                        label="Look into the camera and say five digits", elem_id="enrol-film",
                        sources=["webcam", "upload"], include_audio=True, height=340,
                    )  # fmt: skip
                    with gr.Row():
                        keep = gr.Button("Keep this take", elem_id="enrol-keep")
                        forget = gr.Button("Forget all takes")
                    kept = gr.HTML(
                        cards.waiting("No take is kept yet; three make a good start."),
                        elem_id="enrol-kept",
                    )
            with gr.Row():
                name = gr.Textbox(label="Name", max_length=80, elem_id="enrol-name")
                locale = gr.Dropdown(
                    [("English", "en"), ("Français", "fr")], value="en", label="Language"
                )
                pin = gr.Textbox(
                    label="PIN (optional)", placeholder="6–12 digits", type="password", max_length=12,
                    elem_id="enrol-pin",
                )  # fmt: skip
            opens = gr.CheckboxGroup(label="May open", elem_id="enrol-opens")
            consent = gr.Checkbox(
                label="This person agrees to be recognised", value=False, elem_id="enrol-consent"
            )
            accept = gr.Checkbox(label="Enrol even if somebody alike is a member", value=False)
            enrol = gr.Button("Enrol", variant="primary", elem_id="enrol-go")
        with gr.Column(scale=4):
            gr.HTML('<p class="vx-intro"><b>Or try one of these</b></p>')
            with gr.Row():
                easy = gr.Button("A newcomer", elem_id="example-newcomer")
                poor = gr.Button("Blurred and silent", elem_id="example-poor")
            with gr.Row():
                again = gr.Button("A member, under another name", elem_id="example-again")
                alike = gr.Button("A member's look-alike", elem_id="example-alike")
            result = gr.HTML(cards.waiting("The answer will stand here."), elem_id="enrol-result")

    form = [name, locale, pin, opens, consent, accept]
    view = [pictures, sound, takes, persona_id, *form]

    def fresh() -> tuple[Any, Any]:
        """Who can be chosen now, and what can be opened."""
        try:
            choices = [(f"{p.name} ({p.role})", p.id) for p in desk.outside()]
            return gr.update(choices=choices, value=None), gr.update(choices=desk.compartments())
        except DemoProblem:
            return gr.skip(), gr.skip()  # what is shown stays

    def choose(who: str | None) -> tuple[Any, ...]:
        if not who:
            return (None, None, (), "", *(gr.skip() for _ in form))
        return _filled(desk, desk.cast[who])

    def keep_take(film: str | None, takes: tuple[Shown, ...]) -> tuple[Any, ...]:
        takes = tuple(t for t in takes if t.clip)  # a persona's pictures are not yours
        if film is None:
            return takes, "", cards.waiting("Record first: press the round button, then stop.")
        takes = (*takes, Shown(clip=mended(Path(film))))[:_MOST_TAKES]
        text = f"{len(takes)} of at most {_MOST_TAKES} takes kept."
        return takes, "", cards.waiting(text)

    def send(*given: Any) -> str:
        return _enrol(desk, *given)

    gr.on([keep.click], keep_take, [film, takes], [takes, persona_id, kept], show_progress="hidden")
    forget.click(
        lambda: ((), cards.waiting("No take is kept.")), None, [takes, kept], show_progress="hidden"
    )
    who.input(choose, who, view, show_progress="hidden")
    enrol.click(send, [takes, persona_id, *form], result).then(fresh, None, [who, opens])
    for button, example in ((easy, _newcomer), (poor, _poor), (again, _again), (alike, _alike)):

        def run(example: Any = example) -> tuple[Any, ...]:
            try:
                filled = example(desk)
            except DemoProblem as error:
                return (*(gr.skip() for _ in view), told(error))
            return (*filled, _enrol(desk, filled[2], filled[3], *filled[4:]))

        button.click(run, None, [*view, result]).then(fresh, None, [who, opens])
    gr.on([page.load, tab.select], fresh, None, [who, opens], show_progress="hidden")


def _enrol(
    desk: Desk,
    takes: tuple[Shown, ...],
    persona_id: str,
    name: str,
    locale: str,
    pin: str,
    opens: list[str],
    consent: bool,
    accept: bool,
) -> str:
    """The card that says what became of it."""
    if not takes:
        return cards.waiting("Choose a persona, or record and keep a take of yourself.")
    if not name.strip():
        return cards.waiting("Everybody needs a name: fill it in.")

    def once(takes: Sequence[Shown]) -> Json:
        return desk.admin.enrol(
            desk.fridge,
            takes,
            name=name.strip(),
            member=persona_id,
            locale=locale,
            pin=pin.strip(),
            compartments=opens,
            consent=consent,
            accept_warnings=accept,
        )

    try:
        # A persona's worst captures can be spared; whoever is real takes them again.
        made = leaving_out_poor(takes, once) if persona_id else Enrolled(once(takes), 0)
        return cards.enrolled(made.answer, name.strip(), desk.namer(), left_out=made.left_out)
    except ApiProblem as error:
        if error.code == "already_enrolled":
            error.next_step += " Or tick the box above the button, if they only look alike."
        return told(error, _names(desk))
    except DemoProblem as error:
        return told(error)


def _names(desk: Desk) -> Callable[[str], str]:
    """From ids to names; ids where the API has just gone."""
    try:
        return desk.namer()
    except DemoProblem:
        return str


def _filled(desk: Desk, who: Persona) -> tuple[Any, ...]:
    """What the page shows of a persona who is about to be enrolled."""
    return _view(desk, who.enrol, who.id, who.name, who.locale, who.pin)


def _view(
    desk: Desk,
    takes: tuple[Shown, ...],
    member: str,
    name: str,
    locale: str,
    pin: str,
) -> tuple[Any, ...]:
    faces = [str(t.images[0]) for t in takes if t.images]
    voice = next((str(t.audio) for t in takes if t.audio), None)
    opens = [c for _, c in desk.compartments()]
    return faces, voice, takes, member, name, locale, pin, opens, True, False


def _newcomer(desk: Desk) -> tuple[Any, ...]:
    new = [p for p in desk.outside() if p.role == "newcomer"] or desk.outside()
    if not new:
        raise DemoProblem(
            "Every persona is a member already.", next_step="Remove somebody in the tab Members."
        )
    return _filled(desk, new[0])


def _poor(desk: Desk) -> tuple[Any, ...]:
    who = desk.cast.newcomers[-1]
    take = scenes.play("blurred and silent", replace(who, id="poor"), desk.cast, desk.made)
    return _view(desk, (take,), "", f"{who.name}, in a hurry", "en", "")


def _again(desk: Desk) -> tuple[Any, ...]:
    members = [p for p in desk.enrolled() if p.role == "member" and p.kin == "none"]
    if not members:
        raise DemoProblem(
            "No persona of the dataset is a member now.", next_step="Enrol one of them first."
        )
    takes = tuple(p for p in members[-1].probes if p.images and p.audio)[:3]
    return _view(desk, takes, "", "Somebody Else", "en", "")


def _alike(desk: Desk) -> tuple[Any, ...]:
    alike = [s for s in desk.cast.strangers if s.kin == "look-alike"]
    if not alike:
        raise DemoProblem("The dataset has no look-alike.", next_step="Try another example.")
    return _view(desk, alike[-1].probes, "", alike[-1].name, "en", "")
