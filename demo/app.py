"""The page: a head, a banner, six tabs."""

import gradio as gr

from demo import cards, look
from demo.desk import Desk
from demo.tabs import authenticate, decisions, enrol, lab, members, retraining

_TABS = (
    ("Enrol", enrol.build),
    ("Authenticate", authenticate.build),
    ("Members", members.build),
    ("Retraining", retraining.build),
    ("Model lab", lab.build),
    ("Decisions", decisions.build),
)


def page(desk: Desk) -> gr.Blocks:
    """The whole page, ready to be launched."""
    with gr.Blocks(title=look.TITLE, analytics_enabled=False) as blocks:
        gr.HTML(_head(desk))
        gr.HTML(cards.banner())
        with gr.Tabs(elem_id="rooms"):
            for title, build in _TABS:
                with gr.Tab(title) as tab:
                    build(desk, blocks, tab)
    assert isinstance(blocks, gr.Blocks)
    return blocks


def launch(desk: Desk, *, host: str, port: int, block: bool = True) -> gr.Blocks:
    """Serve the page on loopback; files of the dataset and of the scenes may be shown."""
    blocks = page(desk)
    blocks.queue(default_concurrency_limit=4)
    shown = {p.parent for who in (*desk.cast.members, *desk.cast.strangers) for t in (*who.enrol, *who.probes) for p in t.images}  # fmt: skip
    blocks.launch(
        server_name=host,
        server_port=port,
        theme=look.theme(),
        css=look.CSS,
        allowed_paths=[str(p.resolve()) for p in (desk.made, *sorted(shown))],
        share=False,
        quiet=True,
        show_error=True,
        prevent_thread_lock=not block,
        footer_links=[],
        ssr_mode=False,
        max_file_size="20mb",
        enable_monitoring=False,
        run_history=False,
    )
    return blocks


def _head(desk: Desk) -> str:
    links = ((desk.kiosk_page, "Kiosk"), (desk.docs_page, "API"))
    shown = "".join(
        f'<a href="{url}" target="_blank" rel="noreferrer">{name}</a>' for url, name in links if url
    )
    return (
        '<div class="vx-head"><h1>visavox</h1><p>Face and voice open a shared fridge. '
        f"Try to get in. {shown}</p></div>"
    )
