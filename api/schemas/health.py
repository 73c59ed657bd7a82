"""Whether the service lives, and whether it can work."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.fields import Shown


class Alive(Shown):
    status: Literal["ok"] = "ok"


class Ready(Shown):
    """`ready` when every part is `ok`; otherwise the parts say what is missing."""

    status: Literal["ready", "not_ready"]
    parts: Annotated[
        dict[str, str], Field(examples=[{"database": "ok", "models": "ok", "keys": "ok"}])
    ]
