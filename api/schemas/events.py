"""Events on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from api.schemas.fields import Shown


class Event(Shown):
    """Something that happened at a fridge besides decisions."""

    id: Annotated[str, Field(examples=["evt_01j9zq3v8k0000000000000000"])]
    at: datetime
    fridge: Annotated[str, Field(examples=["kitchen"])]
    kiosk: Annotated[str | None, Field(examples=["key_01j9zq3v8k0000000000000000"])]
    kind: Annotated[str, Field(examples=["locked"])]
    detail: Annotated[Mapping[str, Any], Field(examples=[{"failures": 5, "seconds": 30.0}])]
