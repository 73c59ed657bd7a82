"""Who may ask, and how often: API keys, challenges, failures in a row."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    column,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from visavox.errors import Conflict, NotFound
from visavox.store import ids, paging
from visavox.store.records import Attempts, Challenge, Key, Page, Role
from visavox.store.tables import attempts, challenges, keys


@dataclass(frozen=True, slots=True)
class Keys:
    _connection: Connection

    def add(
        self,
        *,
        name: str,
        role: Role,
        fridges: Sequence[str] | None,
        digest: str,
        at: datetime,
        expires_at: datetime | None = None,
        id: str | None = None,  # noqa: A002
    ) -> Key:
        """Keep a key by the digest of its secret; the secret itself is never here."""
        made = Key(
            id=ids.made("key", at) if id is None else ids.checked(id, "key"),
            name=name,
            role=role,
            fridges=None if fridges is None else tuple(fridges),
            digest=digest,
            created_at=at,
            expires_at=expires_at,
            revoked_at=None,
        )
        values = asdict(made) | {"role": role.value}
        if made.fridges is not None:
            values["fridges"] = list(made.fridges)
        try:
            self._connection.execute(insert(keys).values(values))
        except IntegrityError:
            raise Conflict(
                f"There is a key {made.id!r} already.", next_step="Choose another id."
            ) from None
        return made

    def get(self, key: str) -> Key:
        row = self._connection.execute(select(keys).where(keys.c.id == key)).first()
        if row is None:
            raise NotFound(f"There is no key {key!r}.", next_step="Check the id.")
        return _key(row)

    def page(
        self,
        *,
        within: Sequence[str] | None = None,
        own: str = "",
        cursor: str | None = None,
        limit: int = paging.LIMIT,
    ) -> Page[Key]:
        """Keys, revoked ones too, by id; with `within`, those for no other fridges, and `own`."""
        asked = select(keys)
        if within is not None:
            asked = asked.where(or_(keys.c.id == own, self._inside(within)))
        return paging.page(self._connection, asked, keys.c.id, _key, cursor=cursor, limit=limit)

    def _inside(self, fridges: Sequence[str]) -> ColumnElement[bool]:
        listed = keys.c.fridges
        if self._connection.dialect.name == "postgresql":
            each = func.json_array_elements_text(listed)
        else:
            each = func.json_each(listed)
        one = each.table_valued(column("value", String))
        beyond = exists().where(one.c.value.not_in(list(fridges))).correlate(keys)
        return listed.is_not(None) & ~beyond

    def kiosks(self, fridge: str) -> tuple[Key, ...]:
        """The kiosks that may ask for this fridge, revoked ones too."""
        asked = select(keys).where(keys.c.role == Role.KIOSK.value).order_by(keys.c.id)
        found = (_key(row) for row in self._connection.execute(asked).all())
        return tuple(key for key in found if key.fridges is None or fridge in key.fridges)

    def revoke(self, key: str, *, at: datetime) -> Key:
        """From now on it opens nothing; the first time counts."""
        asked = update(keys).where(keys.c.id == key, keys.c.revoked_at.is_(None))
        self._connection.execute(asked.values(revoked_at=at))
        return self.get(key)

    def withdraw(self, fridge: str, *, at: datetime) -> tuple[str, ...]:
        """Take a fridge out of every key's scope; those for it alone are revoked. Their ids."""
        asked = select(keys).where(keys.c.revoked_at.is_(None)).order_by(keys.c.id)
        found = [_key(row) for row in self._connection.execute(asked.with_for_update()).all()]
        mine = [key for key in found if key.fridges is not None and fridge in key.fridges]
        for key in mine:
            left = [name for name in key.fridges or () if name != fridge]
            values: dict[str, Any] = {"fridges": left} if left else {"revoked_at": at}
            self._connection.execute(update(keys).where(keys.c.id == key.id).values(values))
        return tuple(key.id for key in mine)


@dataclass(frozen=True, slots=True)
class Challenges:
    _connection: Connection

    def add(
        self, *, fridge: str, kiosk: str, digits: str, at: datetime, expires_at: datetime
    ) -> Challenge:
        made = Challenge(ids.made("cha", at), fridge, kiosk, digits, at, expires_at, None)
        self._connection.execute(insert(challenges).values(asdict(made)))
        return made

    def get(self, challenge: str) -> Challenge:
        row = self._connection.execute(
            select(challenges).where(challenges.c.id == challenge)
        ).first()
        if row is None:
            raise NotFound(f"There is no challenge {challenge!r}.", next_step="Ask for a new one.")
        return Challenge(**row._mapping)

    def consume(self, challenge: str, *, at: datetime) -> bool:
        """Use it up. True for exactly one caller, and only before it expires."""
        t = challenges.c
        asked = update(challenges).where(t.id == challenge, t.used_at.is_(None), t.expires_at > at)
        return bool(self._connection.execute(asked.values(used_at=at)).rowcount)

    def sweep(self, *, before: datetime) -> int:
        """Forget those that expired before; how many."""
        asked = delete(challenges).where(challenges.c.expires_at < before)
        return self._connection.execute(asked).rowcount


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """Failures in a row by scope: `kiosk:<id>` or `fridge:<id>`."""

    _connection: Connection

    def get(self, scope: str) -> Attempts:
        """As it stands; nothing is known of it yet: no failures."""
        row = self._connection.execute(select(attempts).where(attempts.c.scope == scope)).first()
        return Attempts(scope) if row is None else Attempts(**row._mapping)

    def claim(self, *scopes: str) -> tuple[Attempts, ...]:
        """As `get` for each; nobody else changes them until this transaction ends."""
        found = {}
        for scope in sorted(set(scopes)):  # always in one order, so that two never wait in a ring
            asked = select(attempts).where(attempts.c.scope == scope).with_for_update()
            row = self._connection.execute(asked).first()
            if row is None:  # rows are never deleted, so there is one after this
                self._connection.execute(self._insert(asdict(Attempts(scope))))
                row = self._connection.execute(asked).one()
            found[scope] = Attempts(**row._mapping)
        return tuple(found[scope] for scope in scopes)

    def put(self, counted: Attempts) -> None:
        """Keep what `claim` gave, changed."""
        values = asdict(counted)
        scope = values.pop("scope")
        self._connection.execute(update(attempts).where(attempts.c.scope == scope).values(values))

    def clear(self, *scopes: str) -> None:
        """No failures any more."""
        none = asdict(Attempts(""))
        del none["scope"]
        mine = attempts.c.scope.in_(scopes)
        # In the order in which they are claimed: an update alone would take them in any.
        ordered = select(attempts.c.scope).where(mine).order_by(attempts.c.scope)
        self._connection.execute(ordered.with_for_update()).all()
        # Not deleted: whoever claims one at this moment would miss it.
        self._connection.execute(update(attempts).where(mine).values(none))

    def _insert(self, values: dict[str, Any]) -> Any:
        kind = self._connection.dialect.name
        made = (postgresql if kind == "postgresql" else sqlite).insert(attempts).values(values)
        return made.on_conflict_do_nothing()


def _key(row: Any) -> Key:
    values = dict(row._mapping)
    values["role"] = Role(values["role"])
    if values["fridges"] is not None:
        values["fridges"] = tuple(values["fridges"])
    return Key(**values)
