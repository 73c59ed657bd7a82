"""Bring a database to this version's tables, and see whether it is there."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from visavox.errors import NotMigrated

_LOCK = 7_645_911_203  # any number, the same in every process


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run what is missing, in the connection's transaction; others who would wait their turn."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    command.downgrade(_config(connection), revision)


def check(connection: Connection) -> None:
    """NotMigrated unless the database has exactly this version's tables."""
    found, wanted = MigrationContext.configure(connection).get_current_revision(), head()
    if found != wanted:
        raise NotMigrated(
            f"The database is at version {found or 'none'}, this program needs {wanted}.",
            next_step="Run: python -m api migrate"
            if found is None or found < wanted
            else "Run the newer program that made it, or restore a backup.",
        )


@cache
def head() -> str:
    """This version's revision."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None
    return found


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config
