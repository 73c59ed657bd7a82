"""Who did what, in a chain that shows when it was altered."""

from visavox.audit import AuditRecord, Verification
from visavox.service.house import Actor, House
from visavox.store.records import Page, Role


def page(
    house: House, who: Actor, *, limit: int = 50, cursor: str | None = None
) -> Page[AuditRecord]:
    """The newest first. The log is of the whole house, and so must the key be."""
    who.need(Role.ADMIN, Role.AUDITOR)
    who.everywhere()
    with house.store.read() as unit:
        return unit.audit.page(limit=limit, cursor=cursor)


def verification(house: House, who: Actor) -> Verification:
    """Walk the whole chain."""
    who.need(Role.ADMIN, Role.AUDITOR)
    who.everywhere()
    with house.store.read() as unit:
        return unit.audit.verify()
