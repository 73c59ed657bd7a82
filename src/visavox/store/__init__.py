"""What the service keeps: SQLite or PostgreSQL, a capture store, everything personal sealed.

    house = store.open(url, keyring=Keyring.file(path), blobs=blobs.connect(folder))
    house.migrate()
    with house.begin() as unit:
        unit.fridges.add("kitchen", name="Kitchen", risk="normal", locale="en", at=now)

`visavox.store.settings` opens the one that the environment names.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, insert, select

from visavox.audit import GENESIS
from visavox.store import database, rotation, schema, sweeping, tables, vault
from visavox.store.blobs import Blobs
from visavox.store.keyring import Keyring
from visavox.store.sweeping import Swept
from visavox.store.unit import Unit

__all__ = ["Store", "Swept", "Unit", "open"]

_PROBES = 500


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
        with database.transaction(self._engine, writes=True) as connection:
            unit = Unit(connection, self.keyring, self.blobs)
            try:
                yield unit
                unit.flush()
            except BaseException:
                # Only then: where the commit itself fails, nobody knows whether it was done.
                unit.failed()
                raise
        unit.committed()
        if unit.erased:
            database.forget_deleted(self._engine, tables.data_keys.name)

    @contextlib.contextmanager
    def read(self) -> Iterator[Unit]:
        """A transaction that only reads: one picture, whatever others write meanwhile."""
        with database.transaction(self._engine, writes=False) as connection:
            yield Unit(connection, self.keyring, self.blobs)

    def migrate(self) -> None:
        """Bring the tables to this version; several may do so at once."""
        with database.transaction(self._engine, writes=True) as connection:
            schema.upgrade(connection)
            if connection.scalar(select(tables.audit_head.c.id)) is None:
                head = insert(tables.audit_head)
                connection.execute(head.values(id=1, seq=0, digest=GENESIS))
            if connection.scalar(select(tables.master.c.id)) is None:
                vault.adopt(connection, self.keyring.newest, datetime.now(UTC))
                vault.Vault(connection, self.keyring).create(vault.HOUSE)

    def check(self) -> None:
        """Raise unless it can be used: Busy, NotMigrated, or Sealed where a master key lacks."""
        with database.transaction(self._engine, writes=False) as connection:
            schema.check(connection)
            for key_id in {rotation.current(connection), *rotation.in_use(connection)}:
                self.keyring.find(key_id)

    def rotate(self, *, at: datetime, progress: Callable[[int], None] = lambda _: None) -> int:
        """Wrap every data key under the keyring's newest master key; how many were changed.

        The service may run meanwhile. Stopped half way, it goes on where it was.
        """
        with database.transaction(self._engine, writes=True) as connection:
            rotation.begin(connection, self.keyring, at=at)
        done = 0
        while True:
            with database.transaction(self._engine, writes=True) as connection:
                changed = rotation.step(connection, self.keyring)
            if not changed:
                break
            done += changed
            progress(done)
        # The old wrappings, too, should leave the database's files.
        database.forget_deleted(self._engine, tables.data_keys.name)
        return done

    def wrapped(self) -> dict[str, int]:
        """How many data keys each master key wraps, by the master key's id; current one too."""
        with database.transaction(self._engine, writes=False) as connection:
            return {rotation.current(connection): 0} | rotation.in_use(connection)

    def sweep(
        self,
        *,
        at: datetime,
        grace: timedelta = sweeping.GRACE,
        probes: timedelta = sweeping.PROBES,
    ) -> Swept:
        """Remove what nothing names or needs any more: captures of enrolments that were cut off,
        spent challenges and answers, and the probes of decisions that are older than `probes`.
        """
        with self.begin() as unit:
            challenges = unit.challenges.sweep(before=at)
            answers = unit.idempotency.sweep(before=at)
        forgotten = 0
        while True:  # a few at a time: nobody at a door waits for long
            with self.begin() as unit:
                some = unit.decisions.forget_probes(before=at - probes, limit=_PROBES)
            forgotten += some
            if some < _PROBES:
                break
        with database.transaction(self._engine, writes=False) as connection:
            orphans = sweeping.orphans(connection, self.blobs, before=at - grace)
        for name in orphans:
            self.blobs.delete(name)
        database.forget_deleted(self._engine, tables.data_keys.name)
        return Swept(len(orphans), challenges, answers, forgotten)

    def close(self) -> None:
        self._engine.dispose()


def open(url: str, *, keyring: Keyring, blobs: Blobs) -> Store:  # noqa: A001
    """A store; connects when it is first used."""
    return Store(database.connect(url), keyring, blobs)
