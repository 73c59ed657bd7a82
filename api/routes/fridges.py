"""Fridges, and the lifting of their locks."""

from fastapi import APIRouter, Response, status

from api.deps import Caller, Home
from api.etags import MADE, TAGGED, IfMatch, tag
from api.problems import may
from api.schemas.fields import FridgeId
from api.schemas.fridges import Fridge, FridgeChange, FridgeMade, Standing, Unlock
from api.schemas.pages import Page, Paging, paged
from visavox.service import attempts, fridges

router = APIRouter(prefix="/v1/fridges", tags=["fridges"])


@router.post("", status_code=status.HTTP_201_CREATED, responses={**MADE, **may(409)})
def create(house: Home, who: Caller, made: FridgeMade, response: Response) -> Fridge:
    """Add a fridge."""
    record = fridges.create(
        house, who, name=made.name, risk=made.risk, locale=made.locale, id=made.id
    )
    tag(response, record.version)
    response.headers["Location"] = f"/v1/fridges/{record.id}"
    return Fridge.model_validate(record)


@router.get("")
def list_all(house: Home, who: Caller, wanted: Paging) -> Page[Fridge]:
    """The fridges that the key is for, by id."""
    found = fridges.page(house, who, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, Fridge.model_validate)


@router.get("/{fridge}", responses={**TAGGED, **may(404)})
def read(house: Home, who: Caller, fridge: FridgeId, response: Response) -> Fridge:
    """One fridge."""
    record = fridges.read(house, who, fridge)
    tag(response, record.version)
    return Fridge.model_validate(record)


@router.patch("/{fridge}", responses={**TAGGED, **may(404, 409, 412)})
def change(
    house: Home,
    who: Caller,
    fridge: FridgeId,
    to: FridgeChange,
    version: IfMatch,
    response: Response,
) -> Fridge:
    """Change its name, risk setting or language; a new risk setting holds from the next decision.

    Refused where the models that are live were not trained with that risk setting.
    """
    record = fridges.change(
        house, who, fridge, name=to.name, risk=to.risk, locale=to.locale, expected_version=version
    )
    tag(response, record.version)
    return Fridge.model_validate(record)


@router.delete("/{fridge}", status_code=status.HTTP_204_NO_CONTENT, responses=may(404, 409, 412))
def remove(house: Home, who: Caller, fridge: FridgeId, version: IfMatch) -> None:
    """Remove it and its compartments; refused while it has members.

    Keys that were for this fridge alone are revoked.
    """
    fridges.remove(house, who, fridge, expected_version=version)


@router.post("/{fridge}/unlock", responses=may(404))
def unlock(house: Home, who: Caller, fridge: FridgeId, of: Unlock | None = None) -> Standing:
    """Lift the lock of a kiosk, or of the fridge and all its kiosks."""
    return Standing.of(attempts.unlock(house, who, fridge, kiosk=of.kiosk if of else None))


@router.get("/{fridge}/standing", responses=may(404))
def standing(house: Home, who: Caller, fridge: FridgeId) -> Standing:
    """Whether it is locked; a kiosk sees the fridge's lock and its own."""
    return Standing.of(fridges.standing(house, who, fridge))
