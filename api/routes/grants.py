"""Which compartments a member may open."""

from fastapi import APIRouter, status

from api.deps import Caller, Home
from api.problems import may
from api.schemas.fields import CompartmentId, FridgeId, MemberId
from api.schemas.grants import Grant
from api.schemas.pages import Page, Paging, paged
from visavox.service import grants

router = APIRouter(prefix="/v1/fridges/{fridge}/members/{member}/grants", tags=["grants"])


@router.get("", responses=may(404))
def list_all(
    house: Home, who: Caller, fridge: FridgeId, member: MemberId, wanted: Paging
) -> Page[Grant]:
    """What the member may open, by compartment."""
    found = grants.page(house, who, fridge, member, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, Grant.model_validate)


@router.put("/{compartment}", responses=may(404))
def grant(
    house: Home, who: Caller, fridge: FridgeId, member: MemberId, compartment: CompartmentId
) -> Grant:
    """Let the member open it. Doing so again changes nothing."""
    return Grant.model_validate(grants.grant(house, who, fridge, member, compartment))


@router.delete("/{compartment}", status_code=status.HTTP_204_NO_CONTENT, responses=may(404))
def withdraw(
    house: Home, who: Caller, fridge: FridgeId, member: MemberId, compartment: CompartmentId
) -> None:
    """Let the member open it no longer, from the next decision on."""
    grants.withdraw(house, who, fridge, member, compartment)
