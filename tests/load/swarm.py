"""Locust, started: in one process, or as a master with workers."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.report import ROOT
from tests.load.house import House
from tests.load.process import free_port

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
_LOCUST = (sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--loglevel", "WARNING")


@dataclass(frozen=True, slots=True)
class Swarm:
    """How many come, for how long, from how many processes of Locust's."""

    users: int
    seconds: int
    workers: int = 0
    """0: one process does it all."""

    def run(self, house: House, *, html: Path, summary: Path, more: Sequence[str] = ()) -> int:
        """Locust's exit status: 1 where a limit was missed."""
        command = [
            *(*_LOCUST, "--headless", "--only-summary", "--host", house.host),
            *("--house", str(house.folder), "--summary", str(summary), "--html", str(html)),
            *("--users", str(self.users), "--run-time", f"{self.seconds}s", *more),
        ]
        if not self.workers:
            return subprocess.run(command, cwd=ROOT, check=False).returncode
        port = str(free_port())
        command += ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        command += ["--expect-workers", str(self.workers), "--expect-workers-max-wait", "60"]
        worker = [*_LOCUST, "--worker", "--master-host", "127.0.0.1", "--master-port", port]
        worker += ["--house", str(house.folder)]
        workers = [subprocess.Popen(worker, cwd=ROOT) for _ in range(self.workers)]
        try:
            return subprocess.run(command, cwd=ROOT, check=False).returncode
        finally:
            for process in workers:
                process.terminate()
                process.wait()
