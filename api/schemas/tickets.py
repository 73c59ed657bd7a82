"""What a lock is given once, and checks tickets with from then on."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.fields import Shown


class TicketKey(Shown):
    kid: Annotated[str, Field(examples=["66687aadf862bd77"])]
    public_key: Annotated[
        str,
        Field(
            description="32 bytes, base64url.",
            examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"],
        ),
    ]
    algorithm: Literal["Ed25519"]


class TicketKeys(Shown):
    """The newest key signs; the others are believed until their tickets are old."""

    keys: tuple[TicketKey, ...]
