"""Members, their captures and PINs on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.fields import Body, Locale, Name, Shown, Version
from visavox.types import Modality

PIN = r"^[0-9]{6,12}$"


class MemberChange(Body):
    """What is to be another way; what is left out or null stays."""

    name: Name | None = None
    locale: Locale | None = None


class Pin(Body):
    pin: Annotated[
        str,
        Field(
            pattern=PIN,
            min_length=6,
            max_length=12,
            repr=False,
            description="6 to 12 digits, and none that everybody tries first.",
            examples=["481902"],
        ),
    ]


class Member(Shown):
    id: str
    fridge: str
    number: Annotated[str, Field(description="What is typed at the PIN pad, beside the PIN.")]
    name: str
    locale: Locale
    has_pin: bool
    consent_at: datetime
    created_at: datetime
    captures: Annotated[int, Field(description="How many captures of them are kept.")]
    version: Version


class Likeness(Shown):
    """What an admin should look at; it did not stand in the way."""

    code: Annotated[str, Field(examples=["looks_like"])]
    member: Annotated[str | None, Field(description="Who it is about, besides the newcomer.")]
    detail: str


class Enrolled(Member):
    """A member, as they are after their captures were taken in."""

    taken: Annotated[int, Field(description="Captures taken in by this request.")]
    warnings: tuple[Likeness, ...]
    provisional: Annotated[
        bool, Field(description="A stricter threshold is asked of them until they are trained.")
    ]
    usable_at_once: bool


class Capture(Shown):
    """What is told of a kept capture: never what is in it."""

    id: str
    created_at: datetime
    modalities: Annotated[tuple[Modality, ...], Field(description="Those that gave evidence.")]
    sha256: str


class Erasure(Shown):
    """What was erased, and the proof of it."""

    captures: int
    blobs: int
    key_destroyed: Annotated[
        bool, Field(description="What was sealed with it can be opened with nothing else.")
    ]
    audit_seq: Annotated[int, Field(description="The audit record that says so.")]
    receipt: Annotated[
        str,
        Field(
            description="GET /v1/receipts/{receipt}: signed, once the fridge is shown to know them"
            " no more.",
            examples=["rec_01j9zq3v8k0000000000000000"],
        ),
    ]


class Erased(Shown):
    erased: Erasure
