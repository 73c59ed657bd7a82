"""Probes that become captures, on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.problems import FieldProblem
from api.schemas.fields import ID, Body, Shown
from visavox.service.confirmation import Confirmed, Offer

_By = Field(description="Who vouches: `admin`, or `pin`.", examples=["admin"])


class Vouching(Body):
    """Whose probe it was."""

    member: Annotated[
        str | None,
        Field(
            pattern=ID,
            max_length=64,
            description="Left out: whom the decision granted, or whose PIN was typed right after.",
            examples=["ada"],
        ),
    ] = None


class Confirmation(Shown):
    """A capture that was a probe."""

    capture: Annotated[str, Field(examples=["cap_01j9zq3v8k0000000000000000"])]
    decision: Annotated[str, Field(examples=["dec_01j9zq3v8k0000000000000000"])]
    member: Annotated[str, Field(examples=["ada"])]
    by: Annotated[str, _By]
    at: datetime

    @classmethod
    def told(cls, made: Confirmed) -> "Confirmation":
        return cls(
            capture=made.capture.id,
            decision=made.decision,
            member=made.member.id,
            by=made.by,
            at=made.capture.created_at,
        )


class Offered(Shown):
    """What could be made of a decision's probe."""

    decision: Annotated[str, Field(examples=["dec_01j9zq3v8k0000000000000000"])]
    member: Annotated[str | None, Field(description="Whose it would be.", examples=["ada"])]
    by: Annotated[str | None, _By]
    capture: Annotated[str | None, Field(description="What it was made already.", examples=[None])]
    possible: Annotated[bool, Field(description="A confirmation would be taken now.")]
    objections: tuple[FieldProblem, ...]

    @classmethod
    def told(cls, offer: Offer) -> "Offered":
        against = tuple(
            FieldProblem(
                field=None, problem=o.problem, next_step=o.next_step, code=o.code, member=o.member
            )
            for o in offer.objections
        )
        ready = offer.by is not None and offer.member is not None and offer.capture is None
        return cls(
            decision=offer.decision,
            member=offer.member,
            by=offer.by,
            capture=offer.capture,
            possible=ready and not against,
            objections=against,
        )
