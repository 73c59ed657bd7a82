"""What decides."""

from fastapi import APIRouter

from api.deps import Caller, Home
from api.problems import may
from api.schemas.fields import FridgeId
from api.schemas.models import Characterizer, Live, RollBack
from api.schemas.pages import Page, Paging, paged
from visavox.service import models, rollout

router = APIRouter(prefix="/v1", tags=["models"])


@router.get("/models")
def list_all(house: Home, who: Caller, wanted: Paging) -> Page[Live]:
    """What decides at each fridge that the key is for, by the fridge's id."""
    found = models.page(house, who, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, Live.model_validate)


@router.get("/models/characterizer")
def characterizer(house: Home, who: Caller) -> Characterizer:
    """The nets' card."""
    return Characterizer.model_validate(dict(models.characterizer(house, who)))


@router.get("/fridges/{fridge}/model", responses=may(404))
def read(house: Home, who: Caller, fridge: FridgeId) -> Live:
    """What decides at one fridge, and its lineage."""
    return Live.model_validate(models.read(house, who, fridge))


@router.post("/fridges/{fridge}/model/rollback", responses=may(404, 409))
def rollback(house: Home, who: Caller, fridge: FridgeId, of: RollBack | None = None) -> Live:
    """Let the champion before decide again, from the next request on.

    The two change places, and whatever is tried beside them is not tried any more.
    """
    leave, why = (None, "") if of is None else (of.leave, of.why)
    return Live.model_validate(rollout.rollback(house, who, fridge, leave=leave, why=why))
