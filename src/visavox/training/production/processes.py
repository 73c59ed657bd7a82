"""Processes that outlive whoever started them, told apart from those that get their number later.

A pid alone proves nothing, because the system gives it to somebody else one day; with the moment
at which the process began, and the machine it runs on, it does.
"""

import os
import platform
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    host: str
    pid: int
    began: str

    @classmethod
    def of(cls, pid: int | None = None) -> "Process":
        """A process of this machine; this one itself unless said."""
        pid = os.getpid() if pid is None else pid
        return cls(platform.node(), pid, began(pid))

    @classmethod
    def told(cls, said: Any) -> "Process | None":
        """As `to_json` wrote it; None where it cannot be read."""
        try:
            return cls(str(said["host"]), int(said["pid"]), str(said["began"]))
        except (KeyError, TypeError, ValueError):
            return None

    def to_json(self) -> Mapping[str, Any]:
        return {"host": self.host, "pid": self.pid, "began": self.began}

    @property
    def here(self) -> bool:
        """Whether it is, or was, on this machine, so that `alive` can be known."""
        return self.host == platform.node()

    @property
    def alive(self) -> bool:
        return self.here and bool(self.began) and began(self.pid) == self.began

    def end_group(self, marked: str, *, patience_s: float = 5.0) -> None:
        """End it and whatever it started in its process group: only what has `marked` in its
        command line, as the group's number may be somebody else's by now.
        """
        if not self.here:
            return
        for kind in (signal.SIGTERM, signal.SIGKILL):
            left = list(_group(self.pid, marked))
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, kind)
            end = time.monotonic() + patience_s
            while left and time.monotonic() < end:
                with suppress(ChildProcessError):  # whoever started it collects it
                    os.waitpid(self.pid, os.WNOHANG)
                left = list(_group(self.pid, marked))
                time.sleep(0.05)
            if not left:
                return


def began(pid: int) -> str:
    """When the process began, as the system tells it; "" for one that is gone or a zombie."""
    if _PROC.joinpath("self", "stat").exists():
        fields = _stat(pid)
        return "" if not fields or fields[0] == "Z" else fields[19]
    told = _ps("-o", "stat=,lstart=", "-p", str(pid)).split(maxsplit=1)
    return "" if len(told) < 2 or told[0].startswith("Z") else told[1].strip()


def _group(pgid: int, marked: str) -> Iterator[int]:
    """The living processes of a group whose command line holds `marked`."""
    if not _PROC.joinpath("self", "stat").exists():
        for line in _ps("-A", "-o", "pid=,pgid=,stat=,command=").splitlines():
            pid, group, state, command = line.split(maxsplit=3)
            if int(group) == pgid and not state.startswith("Z") and marked in command:
                yield int(pid)
        return
    for place in _PROC.iterdir():
        if place.name.isdecimal():
            fields = _stat(int(place.name))
            if len(fields) > 2 and fields[0] != "Z" and fields[2] == str(pgid):
                with suppress(OSError):
                    if marked.encode() in place.joinpath("cmdline").read_bytes():
                        yield int(place.name)


def _stat(pid: int) -> list[str]:
    """What follows the name in /proc/<pid>/stat: state, parent, group, …; empty if it is gone."""
    try:
        text = _PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    # The name may hold spaces and brackets: what counts comes after the last bracket.
    return text.rpartition(")")[2].split()


def _ps(*words: str) -> str:
    done = subprocess.run(["ps", *words], capture_output=True, text=True, check=False)
    return done.stdout
