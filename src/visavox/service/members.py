"""Members: who they are, and how they leave without a trace. How they come is `enrolment`."""

from dataclasses import replace

from visavox.service import erasure, values
from visavox.service.erasure import Removed
from visavox.service.house import Actor, House
from visavox.store.records import CaptureRecord, Member, Page, Role


def read(house: House, who: Actor, fridge: str, member: str) -> Member:
    who.need(Role.ADMIN)
    who.reach(fridge)
    with house.store.read() as unit:
        return unit.members.get(fridge, member)


def page(
    house: House, who: Actor, fridge: str, *, limit: int = 50, cursor: str | None = None
) -> Page[Member]:
    """Those of one fridge, by id."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)
        return unit.members.page(fridge, limit=limit, cursor=cursor)


def captures(
    house: House,
    who: Actor,
    fridge: str,
    member: str,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[CaptureRecord]:
    """What they were enrolled with, oldest first; what was seen in it stays inside."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.members.get(fridge, member)
        return unit.captures.page(fridge, member, limit=limit, cursor=cursor)


def change(
    house: House,
    who: Actor,
    fridge: str,
    member: str,
    *,
    name: str | None = None,
    locale: str | None = None,
    expected_version: int | None = None,
) -> Member:
    """What is None stays."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        unit.fridges.lock(fridge)
        found = unit.members.get(fridge, member)
        wanted = replace(
            found,
            name=found.name if name is None else values.name(name),
            locale=found.locale if locale is None else values.locale(locale),
        )
        kept = unit.members.update(wanted, expected_version=expected_version)
        changed = [f for f, v in (("name", name), ("locale", locale)) if v is not None]
        who.note(unit, at, "member.change", f"{fridge}/{member}", changed=changed)
    return kept


def remove(
    house: House, who: Actor, fridge: str, member: str, *, expected_version: int | None = None
) -> Removed:
    """Erase a member: their key, captures, name, number and PIN; no decision grants them again.

    Decisions keep their id, and no probe. The trained bundle goes on without their part of it; a
    retraining is asked for all the same, since they helped to set the rest. The receipt that this
    opens is complete once what was retrained knows them no more (`receipts`).
    """
    who.need(Role.ADMIN)
    who.reach(fridge)
    removed = erasure.erase(
        house.store,
        house.models.slot(fridge),
        member,
        actor=who.key_id,
        at=house.clock(),
        detail=who.told(),
        expected_version=expected_version,
    )
    house.models.forget(fridge, member)
    return removed
