"""Versions of mutable resources on the wire: `ETag: "7"` out, `If-Match: "7"` in (RFC 9110)."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Response

from visavox.errors import Invalid, Stale

TAG: Final[Mapping[str, Any]] = {
    "ETag": {
        "description": "The version of what is shown; send it back as If-Match.",
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
        "example": '"7"',
    }
}
LOCATION: Final[Mapping[str, Any]] = {
    "Location": {
        "description": "Where what was made is found.",
        "schema": {"type": "string"},
        "example": "/v1/fridges/kitchen",
    }
}
TAGGED: Final[Mapping[int | str, dict[str, Any]]] = {200: {"headers": TAG}}
MADE: Final[Mapping[int | str, dict[str, Any]]] = {201: {"headers": {**TAG, **LOCATION}}}
"""What a route documents of its answer's headers."""

_STRONG = re.compile(r'"([0-9]{1,9})"')


def tag(response: Response, version: int) -> None:
    """Give the answer the version of what it shows."""
    response.headers["ETag"] = f'"{version}"'


async def expected(
    if_match: Annotated[
        str | None,
        Header(
            description='The ETag that the change is meant for, as `"7"`; another one gives 412.',
            max_length=200,
            examples=['"7"'],
        ),
    ] = None,
) -> int | None:
    """The version that a change is meant for; None for any.

    A tag that this service never gives, a weak one among them, is of no version: Stale.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if "," in if_match:
        raise Invalid(
            "If-Match names several versions.", next_step="Send the one ETag that you have read."
        )
    found = _STRONG.fullmatch(if_match.strip())
    if found is None:
        raise Stale(
            "If-Match names no version of this.",
            next_step="Read it again, and send its ETag as it came, quotes included.",
        )
    return int(found.group(1))


IfMatch = Annotated[int | None, Depends(expected)]
