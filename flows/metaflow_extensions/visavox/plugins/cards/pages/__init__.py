"""A Metaflow card that is the page which a step has made, as it is.

Metaflow finds it by the place of this folder: beside the flow that is started.
"""

from typing import Any

from metaflow.cards import MetaflowCard


class Pages(MetaflowCard):
    """`@card(type="pages")` on a step that leaves an artifact `html`, a whole document."""

    type = "pages"

    def __init__(self, **_given: Any) -> None:
        """It has no options, and no components."""

    def render(self, task: Any) -> str:
        return str(task["html"].data)


CARDS = [Pages]
