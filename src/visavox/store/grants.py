"""Which member may open which compartment."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from visavox.errors import NotFound
from visavox.store import paging
from visavox.store.records import Compartment, Grant, Page
from visavox.store.tables import compartments, grants, members

g = grants.c


@dataclass(frozen=True, slots=True)
class Grants:
    _connection: Connection

    def put(self, fridge: str, member: str, compartment: str, *, at: datetime) -> Grant:
        """Let them open it; they may already. NotFound if one of the three is not there."""
        # Locked, so that of two who grant the same at once the second finds the first's.
        owner = select(members.c.id).where(members.c.fridge == fridge, members.c.id == member)
        if self._connection.scalar(owner.with_for_update()) is None:
            raise _missing(fridge, member, compartment)
        mine = (g.fridge == fridge) & (g.member == member) & (g.compartment == compartment)
        row = self._connection.execute(select(grants).where(mine)).first()
        if row is not None:
            return Grant(**row._mapping)
        values = {"fridge": fridge, "member": member, "compartment": compartment}
        try:
            self._connection.execute(insert(grants).values(created_at=at, **values))
        except IntegrityError:
            raise _missing(fridge, member, compartment) from None
        return Grant(**values, created_at=at)

    def remove(self, fridge: str, member: str, compartment: str) -> bool:
        """Whether there was one."""
        mine = (g.fridge == fridge) & (g.member == member) & (g.compartment == compartment)
        return bool(self._connection.execute(delete(grants).where(mine)).rowcount)

    def page(
        self, fridge: str, member: str, *, cursor: str | None = None, limit: int = paging.LIMIT
    ) -> Page[Grant]:
        """A member's, by compartment."""
        return paging.page(
            self._connection,
            select(grants).where(g.fridge == fridge, g.member == member),
            g.compartment,
            lambda row: Grant(**row._mapping),
            cursor=cursor,
            limit=limit,
        )

    def compartments(self, fridge: str, member: str) -> tuple[Compartment, ...]:
        """Those that the member may open, by id."""
        k = compartments.c
        asked = (
            select(compartments)
            .join(grants, (g.fridge == k.fridge) & (g.compartment == k.id))
            .where(g.fridge == fridge, g.member == member)
            .order_by(k.id)
        )
        return tuple(Compartment(**row._mapping) for row in self._connection.execute(asked).all())


def _missing(fridge: str, member: str, compartment: str) -> NotFound:
    return NotFound(
        f"The fridge {fridge!r} has no member {member!r}, or no compartment {compartment!r}.",
        next_step="Check the ids.",
    )
