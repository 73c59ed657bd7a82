"""The audit log on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from api.schemas.fields import Shown

_DIGEST = Field(examples=["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"])


class AuditRecord(Shown):
    """Who did what to what. It carries the digest of the record before it."""

    seq: Annotated[int, Field(examples=[42])]
    at: datetime
    actor: Annotated[str, Field(examples=["key_01j9zq3v8k0000000000000000"])]
    action: Annotated[str, Field(examples=["member.enrol"])]
    subject: Annotated[str, Field(examples=["kitchen/ada"])]
    detail: Annotated[Mapping[str, Any], Field(examples=[{"captures": 3}])]
    previous: Annotated[str, _DIGEST]
    digest: Annotated[str, _DIGEST]


class Head(Shown):
    """The end of the chain. Note it down elsewhere: it shows later that nothing was cut off."""

    seq: Annotated[int, Field(examples=[42])]
    digest: Annotated[str, _DIGEST]


class Verification(Shown):
    valid: bool
    records: Annotated[int, Field(description="How many were walked.", examples=[42])]
    head: Head
    problem: Annotated[str | None, Field(examples=[None])]
