"""What turns the bolt. Another one is any class with these two methods."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Protocol

from visavox.errors import LockError


class Actuator(Protocol):
    """Opens and locks compartments. Called by one thread at a time; raises where it failed."""

    def open(self, compartments: Sequence[str]) -> None: ...

    def close(self, compartments: Sequence[str]) -> None:
        """Lock them, also if they are locked already. No names: all that there are."""


class Spoken:
    """Says what it would do, one JSON line each: for trying out and for tests."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout

    def open(self, compartments: Sequence[str]) -> None:
        self._say("open", compartments)

    def close(self, compartments: Sequence[str]) -> None:
        self._say("close", compartments)

    def _say(self, action: str, compartments: Sequence[str]) -> None:
        self._out.write(json.dumps({"action": action, "compartments": list(compartments)}) + "\n")
        self._out.flush()


class Command:
    """Runs a program with `open` or `close` and the compartments' ids as its arguments."""

    def __init__(self, program: Sequence[str], *, timeout_s: float = 5.0) -> None:
        self._program, self._timeout_s = tuple(program), timeout_s

    def open(self, compartments: Sequence[str]) -> None:
        self._run("open", compartments)

    def close(self, compartments: Sequence[str]) -> None:
        self._run("close", compartments)

    def _run(self, action: str, compartments: Sequence[str]) -> None:
        command = [*self._program, action, *compartments]
        try:
            # The operator names the program; ids cannot begin with a dash or hold a blank.
            subprocess.run(command, check=True, timeout=self._timeout_s, shell=False)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            raise LockError(
                f"The program that should {action} failed: {type(error).__name__}.",
                next_step=f"Run it by hand: {' '.join(command)}",
            ) from error
