"""Probes that somebody vouches for: the only ones that are ever learned from."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.deps import Caller, Home
from api.problems import may
from api.schemas.confirmations import Confirmation, Offered, Vouching
from api.schemas.fields import ID
from visavox.service import confirmation

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])
_Decision = Annotated[
    str, Path(pattern=ID, max_length=64, examples=["dec_01j9zq3v8k0000000000000000"])
]


@router.get("/{decision}/confirmation", responses=may(404, 409, 410))
def offered(
    house: Home,
    who: Caller,
    decision: _Decision,
    member: Annotated[str | None, Query(pattern=ID, max_length=64)] = None,
) -> Offered:
    """Whether the probe may become a capture, of whom, and what speaks against it.

    A kiosk is offered its own probes, once the member's PIN was typed there right after.
    """
    return Offered.told(confirmation.offer(house, who, decision, member=member))


@router.post("/{decision}/confirm", status_code=201, responses=may(404, 409, 410))
def confirm(
    house: Home, who: Caller, decision: _Decision, vouched: Vouching | None = None
) -> Confirmation:
    """Make the probe a capture of the member, sealed under the member's key; the fridge is retrained.

    Refused where it is not close enough to what the member was enrolled with, or where confirmed
    captures would outweigh those.
    """
    member = None if vouched is None else vouched.member
    return Confirmation.told(confirmation.confirm(house, who, decision, member=member))
