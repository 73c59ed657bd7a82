"""The tickets that this lock has used, remembered through a restart and a power cut."""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from visavox.errors import LockError
from visavox.tickets import Ticket

_PRUNE_AFTER = 1000
"""Lines after which the old ones are looked for."""


class Seen:
    """An append-only file, one used ticket a line, forced to disk before `claim` returns.

    Tickets are forgotten once they have expired. The latest expiry among the forgotten is kept in
    their place: a clock that was set back does not make any of them valid again.
    """

    def __init__(
        self, path: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._path, self._clock, self._lock = path, clock, threading.Lock()
        self._used: dict[str, float] = {}  # ticket id → expiry, seconds since 1970
        self._horizon = 0.0
        self._lines = 0
        with _said(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Held open for as long as this lives: two controllers must not share one memory.
            self._guard = os.open(
                path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600
            )
            try:
                fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(self._guard)
                raise LockError(
                    f"Another lock controller uses {path}.",
                    next_step="Stop it, or give this one a file of its own.",
                ) from None
            try:
                self._load()
                self._file = self._rewritten()
            except BaseException:
                os.close(self._guard)
                raise

    def claim(self, ticket: Ticket) -> bool:
        """True for the first caller with this ticket; LockError where it cannot be kept."""
        expiry = ticket.expires_at.timestamp()
        with self._lock:
            if ticket.id in self._used or expiry <= self._horizon:
                return False
            # Remembered first: a write that fails must not leave the ticket usable.
            self._used[ticket.id] = expiry
            with _said(self._path):
                _append(self._file, f"{expiry!r} {ticket.id}\n")
                self._lines += 1
                if self._lines > _PRUNE_AFTER:
                    self._prune()
        return True

    def close(self) -> None:
        with self._lock:
            os.close(self._file)
            os.close(self._guard)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._used)

    def _load(self) -> None:
        try:
            text = self._path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return
        # A last line without its end was cut off by a crash: nothing was opened for it.
        for line in text.split("\n")[:-1]:
            expiry, _, name = line.partition(" ")
            try:
                moment = float(expiry)
            except ValueError:
                raise LockError(
                    f"{self._path} was altered: {line[:60]!r} is no used ticket.",
                    next_step="Restore it. Without it, wait two minutes and begin a new one.",
                ) from None
            if name:
                self._used[name] = moment
            else:
                self._horizon = max(self._horizon, moment)

    def _prune(self) -> None:
        now = self._clock().timestamp()
        old = [name for name, expiry in self._used.items() if expiry <= now]
        self._horizon = max([self._horizon, *(self._used.pop(name) for name in old)])
        fresh = self._rewritten()
        os.close(self._file)
        self._file = fresh

    def _rewritten(self) -> int:
        """The file as it should be, in place of the one that is there; ready for more lines."""
        beside = self._path.with_name(f".{self._path.name}.new")
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        lines = [f"{expiry!r} {name}\n" for name, expiry in self._used.items()]
        _append(file, "".join([f"{self._horizon!r}\n", *lines]))
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._lines = 0
        return file


def _append(file: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LockError(
            f"{path} cannot be kept: {error.strerror}.",
            next_step="Give the lock a folder that it may write to, with room in it.",
        ) from None
