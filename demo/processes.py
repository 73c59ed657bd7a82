"""Programs in the background: started with a log, remembered by a file, ended by their own id.

A pid alone proves nothing, because the system gives it to somebody else one day. The file keeps
when the process began as well, and only a process that agrees with both is ours.
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from demo.problems import DemoProblem
from demo.settings import HOST

_PATIENCE_S = 10.0  # what a program gets to end by itself
_LETTING_GO_S = 3.0


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the demo, by the files that it leaves in `folder`."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def running(self) -> int | None:
        """The port it was started on, while it runs; None otherwise."""
        known = self._known()
        return known[2] if known and _began(known[0]) == known[1] else None

    def start(self, command: Sequence[str], environment: Mapping[str, str], port: int) -> None:
        """Start it; it outlives whoever started it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Not a subprocess.Popen: that one wants its child to end before its parent.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        pid = os.posix_spawn(
            command[0],
            list(command),
            {**os.environ, **environment},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        told = {"pid": pid, "began": _began(pid), "port": port}
        self.file.write_text(json.dumps(told), encoding="utf-8")

    def stop(self) -> bool:
        """End it, and say whether there was anything to end."""
        known = self._known()
        if known is None or _began(known[0]) != known[1]:
            self.file.unlink(missing_ok=True)
            return False
        pid, began, _ = known
        os.kill(pid, signal.SIGTERM)
        if not _until(lambda: _began(pid) != began, _PATIENCE_S):
            os.kill(pid, signal.SIGKILL)
            _until(lambda: _began(pid) != began, _PATIENCE_S)
        with suppress(ChildProcessError):  # somebody else's child, unless we started it just now
            os.waitpid(pid, os.WNOHANG)
        self.file.unlink(missing_ok=True)
        return True

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        """Until it is ready; DemoProblem with the end of its log when it ends or takes too long."""
        if (
            _until(lambda: ready() or self.running() is None, seconds)
            and self.running() is not None
        ):
            return
        ended = self.running() is None
        self.stop()
        raise DemoProblem(
            f"The program {self.name!r} {'ended' if ended else f'was not ready in {seconds:.0f} s'}."
            f" Its last words:\n{self.last_words()}",
            next_step=f"Read {self.log}, mend what it names, and run `make demo` again.",
        )

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "(it said nothing)"
        return "\n".join(text.splitlines()[-lines:]) or "(it said nothing)"

    def _known(self) -> tuple[int, str, int] | None:
        try:
            told = json.loads(self.file.read_text(encoding="utf-8"))
            return int(told["pid"]), str(told["began"]), int(told["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def ask_for_port(port: int, setting: str) -> None:
    """DemoProblem where somebody else listens on `port`."""
    # A program that has just been ended may take a moment to let its port go.
    if not _until(lambda: _is_free(port), _LETTING_GO_S):
        raise DemoProblem(
            f"Port {port} is in use by another program.",
            next_step=f"Choose another one: `make demo {setting}={port + 100}`.",
        )


def _is_free(port: int) -> bool:
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((HOST, port))
        except OSError:
            return False
    return True


def _began(pid: int) -> str:
    """When the process began, as the system tells it; "" for one that is gone or a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The name may hold spaces and brackets: what counts comes after the last bracket.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[19]
    told = subprocess.run(  # noqa: S603 (a number, no shell)
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607 (wherever the system has it)
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split(maxsplit=1)
    return "" if len(told) < 2 or told[0].startswith("Z") else told[1].strip()


def _until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return true()
