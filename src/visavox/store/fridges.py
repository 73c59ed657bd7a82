"""Fridges, and what they are divided into."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from visavox.errors import Conflict, NotFound, Stale
from visavox.store import ids, paging
from visavox.store.database import is_duplicate
from visavox.store.records import Compartment, Fridge, Page
from visavox.store.tables import compartments, fridges, members
from visavox.store.vault import Owner, Vault


class Fridges:
    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, id: str | None, *, name: str, risk: str, locale: str, at: datetime) -> Fridge:  # noqa: A002
        """A new fridge; Conflict if the id is taken."""
        chosen = ids.made("fri", at) if id is None else ids.checked(id, "fridge")
        made = Fridge(chosen, name, risk, locale, at, version=1, revision=1)
        try:
            self._connection.execute(
                insert(fridges).values(
                    id=chosen, name=name, risk=risk, locale=locale,
                    created_at=at, version=1, revision=1,
                )
            )  # fmt: skip
        except IntegrityError:
            raise Conflict(
                f"There is a fridge {chosen!r} already.", next_step="Choose another id."
            ) from None
        self._vault.create(Owner(chosen))
        return made

    def get(self, fridge: str) -> Fridge:
        row = self._connection.execute(select(fridges).where(fridges.c.id == fridge)).first()
        if row is None:
            raise missing(fridge)
        return _fridge(row)

    def page(
        self,
        *,
        fridges: Sequence[str] | None = None,
        cursor: str | None = None,
        limit: int = paging.LIMIT,
    ) -> Page[Fridge]:
        """All of them, or those of `fridges`, by id."""
        return paging.page(
            self._connection, _among(fridges), _table.c.id, _fridge, cursor=cursor, limit=limit
        )

    def update(self, fridge: Fridge, *, expected_version: int | None = None) -> Fridge:
        """Keep its name, risk and locale; Stale if its version is not the expected one."""
        values = {"name": fridge.name, "risk": fridge.risk, "locale": fridge.locale}
        asked = update(fridges).where(fridges.c.id == fridge.id)
        if expected_version is not None:
            asked = asked.where(fridges.c.version == expected_version)
        done = self._connection.execute(asked.values(version=fridges.c.version + 1, **values))
        kept = self.get(fridge.id)
        if not done.rowcount:
            raise stale(f"The fridge {fridge.id!r}")
        return kept

    def delete(self, fridge: str, *, expected_version: int | None = None) -> None:
        """The fridge, its compartments and its keys; Conflict while it has members."""
        found = self.lock(fridge)
        if expected_version not in {None, found.version}:
            raise stale(f"The fridge {fridge!r}")
        asked = select(func.count()).select_from(members).where(members.c.fridge == fridge)
        if count := self._connection.scalar(asked):
            raise Conflict(
                f"The fridge {fridge!r} still has {count} members.",
                next_step="Delete its members first: each is erased for good.",
            )
        self._connection.execute(delete(compartments).where(compartments.c.fridge == fridge))
        self._connection.execute(delete(fridges).where(fridges.c.id == fridge))
        keys = Owner(fridge), Owner.models(fridge)
        self._vault.claim(*keys)
        for owner in keys:
            self._vault.destroy(owner)

    def lock(self, fridge: str) -> Fridge:
        """As `get`; nobody else changes it, or its members, until this transaction ends."""
        asked = select(fridges).where(fridges.c.id == fridge).with_for_update()
        row = self._connection.execute(asked).first()
        if row is None:
            raise missing(fridge)
        return _fridge(row)

    def revision(self, fridge: str) -> int:
        """Grows whenever its members or their captures change."""
        found = self._connection.scalar(select(fridges.c.revision).where(fridges.c.id == fridge))
        if found is None:
            raise missing(fridge)
        return int(found)


class Compartments:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, fridge: str, id: str | None, *, name: str, at: datetime) -> Compartment:  # noqa: A002
        """A new compartment; Conflict if the fridge has one of that id."""
        chosen = ids.made("com", at) if id is None else ids.checked(id, "compartment")
        try:
            self._connection.execute(
                insert(compartments).values(
                    fridge=fridge, id=chosen, name=name, created_at=at, version=1
                )
            )
        except IntegrityError as error:
            if not is_duplicate(error):
                raise missing(fridge) from None
            raise Conflict(
                f"The fridge {fridge!r} has a compartment {chosen!r} already.",
                next_step="Choose another id.",
            ) from None
        return Compartment(chosen, fridge, name, at, version=1)

    def get(self, fridge: str, compartment: str) -> Compartment:
        row = self._connection.execute(_of(fridge, compartment)).first()
        if row is None:
            raise _no_compartment(fridge, compartment)
        return _compartment(row)

    def page(
        self, fridge: str, *, cursor: str | None = None, limit: int = paging.LIMIT
    ) -> Page[Compartment]:
        """Those of one fridge, by id."""
        asked = select(compartments).where(compartments.c.fridge == fridge)
        key = compartments.c.id
        return paging.page(self._connection, asked, key, _compartment, cursor=cursor, limit=limit)

    def update(
        self, compartment: Compartment, *, expected_version: int | None = None
    ) -> Compartment:
        """Keep its name; Stale if its version is not the expected one."""
        c = compartments.c
        asked = update(compartments).where(c.fridge == compartment.fridge, c.id == compartment.id)
        if expected_version is not None:
            asked = asked.where(c.version == expected_version)
        done = self._connection.execute(asked.values(name=compartment.name, version=c.version + 1))
        kept = self.get(compartment.fridge, compartment.id)
        if not done.rowcount:
            raise stale(f"The compartment {compartment.id!r}")
        return kept

    def delete(self, fridge: str, compartment: str, *, expected_version: int | None = None) -> None:
        """Conflict while members may open it."""
        found = self._connection.execute(_of(fridge, compartment).with_for_update()).first()
        if found is None:
            raise _no_compartment(fridge, compartment)
        if expected_version not in {None, found.version}:
            raise stale(f"The compartment {compartment!r}")
        c = compartments.c
        asked = delete(compartments).where(c.fridge == fridge, c.id == compartment)
        try:
            self._connection.execute(asked)
        except IntegrityError:
            raise Conflict(
                f"Members may still open the compartment {compartment!r}.",
                next_step="Take their grants away first.",
            ) from None


_table = fridges


def missing(fridge: str) -> NotFound:
    return NotFound(f"There is no fridge {fridge!r}.", next_step="Check the id.")


def stale(what: str) -> Stale:
    return Stale(
        f"{what} was changed by somebody else meanwhile.",
        next_step="Read it again, and decide anew.",
    )


def _no_compartment(fridge: str, compartment: str) -> NotFound:
    return NotFound(
        f"The fridge {fridge!r} has no compartment {compartment!r}.", next_step="Check the id."
    )


def _among(chosen: Sequence[str] | None) -> Select[Any]:
    asked = select(fridges)
    return asked if chosen is None else asked.where(fridges.c.id.in_(chosen))


def _of(fridge: str, compartment: str) -> Select[Any]:
    c = compartments.c
    return select(compartments).where(c.fridge == fridge, c.id == compartment)


def _fridge(row: Any) -> Fridge:
    return Fridge(**row._mapping)


def _compartment(row: Any) -> Compartment:
    return Compartment(**row._mapping)
