"""Wrap every data key anew under the newest master key. What they sealed stays as it is.

The database says which master key is current. It is changed first, and waits for those who are
wrapping a data key with the old one; from then on every row either names the new key or is found
here. Each step is a transaction of its own: stopped anywhere, it is simply run again.
"""

from datetime import datetime

from sqlalchemy import Connection, func, select, update

from visavox.errors import NotMigrated
from visavox.store.keyring import Keyring
from visavox.store.tables import data_keys, master
from visavox.store.vault import unwrap, wrap

STEP = 200


def current(connection: Connection) -> str:
    """The id of the master key that new data keys are wrapped by."""
    found = connection.scalar(select(master.c.current))
    if found is None:
        raise NotMigrated(
            "The database does not say which master key it uses.",
            next_step="Run: python -m api migrate",
        )
    return str(found)


def begin(connection: Connection, keyring: Keyring, *, at: datetime) -> None:
    """From now on the keyring's newest master key wraps."""
    asked = update(master).where(master.c.current != keyring.newest.id)
    connection.execute(asked.values(current=keyring.newest.id, changed_at=at))


def step(connection: Connection, keyring: Keyring) -> int:
    """Wrap some of those that another key still wraps; how many, 0 when all are done."""
    newest = keyring.find(current(connection))
    asked = select(data_keys).where(data_keys.c.master != newest.id).order_by(data_keys.c.id)
    rows = connection.execute(asked.limit(STEP).with_for_update()).all()
    for row in rows:
        secret = unwrap(keyring.find(row.master), row.id, row.wrapped)
        again = wrap(newest, row.id, secret)
        changed = update(data_keys).where(data_keys.c.id == row.id)
        connection.execute(changed.values(master=newest.id, wrapped=again))
    return len(rows)


def in_use(connection: Connection) -> dict[str, int]:
    """How many data keys each master key wraps, by the master key's id."""
    asked = select(data_keys.c.master, func.count()).group_by(data_keys.c.master)
    return {row[0]: row[1] for row in connection.execute(asked).all()}
