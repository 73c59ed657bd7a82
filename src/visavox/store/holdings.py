"""What the store holds of a member: counted and hashed before it goes, for the receipt.

Hashes of captures are of their content, as the API tells them; all others are of the ciphertext, as
it may still lie in a backup.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select, update

from visavox.errors import BlobError, NotFound, Sealed
from visavox.store import embeddings as codec
from visavox.store.journal import probe_place
from visavox.store.tables import captures, decisions, grants, idempotency, members
from visavox.store.vault import Owner, Vault
from visavox.types import Embeddings

_SEALED_BY = (2, 16)
"""Where a sealed value names its key, counted from 1: see `vault`."""


@dataclass(frozen=True, slots=True)
class Holding:
    """All that is kept of one member, named and hashed."""

    key: str
    captures: tuple[dict[str, Any], ...]
    probes: int
    probes_sha256: str
    answers: int
    grants: int
    pin: bool
    last: Embeddings | None = field(repr=False)
    """How they looked and sounded last: the probe that the fridge must not know any more."""
    last_of: str
    """The decision or the capture that it is of."""
    last_by: str | None
    """The Characterizer that it is by."""


@dataclass(frozen=True, slots=True)
class Holdings:
    _connection: Connection
    _vault: Vault

    def of(self, fridge: str, member: str) -> Holding:
        """NotFound where there is no such member."""
        key = self._vault.key_of(Owner(fridge, member))
        m = members.c
        row = self._connection.execute(
            select(m.pin_sealed.is_not(None)).where(m.fridge == fridge, m.id == member)
        ).first()
        if key is None or row is None:
            raise NotFound(
                f"The fridge {fridge!r} has no member {member!r}.", next_step="Check the id."
            )
        kept = self._captures(fridge, member)
        probes = self._probes(fridge, key)
        last, of, by = self._last(fridge, member, key)
        i, g = idempotency.c, grants.c
        return Holding(
            key=key,
            captures=kept,
            probes=len(probes),
            probes_sha256=_combined([sha256(row.probe_sealed) for row in probes]),
            answers=self._count(idempotency, _by(i.answer_sealed, key)),
            grants=self._count(grants, (g.fridge == fridge) & (g.member == member)),
            pin=bool(row[0]),
            last=last,
            last_of=of,
            last_by=by,
        )

    def parts(self, fridge: str, member: str) -> tuple[str, ...]:
        """The names of their parts in the capture store."""
        c = captures.c
        asked = select(c.blob).where(c.fridge == fridge, c.member == member).order_by(c.id)
        return tuple(name for row in self._connection.scalars(asked) for name in row)

    def drop_probes(self, fridge: str, key: str) -> int:
        """Remove the probes that this key has sealed; their decisions stay."""
        d = decisions.c
        mine = (d.fridge == fridge) & d.probe_sealed.is_not(None) & _by(d.probe_sealed, key)
        asked = update(decisions).where(mine).values(probe_sealed=None)
        return self._connection.execute(asked).rowcount

    def _captures(self, fridge: str, member: str) -> tuple[dict[str, Any], ...]:
        c = captures.c
        asked = select(c.id, c.sha256, c.blob, c.embeddings_sealed)
        rows = self._connection.execute(
            asked.where(c.fridge == fridge, c.member == member).order_by(c.id)
        )
        return tuple(
            {
                "id": row.id,
                "sha256": row.sha256,
                "embeddings_sha256": sha256(row.embeddings_sealed),
                "parts": [{"name": name, "sha256": None} for name in row.blob],
            }
            for row in rows.all()
        )

    def _probes(self, fridge: str, key: str) -> list[Any]:
        d = decisions.c
        asked = select(d.id, d.probe_sealed).where(
            d.fridge == fridge, d.probe_sealed.is_not(None), _by(d.probe_sealed, key)
        )
        return list(self._connection.execute(asked.order_by(d.id)).all())

    def _last(
        self, fridge: str, member: str, key: str
    ) -> tuple[Embeddings | None, str, str | None]:
        d, c = decisions.c, captures.c
        theirs = select(d.id, d.characterizer, d.probe_sealed).where(
            d.fridge == fridge, d.probe_sealed.is_not(None), _by(d.probe_sealed, key)
        )
        # Rather one that they were let in on than one that only looked like them.
        for asked in (theirs.where(d.member == member), theirs):
            row = self._connection.execute(asked.order_by(d.id.desc()).limit(1)).first()
            if row is not None:
                seen = self._opened(row.probe_sealed, probe_place(row.id))
                if seen is not None:
                    return seen, row.id, row.characterizer
        asked = select(c.id, c.characterizer, c.embeddings_sealed)
        asked = asked.where(c.fridge == fridge, c.member == member).order_by(c.id.desc())
        row = self._connection.execute(asked.limit(1)).first()
        if row is None:
            return None, "", None
        seen = self._opened(row.embeddings_sealed, f"captures|{row.id}|embeddings")
        return (None, "", None) if seen is None else (seen, row.id, row.characterizer)

    def _opened(self, sealed: bytes, place: str) -> Embeddings | None:
        """None where it does not open: nobody is kept because something of them is damaged."""
        try:
            return codec.read(self._vault.open(sealed, place))
        except Sealed:
            return None

    def _count(self, table: Table, which: ColumnElement[bool]) -> int:
        asked = select(func.count()).select_from(table).where(which)
        return int(self._connection.scalar(asked) or 0)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def hashed(names: tuple[str, ...], get: Callable[[str], bytes]) -> dict[str, str]:
    """The digests of sealed parts, of those that can be read: nobody's erasure waits for a store
    that is away."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = sha256(get(name))
        except BlobError:
            continue
    return found


def _combined(digests: list[str]) -> str:
    return sha256("\n".join(sorted(digests)).encode())


def _by(column: ColumnElement[Any], key: str) -> ColumnElement[bool]:
    return func.substr(column, *_SEALED_BY) == bytes.fromhex(key)
