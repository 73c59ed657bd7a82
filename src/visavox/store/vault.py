"""Sealing: AES-256-GCM under a data key per owner, itself wrapped by the master key.

    sealed  = version, data key id (16), nonce (12), ciphertext and tag
    wrapped = nonce (12), ciphertext and tag, in the row of the data key

What is sealed is bound to its table, row and column: moved elsewhere it does not open. A data key
whose row is destroyed takes with it everything it sealed, wherever copies of that are.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, Connection, Select, delete, insert, select, update

from visavox.errors import NotFound, NotMigrated, Sealed
from visavox.store.keyring import Keyring, MasterKey
from visavox.store.tables import data_keys, master

_VERSION = b"\x01"
_UID, _NONCE = 16, 12


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose data key: a member's, a fridge's (probes of nobody known), that of a fridge's trained
    bundles, or the house's."""

    fridge: str = ""
    member: str = ""

    @classmethod
    def models(cls, fridge: str) -> "Owner":
        """The fridge's trained bundles."""
        return cls(fridge, ".models")  # no member's id begins with a dot

    @classmethod
    def receipt(cls, fridge: str, receipt: str) -> "Owner":
        """The last probe of an erased member, until the proof is made."""
        return cls(fridge, f".{receipt}")

    def __str__(self) -> str:
        return f"{self.fridge}/{self.member}"


HOUSE = Owner()


def sealed_under(sealed: bytes) -> str:
    """The id of the data key that a sealed piece of bytes needs."""
    return sealed[1 : 1 + _UID].hex()


class Vault:
    """Seals and opens within one transaction."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection, self._keyring = connection, keyring
        self._open: dict[bytes, AESGCM] = {}
        self._ids: dict[str, bytes] = {}

    def create(self, owner: Owner) -> None:
        """Make the owner's data key."""
        # The row is locked, so that a rotation waits until this key can be seen by it.
        asked = select(master.c.current).with_for_update(read=True)
        current = self._connection.scalar(asked)
        if current is None:
            raise NotMigrated(
                "The database does not say which master key it uses.",
                next_step="Run: python -m api migrate",
            )
        uid, secret = secrets.token_bytes(_UID), AESGCM.generate_key(256)
        self._connection.execute(
            insert(data_keys).values(
                id=uid.hex(),
                owner=str(owner),
                master=current,
                wrapped=wrap(self._keyring.find(current), uid.hex(), secret),
            )
        )
        self._ids[str(owner)], self._open[uid] = uid, AESGCM(secret)

    def seal(self, owner: Owner, content: bytes, where: str) -> bytes:
        """Only as `where` is it opened again; NotFound where the owner has no key any more."""
        uid = self._uid(owner)
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + uid + nonce + self._cipher(uid).encrypt(nonce, content, where.encode())

    def open(self, sealed: bytes, where: str) -> bytes:
        """The content, or Sealed."""
        if len(sealed) < 1 + _UID + _NONCE or sealed[:1] != _VERSION:
            raise _altered(where)
        uid, rest = sealed[1 : 1 + _UID], sealed[1 + _UID :]
        try:
            return self._cipher(uid).decrypt(rest[:_NONCE], rest[_NONCE:], where.encode())
        except InvalidTag:
            raise _altered(where) from None

    def knows(self, sealed: bytes) -> bool:
        """Whether the data key that sealed this still exists."""
        uid = sealed[1 : 1 + _UID]
        if uid in self._open:
            return True
        asked = select(data_keys.c.id).where(data_keys.c.id == uid.hex())
        return self._connection.scalar(asked) is not None

    def key_of(self, owner: Owner) -> str | None:
        """The id of the owner's data key, if there is one."""
        asked = select(data_keys.c.id).where(data_keys.c.owner == str(owner))
        found = self._connection.scalar(asked)
        return None if found is None else str(found)

    def claim(self, *owners: Owner) -> None:
        """Nobody else changes their data keys until this transaction ends.

        For whoever destroys several: taken in the order of a rotation, neither waits in a ring.
        """
        mine = data_keys.c.owner.in_([str(owner) for owner in owners])
        asked = select(data_keys.c.id).where(mine).order_by(data_keys.c.id)
        self._connection.execute(asked.with_for_update()).all()

    def destroy(self, owner: Owner) -> bool:
        """Overwrite the owner's data key, then delete it; False if there was none."""
        mine = data_keys.c.owner == str(owner)
        blank = secrets.token_bytes(60)
        self._connection.execute(update(data_keys).where(mine).values(wrapped=blank))
        uid = self._ids.pop(str(owner), b"")
        self._open.pop(uid, None)
        return bool(self._connection.execute(delete(data_keys).where(mine)).rowcount)

    def _uid(self, owner: Owner) -> bytes:
        if str(owner) not in self._ids:
            row = self._connection.execute(_wrapped(data_keys.c.owner == str(owner))).first()
            if row is None:
                raise NotFound(
                    f"There is no key for {owner}.", next_step="They were deleted meanwhile."
                )
            self._ids[str(owner)] = uid = bytes.fromhex(row.id)
            self._open[uid] = self._unwrapped(row)
        return self._ids[str(owner)]

    def _cipher(self, uid: bytes) -> AESGCM:
        if uid not in self._open:
            row = self._connection.execute(_wrapped(data_keys.c.id == uid.hex())).first()
            if row is None:
                raise Sealed(
                    "The key that this was sealed with is destroyed.",
                    next_step="Nothing: whoever it was about has been deleted.",
                )
            self._open[uid] = self._unwrapped(row)
        return self._open[uid]

    def _unwrapped(self, row: Any) -> AESGCM:
        return AESGCM(unwrap(self._keyring.find(row.master), row.id, row.wrapped))


def adopt(connection: Connection, key: MasterKey, at: datetime) -> None:
    """Let new data keys be wrapped by `key`, if the database names none yet."""
    if connection.scalar(select(master.c.current)) is None:
        connection.execute(insert(master).values(id=1, current=key.id, changed_at=at))


def _wrapped(which: ColumnElement[bool]) -> Select[Any]:
    return select(data_keys.c.id, data_keys.c.master, data_keys.c.wrapped).where(which)


def wrap(key: MasterKey, uid: str, secret: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key.secret).encrypt(nonce, secret, _bound(key, uid))


def unwrap(key: MasterKey, uid: str, wrapped: bytes) -> bytes:
    try:
        return AESGCM(key.secret).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _bound(key, uid))
    except InvalidTag:
        raise _altered("data_keys") from None


def _bound(key: MasterKey, uid: str) -> bytes:
    return f"data_keys|{uid}|{key.id}".encode()


def _altered(where: str) -> Sealed:
    return Sealed(
        f"What is sealed in {where.split('|')[0]} was altered, or moved from where it belongs.",
        next_step="Restore it from a backup.",
    )
