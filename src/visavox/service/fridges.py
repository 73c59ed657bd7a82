"""Fridges: what they are called, how careful they are, and how they stand."""

from dataclasses import dataclass, replace

from visavox.errors import Conflict
from visavox.service import values
from visavox.service.attempts import Lock, lock_of
from visavox.service.house import Actor, House
from visavox.service.live import Live
from visavox.store import Unit
from visavox.store.records import Fridge, Page, Role


@dataclass(frozen=True, slots=True)
class Standing:
    """How a fridge stands now: may it be opened, who is in it, what decides."""

    fridge: Fridge
    lock: Lock
    kiosks: tuple[tuple[str, Lock], ...]
    """Each kiosk that may ask for it, by the id of its key."""
    live: Live
    retraining: int
    """Changes that wait for a retraining."""


def create(
    house: House,
    who: Actor,
    *,
    name: str,
    risk: str = "normal",
    locale: str = "en",
    id: str | None = None,  # noqa: A002
) -> Fridge:
    """A fridge without members; Conflict where the id is taken."""
    who.need(Role.ADMIN)
    who.everywhere()
    at = house.clock()
    with house.store.begin() as unit:
        made = unit.fridges.add(
            id,
            name=values.name(name),
            risk=values.risk(risk),
            locale=values.locale(locale),
            at=at,
        )
        who.note(unit, at, "fridge.create", made.id, risk=made.risk)
    return made


def read(house: House, who: Actor, fridge: str) -> Fridge:
    """One fridge; a kiosk may read its own."""
    who.reach(fridge)
    with house.store.read() as unit:
        return unit.fridges.get(fridge)


def page(house: House, who: Actor, *, limit: int = 50, cursor: str | None = None) -> Page[Fridge]:
    """Those that the actor's key is for, by id."""
    with house.store.read() as unit:
        return unit.fridges.page(fridges=who.fridges, limit=limit, cursor=cursor)


def change(
    house: House,
    who: Actor,
    fridge: str,
    *,
    name: str | None = None,
    risk: str | None = None,
    locale: str | None = None,
    expected_version: int | None = None,
) -> Fridge:
    """What is None stays. A new risk setting holds from the next decision on; Conflict where the
    models that are live do not know it.
    """
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        # Locked, so that of two who change different things neither undoes the other's.
        found = unit.fridges.lock(fridge)
        wanted = replace(
            found,
            name=found.name if name is None else values.name(name),
            risk=found.risk if risk is None else values.risk(risk),
            locale=found.locale if locale is None else values.locale(locale),
        )
        if wanted.risk != found.risk:
            _served(house, unit, found, wanted.risk)
        kept = unit.fridges.update(wanted, expected_version=expected_version)
        who.note(unit, at, "fridge.change", fridge, risk=kept.risk, locale=kept.locale)
    return kept


def remove(house: House, who: Actor, fridge: str, *, expected_version: int | None = None) -> None:
    """Conflict while it has members: each of them is erased on their own.

    No key is for it any more, so that none opens another fridge that is given its id later.
    """
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        unit.fridges.delete(fridge, expected_version=expected_version)
        withdrawn = unit.keys.withdraw(fridge, at=at)
        unit.attempts.clear(f"fridge:{fridge}")
        who.note(unit, at, "fridge.remove", fridge, keys=withdrawn)
    house.models.drop(fridge)


def standing(house: House, who: Actor, fridge: str) -> Standing:
    """Locks, members and models of one fridge."""
    who.reach(fridge)
    with house.store.read() as unit:
        found = unit.fridges.get(fridge)
        at = house.clock()
        kiosks = [key for key in unit.keys.kiosks(fridge) if key.revoked_at is None]
        if who.role is Role.KIOSK:
            kiosks = [key for key in kiosks if key.id == who.key_id]
        return Standing(
            found,
            lock_of(unit.attempts.get(f"fridge:{fridge}"), at),
            tuple((k.id, lock_of(unit.attempts.get(f"kiosk:{k.id}"), at)) for k in kiosks),
            house.models.describe(unit, found),
            len(unit.retraining.pending(fridge)),
        )


def _served(house: House, unit: Unit, fridge: Fridge, risk: str) -> None:
    """Conflict unless every model that decides there, now or for newcomers, knows this setting."""
    now = house.models.snapshot(unit, fridge)
    known = [] if now.bundle is None else [set(now.bundle.policy.levels)]
    if now.base is not None:
        known.append(set(now.base.policy.levels) & set(now.base.policy.provisional))
    if all(risk in settings for settings in known):
        return
    both = [name for name in values.RISKS if all(name in settings for settings in known)]
    raise Conflict(
        f"The models that are live at {fridge.id!r} do not know the risk setting {risk!r}.",
        next_step=f"Choose another ({', '.join(both) or 'there is none'}), or first install models"
        " that were trained with it.",
    )
