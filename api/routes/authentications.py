"""Face and voice as the way in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from api.captures import FORM_LIMITS, MultipartOf, Probe
from api.deps import Arrived, Caller, Counts, Home
from api.problems import may
from api.schemas.decisions import Decision, wait
from api.schemas.fields import ID
from visavox.service import authentication

router = APIRouter(prefix="/v1/authentications", tags=["decisions"])
_FORM = MultipartOf("fridge", "challenge")


@router.post(
    "",
    dependencies=[Depends(_FORM)],
    form_limits=FORM_LIMITS,
    responses=may(404, 408, 409, 413, 415, 504),
)
def authenticate(
    house: Home,
    who: Caller,
    counts: Counts,
    arrived: Arrived,
    response: Response,
    sample: Probe,
    fridge: Annotated[str, Form(pattern=ID, max_length=64, examples=["kitchen"])],
    challenge: Annotated[
        str | None,
        Form(pattern=ID, max_length=64, description="The id of a challenge; used up by this."),
    ] = None,
) -> Decision:
    """Decide who is at the kiosk, and what opens to them.

    The answer is 200 whatever was decided: `outcome` is granted, refused, retry or locked.
    Send a `clip`, or up to five `image` and an `audio`, of one person.
    """
    answer = authentication.authenticate(
        house, who, fridge=fridge, sample=sample, challenge=challenge, arrived=arrived
    )
    counts.decided(answer)
    wait(answer, response)
    return Decision.of(answer, who)
