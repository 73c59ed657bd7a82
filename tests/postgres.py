"""A real PostgreSQL server for tests: its own folder, a socket in it, gone with the test run."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

# Nothing in these databases outlives the run, so nothing has to reach the disk.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "listen_addresses": "",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Listens on a socket in a folder of its own: no port to collide on, none else to connect."""

    folder: Path
    log: Path

    def url(self, database: str) -> str:
        return f"postgresql://visavox@/{database}?host={self.folder}"

    def run(self, statement: str) -> None:
        """One statement outside of any database under test."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, database: str, *, template: str | None = None) -> str:
        """A new database, as a copy of `template`; its URL."""
        copied = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        self.run(f"CREATE DATABASE {database}{copied}")
        return self.url(database)

    def drop(self, database: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server, until the block ends, or this process does."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="visavox-pg-"))
    try:
        prefix = _unprivileged(folder)
        data, log = folder / "data", folder / "log"
        made = subprocess.run(
            [*prefix, binaries / "initdb", "--pgdata", data, "--username=visavox", "--auth=trust",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            capture_output=True, text=True, check=False, cwd=folder,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")
        settings = [word for k, v in _SETTINGS.items() for word in ("-c", f"{k}={v}")]
        with log.open("wb") as output:
            process = subprocess.Popen(
                # The signal comes should this process be killed.
                [*prefix, "setpriv", "--pdeathsig", "INT", binaries / "postgres",
                 "-D", data, "-k", folder, *settings],
                stdout=output, stderr=output, cwd=folder,
            )  # fmt: skip
        try:
            server = Server(folder, log)
            _wait(server, process)
            yield server
        finally:
            _end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    """Debian keeps them out of the PATH, by version."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3])
    )
    if found:
        return found[-1].parent
    if (on_path := shutil.which("postgres")) and (Path(on_path).parent / "initdb").exists():
        return Path(on_path).parent
    raise RuntimeError(
        "These tests need a PostgreSQL server, and none is installed. Run: make system"
    )


def _unprivileged(folder: Path) -> list[str | Path]:
    """PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody`."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(folder, user.pw_uid, user.pw_gid)
            ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
            return ["setpriv", *ids, "--clear-groups", "--"]
    raise RuntimeError("There is no user `postgres` or `nobody` to run PostgreSQL as.")


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    # Generous: other tests run on the same cores.
    deadline = time.monotonic() + 120
    while True:
        try:
            with psycopg.connect(server.url("postgres")):
                return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                said = server.log.read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL does not start:\n{said}") from error
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, at once and whatever is open; insist if it does not."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=15)
