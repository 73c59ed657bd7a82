"""Databases are set up to keep what is acknowledged, and say plainly when they cannot."""

from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from tests.store.people import furnish
from visavox.errors import Busy, ConfigError
from visavox.store import Store, database


@pytest.mark.parametrize("url", ["", "no url: secret", "mysql://me:secret@host/db"])
def test_an_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        database.connect(url)
    assert "secret" not in str(caught.value)


def test_sqlite_in_memory_is_refused() -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(ConfigError, match="keeps nothing"):
            database.connect(url)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_keeps_what_it_acknowledges_and_overwrites_what_it_deletes(store: Store) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with database.transaction(store._engine, writes=False) as connection:
        for name, value in wanted.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_others_who_hold_a_lock_for_too_long_are_told_of(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    other = database.connect(database_url)
    with store.begin(), pytest.raises(Busy, match="Try again"):  # noqa: SIM117
        with database.transaction(other, writes=True):
            pass
    other.dispose()
    furnish(store)


def test_a_database_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    engine = database.connect(f"postgresql://me:secret@/none?host={tmp_path}")
    with pytest.raises(Busy) as caught, database.transaction(engine, writes=False):
        pass
    assert "secret" not in str(caught.value)


def test_a_reader_sees_one_picture_while_others_write(store: Store) -> None:
    furnish(store)
    with store.read() as unit:
        before = unit.fridges.page().items
        furnish(store, "hall")
        assert unit.fridges.page().items == before
    with store.read() as unit:
        assert len(unit.fridges.page().items) == 2


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), store.read() as unit:
        unit.attempts.claim("kiosk:a")
    with store.begin() as unit:  # the connection that it used can again
        unit.attempts.claim("kiosk:a")
