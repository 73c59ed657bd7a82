"""What a fridge is divided into, each part with a lock of its own."""

from dataclasses import replace

from visavox.service import values
from visavox.service.house import Actor, House
from visavox.store.records import Compartment, Page, Role


def create(
    house: House,
    who: Actor,
    fridge: str,
    *,
    name: str,
    id: str | None = None,  # noqa: A002
) -> Compartment:
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        made = unit.compartments.add(fridge, id, name=values.name(name), at=at)
        who.note(unit, at, "compartment.create", f"{fridge}/{made.id}")
    return made


def read(house: House, who: Actor, fridge: str, compartment: str) -> Compartment:
    who.reach(fridge)
    with house.store.read() as unit:
        return unit.compartments.get(fridge, compartment)


def page(
    house: House, who: Actor, fridge: str, *, limit: int = 50, cursor: str | None = None
) -> Page[Compartment]:
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)
        return unit.compartments.page(fridge, limit=limit, cursor=cursor)


def change(
    house: House,
    who: Actor,
    fridge: str,
    compartment: str,
    *,
    name: str,
    expected_version: int | None = None,
) -> Compartment:
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        found = unit.compartments.get(fridge, compartment)
        kept = unit.compartments.update(
            replace(found, name=values.name(name)), expected_version=expected_version
        )
        who.note(unit, at, "compartment.change", f"{fridge}/{compartment}")
    return kept


def remove(
    house: House,
    who: Actor,
    fridge: str,
    compartment: str,
    *,
    expected_version: int | None = None,
) -> None:
    """Conflict while members may open it."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        unit.compartments.delete(fridge, compartment, expected_version=expected_version)
        who.note(unit, at, "compartment.remove", f"{fridge}/{compartment}")
