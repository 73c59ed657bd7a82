"""Moments that a request may name: with their zone, and within what databases can hold."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field


def _plausible(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError("The year must be 2000 to 2200")
    return moment.astimezone(UTC)


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_plausible),
    Field(description="ISO 8601 with its zone.", examples=["2026-03-01T12:00:00Z"]),
]
