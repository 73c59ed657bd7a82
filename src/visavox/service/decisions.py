"""What was decided, and why: the trail of every answer."""

from datetime import datetime

from visavox.service.answer import Answer
from visavox.service.conclusion import shown
from visavox.service.house import Actor, House
from visavox.store.records import DecisionOutcome, Method, Page, Role


def read(house: House, who: Actor, decision: str) -> Answer:
    """One decision as it was given; its ticket is not there, and opens nothing any more."""
    who.need(Role.ADMIN, Role.AUDITOR)
    with house.store.read() as unit:
        found = unit.decisions.get(decision)
        who.reach(found.fridge)
        return shown(unit, who, found)


def page(
    house: House,
    who: Actor,
    *,
    fridge: str | None = None,
    member: str | None = None,
    outcome: DecisionOutcome | None = None,
    kiosk: str | None = None,
    method: Method | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Answer]:
    """The newest first, of the fridges that the actor's key is for."""
    who.need(Role.ADMIN, Role.AUDITOR)
    if fridge is not None:
        who.reach(fridge)
    with house.store.read() as unit:
        found = unit.decisions.page(
            fridges=who.fridges if fridge is None else (fridge,),
            member=member,
            outcome=outcome,
            kiosk=kiosk,
            method=method,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
        )
        return Page(tuple(shown(unit, who, d) for d in found.items), found.next_cursor)
