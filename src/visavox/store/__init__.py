"""What the service keeps: SQLite or PostgreSQL, a capture store, everything personal sealed.

house = store.open(url, keyring=Keyring.file(path), blobs=blobs.connect(folder))
house.migrate()
with house.begin() as unit:
    unit.fridges.add("kitchen", name="Kitchen", risk="normal", locale="en", at=now)
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Engine, insert, select

from visavox.audit import GENESIS
from visavox.store import database, tables, vault
from visavox.store.blobs import Blobs
from visavox.store.keyring import Keyring
from visavox.store.unit import Unit

__all__ = ["Store", "Unit", "open"]


class Store:
    """Transactions on one database and one capture store. Threads may share it."""

    def __init__(self, engine: Engine, keyring: Keyring, blobs: Blobs) -> None:
        self._engine, self.keyring, self.blobs = engine, keyring, blobs

    def __repr__(self) -> str:
        return f"Store({self._engine.dialect.name})"

    @contextlib.contextmanager
    def begin(self) -> Iterator[Unit]:
        """A transaction that writes: all of it is kept when the block ends, or nothing.

        On SQLite it is alone among those that write.
        """
        unit: Unit | None = None
        try:
            with database.transaction(self._engine, writes=True) as connection:
                unit = Unit(connection, self.keyring, self.blobs)
                yield unit
        except BaseException:
            if unit is not None:
                unit.failed()
            raise
        unit.committed()
        if unit.erased:
            database.forget_deleted(self._engine, "data_keys")

    @contextlib.contextmanager
    def read(self) -> Iterator[Unit]:
        """A transaction that only reads: one picture, whatever others write meanwhile."""
        with database.transaction(self._engine, writes=False) as connection:
            yield Unit(connection, self.keyring, self.blobs)

    def migrate(self) -> None:
        """Bring the tables to this version; several may do so at once."""
        with database.transaction(self._engine, writes=True) as connection:
            tables.metadata.create_all(connection)
            if connection.scalar(select(tables.audit_head.c.id)) is None:
                head = insert(tables.audit_head)
                connection.execute(head.values(id=1, seq=0, digest=GENESIS))
            if connection.scalar(select(tables.master.c.id)) is None:
                vault.adopt(connection, self.keyring.newest, datetime.now(UTC))
                vault.Vault(connection, self.keyring).create(vault.HOUSE)

    def close(self) -> None:
        self._engine.dispose()


def open(url: str, *, keyring: Keyring, blobs: Blobs) -> Store:  # noqa: A001
    """A store; connects when it is first used."""
    return Store(database.connect(url), keyring, blobs)
