"""A service in a process of its own, started, asked whether it is ready, measured and ended."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.load.wire import Line

GIVE_UP_S = 120.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running service."""

    host: str
    ready_s: float
    """From the start of its process to its first answer that it is ready."""
    process: psutil.Process

    def rss_mb(self) -> float:
        """Resident memory of the process and of those that it started, in MB of 10^6 bytes."""
        members = [self.process, *self.process.children(recursive=True)]
        return sum(p.memory_info().rss for p in members) / 1e6

    def cpu_s(self) -> float:
        """Processor time so far."""
        members = [self.process, *self.process.children(recursive=True)]
        return sum(p.cpu_times().user + p.cpu_times().system for p in members)


def free_port() -> int:
    with socket.socket() as listening:
        while True:
            with contextlib.suppress(OSError):
                listening.bind(("127.0.0.1", 0))
                port = int(listening.getsockname()[1])
                if port > 20_000:
                    return port


@contextlib.contextmanager
def service(
    module: str,
    arguments: Sequence[str],
    *,
    ready: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """`python -m <module> <arguments> --port <free>` until the block ends; what it says is in `log`."""
    port = free_port()
    host = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", module, *arguments, "--port", str(port)]
    with log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        try:
            _await(host, ready, process, log)
            yield Served(host, time.perf_counter() - began, psutil.Process(process.pid))
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(host: str, path: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + GIVE_UP_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(
                f"The service ended with {process.returncode}:\n{log.read_text('utf-8')}"
            )
        with contextlib.suppress(OSError), Line(host) as line:
            if line.ask("GET", path).status == 200:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{host}{path} gave no 200 in {GIVE_UP_S:g} s:\n{log.read_text('utf-8')}")
