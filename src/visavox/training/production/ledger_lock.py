"""One at a time in the ledger. The lock ends with the process that holds it, however that ends."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from visavox.errors import Busy

_PATIENCE_S = 900.0


@contextlib.contextmanager
def locked(path: Path, *, patience_s: float = _PATIENCE_S) -> Iterator[int]:
    """Wait until no other thread or process has the file's lock, and have it.

    A process that is given the handle, which is yielded, has it too.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Busy(
                        "Somebody has held the ledger for too long.",
                        next_step=f"See which process holds {path.name} in its folder.",
                    ) from None
                time.sleep(0.05)
        yield handle
    finally:
        os.close(handle)
