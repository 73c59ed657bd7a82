"""Members: their names and PINs are sealed with their own key, which goes when they go."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from visavox.errors import Conflict, NotFound
from visavox.store import fridges as fridge_rows
from visavox.store import ids, paging
from visavox.store.blobs import Blobs
from visavox.store.records import Erased, Member, Page
from visavox.store.tables import captures, fridges, grants, members
from visavox.store.vault import Owner, Vault

m = members.c


@dataclass(frozen=True, slots=True)
class Members:
    _connection: Connection
    _vault: Vault
    _blobs: Blobs
    _after_commit: Callable[[Callable[[], None]], None]
    _forget: Callable[[], None]

    def add(
        self,
        fridge: str,
        id: str | None,  # noqa: A002
        *,
        name: str,
        locale: str,
        consent_at: datetime,
        at: datetime,
        pin_hash: str | None = None,
    ) -> Member:
        """A new member with a key of their own and a number; Conflict if the id is taken."""
        chosen = ids.made("mem", at) if id is None else ids.checked(id, "member")
        touch(self._connection, fridge)
        if self._connection.execute(_one(fridge, chosen)).first() is not None:
            raise Conflict(
                f"The fridge {fridge!r} has a member {chosen!r} already.",
                next_step="Choose another id, or add captures to that member.",
            )
        owner = Owner(fridge, chosen)
        self._vault.create(owner)
        pin = None if pin_hash is None else self._vault.seal(
            owner, pin_hash.encode(), _where(fridge, chosen, "pin")
        )  # fmt: skip
        self._connection.execute(
            insert(members).values(
                fridge=fridge,
                id=chosen,
                number=self._number(fridge),
                name_sealed=self._vault.seal(owner, name.encode(), _where(fridge, chosen, "name")),
                pin_sealed=pin,
                locale=locale,
                consent_at=consent_at,
                created_at=at,
                version=1,
            )
        )
        return self.get(fridge, chosen)

    def get(self, fridge: str, member: str, *, lock: bool = False) -> Member:
        """With `lock`, nobody changes or deletes them until this transaction ends."""
        if lock:
            self._connection.execute(
                select(m.id).where(m.fridge == fridge, m.id == member).with_for_update(read=True)
            )
        row = self._connection.execute(_one(fridge, member)).first()
        if row is None:
            raise missing(fridge, member)
        return self._member(row)

    def by_number(self, fridge: str, number: str) -> Member | None:
        asked = _counted().where(m.fridge == fridge, m.number == number)
        row = self._connection.execute(asked).first()
        return None if row is None else self._member(row)

    def ids(self, fridge: str) -> tuple[str, ...]:
        asked = select(m.id).where(m.fridge == fridge).order_by(m.id)
        return tuple(self._connection.scalars(asked))

    def roster(self, fridge: str) -> dict[str, tuple[datetime, int]]:
        """Each member's id, since when they are one, and how many captures they have; opens nothing."""
        c = captures.c
        asked = (
            select(m.id, m.created_at, func.count(c.id))
            .outerjoin(captures, (c.fridge == m.fridge) & (c.member == m.id))
            .where(m.fridge == fridge)
            .group_by(m.id, m.created_at)
            .order_by(m.id)
        )
        return {row[0]: (row[1], int(row[2])) for row in self._connection.execute(asked).all()}

    def page(
        self, fridge: str, *, cursor: str | None = None, limit: int = paging.LIMIT
    ) -> Page[Member]:
        """Those of one fridge, by id."""
        asked = _counted().where(m.fridge == fridge)
        return paging.page(self._connection, asked, m.id, self._member, cursor=cursor, limit=limit)

    def update(self, member: Member, *, expected_version: int | None = None) -> Member:
        """Keep their name and locale; Stale if their version is not the expected one."""
        owner = Owner(member.fridge, member.id)
        self.get(member.fridge, member.id)
        where = _where(member.fridge, member.id, "name")
        name = self._vault.seal(owner, member.name.encode(), where)
        return self._change(
            member.fridge, member.id, expected_version, name_sealed=name, locale=member.locale
        )

    def pin_hash(self, fridge: str, member: str) -> str | None:
        asked = select(m.pin_sealed).where(m.fridge == fridge, m.id == member)
        sealed = self._connection.scalar(asked)
        if sealed is None:
            return None
        return self._vault.open(sealed, _where(fridge, member, "pin")).decode()

    def set_pin(
        self,
        fridge: str,
        member: str,
        pin_hash: str | None,
        *,
        expected_version: int | None = None,
    ) -> Member:
        """Replace their PIN's hash, or take it away."""
        self.get(fridge, member)
        where = _where(fridge, member, "pin")
        pin = None if pin_hash is None else self._vault.seal(
            Owner(fridge, member), pin_hash.encode(), where
        )  # fmt: skip
        return self._change(fridge, member, expected_version, pin_sealed=pin)

    def delete(self, fridge: str, member: str, *, expected_version: int | None = None) -> Erased:
        """Erase them: their key first, so that no copy of what it sealed can be opened again.

        Their raw captures are removed once this transaction is committed.
        """
        touch(self._connection, fridge)
        # Locked, so that nobody gives them a grant after theirs were taken away below.
        mine = select(m.version).where(m.fridge == fridge, m.id == member)
        found = self._connection.execute(mine.with_for_update()).first()
        if found is None:
            raise missing(fridge, member)
        if expected_version not in {None, found.version}:
            raise fridge_rows.stale(f"The member {member!r}")
        destroyed = self._vault.destroy(Owner(fridge, member))
        c = captures.c
        theirs = (c.fridge == fridge) & (c.member == member)
        rows = self._connection.execute(select(c.blob).where(theirs)).all()
        blobs = [name for row in rows for name in row.blob]
        g = grants.c
        self._connection.execute(delete(grants).where(g.fridge == fridge, g.member == member))
        self._connection.execute(delete(captures).where(theirs))
        self._connection.execute(delete(members).where(m.fridge == fridge, m.id == member))
        for name in blobs:
            self._after_commit(partial(self._blobs.delete, name))
        self._forget()
        return Erased(len(rows), len(blobs), destroyed)

    def _change(
        self, fridge: str, member: str, expected_version: int | None, **values: Any
    ) -> Member:
        asked = update(members).where(m.fridge == fridge, m.id == member)
        if expected_version is not None:
            asked = asked.where(m.version == expected_version)
        done = self._connection.execute(asked.values(version=m.version + 1, **values))
        kept = self.get(fridge, member)
        if not done.rowcount:
            raise fridge_rows.stale(f"The member {member!r}")
        return kept

    def _number(self, fridge: str) -> str:
        """Four random digits, more where most are taken: the next one tells nothing."""
        used = set(self._connection.scalars(select(m.number).where(m.fridge == fridge)))
        digits = 4
        while len(used) * 2 > 9 * 10 ** (digits - 1):
            digits += 1
        while True:
            number = str(10 ** (digits - 1) + secrets.randbelow(9 * 10 ** (digits - 1)))
            if number not in used:
                return number

    def _member(self, row: Any) -> Member:
        name = self._vault.open(row.name_sealed, _where(row.fridge, row.id, "name")).decode()
        return Member(
            id=row.id,
            fridge=row.fridge,
            number=row.number,
            name=name,
            locale=row.locale,
            has_pin=row.pin_sealed is not None,
            consent_at=row.consent_at,
            created_at=row.created_at,
            version=row.version,
            captures=row.captures,
        )


def missing(fridge: str, member: str) -> NotFound:
    return NotFound(f"The fridge {fridge!r} has no member {member!r}.", next_step="Check the id.")


def touch(connection: Connection, fridge: str) -> None:
    """Say that the fridge's members change; its row stays locked until the transaction ends."""
    asked = update(fridges).where(fridges.c.id == fridge)
    if not connection.execute(asked.values(revision=fridges.c.revision + 1)).rowcount:
        raise fridge_rows.missing(fridge)


def _counted() -> Select[Any]:
    c = captures.c
    count = (
        select(func.count())
        .select_from(captures)
        .where(c.fridge == m.fridge, c.member == m.id)
        .correlate(members)
        .scalar_subquery()
        .label("captures")
    )
    return select(members, count)


def _one(fridge: str, member: str) -> Select[Any]:
    return _counted().where(m.fridge == fridge, m.id == member)


def _where(fridge: str, member: str, column: str) -> str:
    return f"members|{fridge}/{member}|{column}"
