"""Engines: SQLite or PostgreSQL, set up so that what is acknowledged is kept."""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from visavox.errors import Busy, ConfigError, Invalid, NotMigrated

log = logging.getLogger(__name__)

_BUSY_S = 15
"""How long a transaction waits for others before it gives up."""


def connect(url: str) -> Engine:
    """An engine for `url`; opens nothing yet."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "The database's URL cannot be read.",  # it is not shown: it may hold a password
            next_step="Give sqlite:////folder/file.db or postgresql://user@host/name.",
        ) from None
    if parsed.drivername == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigError(
                "SQLite in memory keeps nothing.", next_step="Give sqlite:////folder/file.db."
            )
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed, pool_size=10, max_overflow=30, connect_args={"timeout": _BUSY_S}
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        options = f"-c lock_timeout={_BUSY_S}s -c idle_in_transaction_session_timeout=60s"
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=10,
            max_overflow=30,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "options": options},
        )
    raise ConfigError(
        f"Databases of the kind {parsed.drivername!r} are not known here.",
        next_step="Use sqlite or postgresql.",
    )


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions begin where we say so, not where the driver guesses.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is deleted is overwritten with zeros
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    # A reader who wrote would find out only when others had written too.
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """One transaction; what others hold or a database that is away raises Busy."""
    options: dict[str, Any] = {"writes": writes}
    if engine.dialect.name == "postgresql" and not writes:
        # One picture for all the queries of a reader, as SQLite gives by itself.
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        with engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection
    except (OperationalError, ProgrammingError, PoolTimeout) as error:
        if _lacks_a_table(error):
            raise NotMigrated(
                "The database does not have this version's tables.",
                next_step="Run: python -m api migrate",
            ) from error
        if isinstance(error, ProgrammingError) or _is_a_fault_of_ours(error):
            raise
        raise Busy(
            f"The database does not answer, or others keep it locked ({_said(error)}).",
            next_step="Try again; if it stays so, see whether it runs.",
        ) from error
    except (DataError, UnicodeEncodeError) as error:
        raise Invalid(
            "The database cannot keep this text.", next_step="Leave out control characters."
        ) from error


def forget_deleted(engine: Engine, table: str) -> None:
    """Let what was deleted from `table` vanish from the database's files, as far as it can.

    What others still read stays for the next time. It never fails: the deletion itself is done.
    """
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                raw: Any = connection.connection.dbapi_connection
                # Others wait meanwhile, so it must not itself wait long for those who read.
                for pragma in (
                    "busy_timeout=200",
                    "wal_checkpoint(TRUNCATE)",
                    f"busy_timeout={_BUSY_S * 1000}",
                ):
                    raw.execute(f"PRAGMA {pragma}").close()
            else:
                loose = connection.execution_options(isolation_level="AUTOCOMMIT")
                loose.exec_driver_sql(f"VACUUM {table}")
    except (DBAPIError, sqlite3.Error, PoolTimeout) as error:
        log.warning("deleted rows stay in the database's files for now: %s", type(error).__name__)


def is_duplicate(error: IntegrityError) -> bool:
    """Whether a row was there already; otherwise another row is missing or still needed."""
    origin: Any = error.orig
    if isinstance(origin, sqlite3.Error):
        named = origin.sqlite_errorname
        return named in {"SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"}
    return getattr(origin, "sqlstate", None) == "23505"


def _lacks_a_table(error: Exception) -> bool:
    origin = getattr(error, "orig", None)
    return getattr(origin, "sqlstate", "") == "42P01" or "no such table" in str(origin)


def _is_a_fault_of_ours(error: Exception) -> bool:
    # SQLite calls every error operational: a wrong statement, and a reader who writes, too.
    named = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    return named == "SQLITE_ERROR" or named.startswith("SQLITE_READONLY")


def _said(error: DBAPIError | PoolTimeout) -> str:
    # The driver's words only: the statement's parameters stay out of messages and logs.
    origin = getattr(error, "orig", None)
    return type(origin or error).__name__
