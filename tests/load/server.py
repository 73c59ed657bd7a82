"""The real service in a folder of its own: `python -m api`, as an operator starts it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.load.process import Served, service

READY = "/readyz"


@contextlib.contextmanager
def api(
    folder: Path, base: Path, *, environment: Mapping[str, str] | None = None, workers: int = 1
) -> Iterator[tuple[Served, str]]:
    """A fresh API whose state is `folder`, on the base bundle `base`, and an admin's key for it."""
    settings = {
        **{k: v for k, v in os.environ.items() if not k.startswith("VISAVOX_")},
        "VISAVOX_STATE": str(folder / "state"),
        **(environment or {}),
    }
    command(settings, "migrate")
    key = command(settings, "key", "create", "--role", "admin", "--name", "load").split()[-1]
    command(settings, "model", "base", str(base))
    with service(
        "api",
        ["serve", "--workers", str(workers)],
        ready=READY,
        log=folder / "api.log",
        environment=settings,
    ) as served:
        yield served, key


def command(environment: Mapping[str, str], *arguments: str) -> str:
    """What one command of `python -m api` printed; RuntimeError with its words when it failed."""
    done = subprocess.run(
        [sys.executable, "-m", "api", *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"api {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
