"""Migrations make the tables that the code reads, on both databases, and say where they are."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from tests.postgres import Server
from visavox import store as stores
from visavox.errors import NotMigrated
from visavox.store import Store, blobs, database, schema
from visavox.store.keyring import Keyring
from visavox.store.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, keyring: Keyring) -> Iterator[Store]:
    """A store on a database without any table."""
    url = f"sqlite:///{tmp_path}/empty.db"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        server.drop("empty")
        url = server.create("empty")
    made = stores.open(url, keyring=keyring, blobs=blobs.connect(str(tmp_path)))
    yield made
    made.close()


def test_the_migrated_tables_are_those_of_the_code(database_url: str) -> None:
    engine = database.connect(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_code_names_the_newest_migration() -> None:
    assert schema.__file__
    script = ScriptDirectory(str(Path(schema.__file__).with_name("migrations")))
    assert script.get_current_head() == schema.HEAD


def test_a_database_is_used_only_when_it_is_migrated(empty: Store) -> None:
    with pytest.raises(NotMigrated, match="at version none"):
        empty.check()
    with pytest.raises(NotMigrated), empty.read() as unit:
        unit.fridges.get("kitchen")
    empty.migrate()
    empty.check()
    empty.migrate()
    with database.transaction(empty._engine, writes=True) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NotMigrated, match="Run the newer program"):
        empty.check()


def test_several_may_migrate_at_once(empty: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: empty.migrate(), range(4)))
    empty.check()
    assert sum(empty.wrapped().values()) == 1


def test_a_migration_is_taken_back_whole(empty: Store) -> None:
    empty.migrate()
    with database.transaction(empty._engine, writes=True) as connection:
        schema.downgrade(connection, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    empty.migrate()
    empty.check()
