"""A number and a PIN as the way in."""

from fastapi import APIRouter, Response

from api.deps import Arrived, Caller, Counts, Home
from api.problems import may
from api.schemas.decisions import Decision, PinAttempt, wait
from visavox.service import pins

router = APIRouter(prefix="/v1/pin-authentications", tags=["decisions"])


@router.post("", responses=may(404, 413, 415))
def authenticate(
    house: Home,
    who: Caller,
    counts: Counts,
    arrived: Arrived,
    response: Response,
    typed: PinAttempt,
) -> Decision:
    """Decide by number and PIN. A wrong one counts as a failure, as a stranger's face does."""
    answer = pins.authenticate(
        house, who, fridge=typed.fridge, number=typed.number, pin=typed.pin, arrived=arrived
    )
    counts.decided(answer)
    wait(answer, response)
    return Decision.of(answer, who)
