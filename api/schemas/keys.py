"""API keys on the wire. A secret is in exactly one answer: the one that made it."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from api.schemas.fields import ID, Body, Name, Shown
from api.schemas.moments import Moment
from visavox.store.records import Role

_Fridges = Field(
    description="The fridges that it is for; null: all of them.", examples=[["kitchen"]]
)
_Some = Annotated[
    tuple[Annotated[str, Field(pattern=ID, max_length=64)], ...],
    Field(min_length=1, max_length=200),
]


class KeyMade(Body):
    """A key to be."""

    role: Role
    name: Name
    fridges: Annotated[_Some | None, _Fridges] = None
    expires_at: Moment | None = None


class Key(Shown):
    id: Annotated[str, Field(examples=["key_01j9zq3v8k0000000000000000"])]
    name: Annotated[str, Field(examples=["Kiosk by the window"])]
    role: Role
    fridges: Annotated[tuple[str, ...] | None, _Fridges]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Issued(Key):
    """A new key with its secret, which is not shown again."""

    secret: Annotated[
        str | None,
        Field(
            repr=False,
            description="Null where this answer is a replay (`Idempotency-Replayed: true`).",
            examples=["vx_key_01j9…_5f3c…"],
        ),
    ]
    note: Annotated[
        str | None, Field(description="In a replay: why there is no secret.", examples=[None])
    ]

    def withheld(self) -> "Issued":
        """As it may be kept, and told again."""
        return self.model_copy(update={"secret": None, "note": _WITHHELD})


_WITHHELD: Final = (
    "The secret was in the first answer, and is not kept. If it is lost, revoke this key and make"
    " another."
)


class Me(Shown):
    """The key that asked."""

    key_id: Annotated[str, Field(examples=["key_01j9zq3v8k0000000000000000"])]
    name: Annotated[str, Field(examples=["Kiosk by the window"])]
    role: Role
    fridges: Annotated[tuple[str, ...] | None, _Fridges]
