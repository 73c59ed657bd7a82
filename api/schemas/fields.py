"""What the schemas are made of: strict models, and the few kinds of text that travel."""

from enum import StrEnum
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

ID = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff"
"""Control characters, and those that turn the direction of what stands beside them."""
LINE = rf"^[^\s{_UNSEEN}](?:[^{_UNSEEN}]*[^\s{_UNSEEN}])?$"


class Body(BaseModel):
    """What a request says: a field that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Shown(BaseModel):
    """What an answer says, made from a record's attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Risk(StrEnum):
    """How much a fridge would rather refuse than let the wrong person in."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Locale(StrEnum):
    EN = "en"
    FR = "fr"


ChosenId = Annotated[
    str,
    Field(
        pattern=ID,
        max_length=64,
        description="Chosen by the admin; made by the service if left out.",
        examples=["kitchen"],
    ),
]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=LINE,
        description="One line, without space at either end.",
        examples=["Kitchen, 2nd floor"],
    ),
]
Version = Annotated[int, Field(description="The resource's version, as its ETag says it.")]

FridgeId = Annotated[str, Path(pattern=ID, max_length=64, examples=["kitchen"])]
CompartmentId = Annotated[str, Path(pattern=ID, max_length=64, examples=["top"])]
MemberId = Annotated[str, Path(pattern=ID, max_length=64, examples=["ada"])]
