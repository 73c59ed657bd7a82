"""A fridge's compartments."""

from fastapi import APIRouter, Response, status

from api.deps import Caller, Home
from api.etags import MADE, TAGGED, IfMatch, tag
from api.problems import may
from api.schemas.compartments import Compartment, CompartmentChange, CompartmentMade
from api.schemas.fields import CompartmentId, FridgeId
from api.schemas.pages import Page, Paging, paged
from visavox.service import compartments

router = APIRouter(prefix="/v1/fridges/{fridge}/compartments", tags=["compartments"])


@router.post("", status_code=status.HTTP_201_CREATED, responses={**MADE, **may(404, 409)})
def create(
    house: Home, who: Caller, fridge: FridgeId, made: CompartmentMade, response: Response
) -> Compartment:
    """Add a compartment."""
    record = compartments.create(house, who, fridge, name=made.name, id=made.id)
    tag(response, record.version)
    response.headers["Location"] = f"/v1/fridges/{fridge}/compartments/{record.id}"
    return Compartment.model_validate(record)


@router.get("", responses=may(404))
def list_all(house: Home, who: Caller, fridge: FridgeId, wanted: Paging) -> Page[Compartment]:
    """The fridge's compartments, by id."""
    found = compartments.page(house, who, fridge, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, Compartment.model_validate)


@router.get("/{compartment}", responses={**TAGGED, **may(404)})
def read(
    house: Home, who: Caller, fridge: FridgeId, compartment: CompartmentId, response: Response
) -> Compartment:
    """One compartment."""
    record = compartments.read(house, who, fridge, compartment)
    tag(response, record.version)
    return Compartment.model_validate(record)


@router.patch("/{compartment}", responses={**TAGGED, **may(404, 412)})
def change(
    house: Home,
    who: Caller,
    fridge: FridgeId,
    compartment: CompartmentId,
    to: CompartmentChange,
    version: IfMatch,
    response: Response,
) -> Compartment:
    """Change its name."""
    record = compartments.change(
        house, who, fridge, compartment, name=to.name, expected_version=version
    )
    tag(response, record.version)
    return Compartment.model_validate(record)


@router.delete(
    "/{compartment}", status_code=status.HTTP_204_NO_CONTENT, responses=may(404, 409, 412)
)
def remove(
    house: Home, who: Caller, fridge: FridgeId, compartment: CompartmentId, version: IfMatch
) -> None:
    """Remove it; refused while members may open it."""
    compartments.remove(house, who, fridge, compartment, expected_version=version)
