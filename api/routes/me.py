"""The key that asks."""

from fastapi import APIRouter

from api.deps import Caller
from api.schemas.keys import Me

router = APIRouter(prefix="/v1/me", tags=["keys"])


@router.get("")
async def read(who: Caller) -> Me:
    """What the key that asks is, and what it is for."""
    return Me.model_validate(who)
