"""Bring a database to this version's tables, and see whether it is there.

Alembic is imported only to migrate: a service that starts does not need it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from visavox.errors import NotMigrated

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
"""The revision of the newest migration."""

_LOCK = 7_645_911_203  # any number, the same in every process


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run what is missing, in the connection's transaction; others who would wait their turn."""
    from alembic import command

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    from alembic import command

    command.downgrade(_config(connection), revision)


def check(connection: Connection) -> None:
    """NotMigrated unless the database has exactly this version's tables."""
    found = None
    if inspect(connection).has_table("alembic_version"):
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found != HEAD:
        raise NotMigrated(
            f"The database is at version {found or 'none'}, this program needs {HEAD}.",
            next_step="Run: python -m api migrate"
            if found is None or found < HEAD
            else "Run the newer program that made it, or restore a backup.",
        )


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config
