"""Digits to speak."""

from fastapi import APIRouter, status

from api.deps import Caller, Home
from api.problems import may
from api.schemas.challenges import Challenge, ChallengeWanted
from visavox.service import challenges

router = APIRouter(prefix="/v1/challenges", tags=["decisions"])


@router.post("", status_code=status.HTTP_201_CREATED, responses=may(404, 413, 415))
def draw(house: Home, who: Caller, wanted: ChallengeWanted) -> Challenge:
    """Draw digits for the person at this kiosk to speak.

    They make a request unrepeatable. That they were spoken is not checked yet.
    """
    return Challenge.model_validate(challenges.draw(house, who, wanted.fridge))
