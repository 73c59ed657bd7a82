"""What was decided, and why: the trail of every answer."""

from datetime import datetime

from visavox.errors import NotFound
from visavox.service.answer import Answer, code_of, verdicts_of
from visavox.service.house import Actor, House
from visavox.store import Unit
from visavox.store.records import (
    Compartment,
    DecisionOutcome,
    DecisionRecord,
    Member,
    Method,
    Page,
    Role,
)


def read(house: House, who: Actor, decision: str) -> Answer:
    """One decision as it was given; its ticket is not there, and opens nothing any more."""
    who.need(Role.ADMIN, Role.AUDITOR)
    with house.store.read() as unit:
        found = unit.decisions.get(decision)
        who.reach(found.fridge)
        return _Trail(unit).shown(found)


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
        trail = _Trail(unit)
        return Page(tuple(trail.shown(d) for d in found.items), found.next_cursor)


class _Trail:
    """Decisions with the names of whom and what they were about, each looked up once."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._members: dict[tuple[str, str], Member | None] = {}
        self._compartments: dict[tuple[str, str], Compartment | None] = {}

    def shown(self, record: DecisionRecord) -> Answer:
        member: Member | None = None
        if record.member is not None and record.outcome is DecisionOutcome.GRANTED:
            member = self._member(record.fridge, record.member)
            if member is not None and member.created_at > record.at:
                member = None  # somebody else has the id now
        return Answer(
            decision=record,
            member=member,
            compartments=tuple(self._compartment(record, c) for c in record.compartments),
            next_step_code=code_of(record),
            verdicts=verdicts_of(record),
        )

    def _member(self, fridge: str, member: str) -> Member | None:
        if (fridge, member) not in self._members:
            try:
                self._members[fridge, member] = self._unit.members.get(fridge, member)
            except NotFound:
                self._members[fridge, member] = None
        return self._members[fridge, member]

    def _compartment(self, record: DecisionRecord, compartment: str) -> Compartment:
        place = record.fridge, compartment
        if place not in self._compartments:
            try:
                self._compartments[place] = self._unit.compartments.get(*place)
            except NotFound:
                self._compartments[place] = None
        # Removed since: its id must do.
        gone = Compartment(compartment, record.fridge, compartment, record.at, 0)
        return self._compartments[place] or gone
