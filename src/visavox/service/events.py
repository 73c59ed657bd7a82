"""What happened at the fridges besides decisions: locks, caps, models, members."""

from datetime import datetime

from visavox.service.house import Actor, House
from visavox.store.records import Event, Page, Role


def page(
    house: House,
    who: Actor,
    *,
    fridge: str | None = None,
    kind: str | None = None,
    kiosk: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Event]:
    """The newest first, of the fridges that the actor's key is for."""
    who.need(Role.ADMIN, Role.AUDITOR)
    if fridge is not None:
        who.reach(fridge)
    with house.store.read() as unit:
        return unit.events.page(
            fridges=who.fridges if fridge is None else (fridge,),
            kind=kind,
            kiosk=kiosk,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
        )
