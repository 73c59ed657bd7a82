"""Which member may open which compartment. A member without any is recognised, and let out."""

from visavox.errors import NotFound
from visavox.service.house import Actor, House
from visavox.store.records import Grant, Page, Role


def page(
    house: House,
    who: Actor,
    fridge: str,
    member: str,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Grant]:
    """One member's, by compartment."""
    who.need(Role.ADMIN, Role.AUDITOR)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.members.get(fridge, member)
        return unit.grants.page(fridge, member, limit=limit, cursor=cursor)


def grant(house: House, who: Actor, fridge: str, member: str, compartment: str) -> Grant:
    """Let them open it, from the next decision on; granted twice is granted."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        made = unit.grants.put(fridge, member, compartment, at=at)
        who.note(unit, at, "grant.give", f"{fridge}/{member}", compartment=compartment)
    return made


def withdraw(house: House, who: Actor, fridge: str, member: str, compartment: str) -> None:
    """NotFound where they had none."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        if not unit.grants.remove(fridge, member, compartment):
            raise NotFound(
                f"The member {member!r} may not open {compartment!r} anyway.",
                next_step="Read their grants.",
            )
        who.note(unit, at, "grant.withdraw", f"{fridge}/{member}", compartment=compartment)
