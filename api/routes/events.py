"""What happened besides decisions."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import Caller, Home
from api.schemas.events import Event
from api.schemas.fields import ID
from api.schemas.moments import Moment
from api.schemas.pages import Page, Paging, paged
from visavox.service import events

router = APIRouter(prefix="/v1/events", tags=["decisions"])
_Id = Annotated[str | None, Query(pattern=ID, max_length=64)]


@router.get("")
def list_all(
    house: Home,
    who: Caller,
    wanted: Paging,
    fridge: _Id = None,
    kind: _Id = None,
    kiosk: _Id = None,
    since: Annotated[Moment | None, Query(description="From this moment on.")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment.")] = None,
) -> Page[Event]:
    """Locks, lifts, changes of models and members; the newest first."""
    found = events.page(
        house,
        who,
        fridge=fridge,
        kind=kind,
        kiosk=kiosk,
        since=since,
        until=until,
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    return paged(found, Event.model_validate)
