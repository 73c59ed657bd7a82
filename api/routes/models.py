"""What decides."""

from fastapi import APIRouter

from api.deps import Caller, Home
from api.problems import may
from api.schemas.fields import FridgeId
from api.schemas.models import Characterizer, Live
from api.schemas.pages import Page, Paging, paged
from visavox.service import models

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
