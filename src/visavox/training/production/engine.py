"""Metaflow as a program: started, found again, resumed and ended, all by the files of its run.

    <runs>/<run>/flow.json     which process it is, and how often it was resumed
    <runs>/<run>/metaflow-<n>  Metaflow's own id of the run, as it writes it itself; of resumption n
    <runs>/<run>/flow.log      what it said

So a worker that comes after another one finds its flow still at work, and lets it be.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visavox.service.shelf import replace
from visavox.training.production.places import Places
from visavox.training.production.processes import Process

_SPLITS = 10_000


@dataclass(frozen=True, slots=True)
class Engine:
    """Runs the flow that lies in `script`, from the folder `home`."""

    script: Path
    home: Path
    places: Places
    at_once: int = 0
    """Tasks side by side; 0: as many as there are cores."""
    _children: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict, repr=False)

    def start(self, run: str) -> None:
        """A new run of the flow."""
        self._start(run, ["run", "--retraining", run], resumed=0)

    def resume(self, run: str) -> bool:
        """Go on where it was broken off; False where nothing of it is left, and it must start.

        Whatever still runs of it is ended before.
        """
        self.stop(run)
        usable = (name for name in self._ids(run) if self._has_begun(name))
        came_to = next(usable, None)
        if came_to is None:
            return False
        self._start(run, ["resume", "--origin-run-id", came_to], resumed=self.resumed(run) + 1)
        return True

    def alive(self, run: str) -> bool:
        process = self._process(run)
        if process is None:
            return False
        child = self._children.get(process.pid)
        if child is not None and child.poll() is not None:
            return False
        return process.alive

    def code(self, run: str) -> int | None:
        """What it ended with; None while it runs, or where another had started it."""
        process = self._process(run)
        child = self._children.get(process.pid) if process is not None else None
        return child.poll() if child is not None else None

    def wait(self, run: str) -> int:
        """Until what this process has started ends; with what code."""
        process = self._process(run)
        child = self._children.get(process.pid) if process is not None else None
        return 1 if child is None else child.wait()

    def stop(self, run: str) -> None:
        """End it with all its tasks; it can be resumed."""
        process = self._process(run)
        if process is not None:
            process.end_group(self.script.name)
            child = self._children.pop(process.pid, None)
            if child is not None:
                child.wait()

    def resumed(self, run: str) -> int:
        """How often."""
        return int(self._told(run).get("resumed", 0))

    def environment(self) -> dict[str, str]:
        """What Metaflow is told, beside what this process was."""
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        return {
            # A cluster's own settings win over what one machine needs.
            "METAFLOW_DEFAULT_DATASTORE": "local",
            "METAFLOW_DEFAULT_METADATA": "local",
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(self.places.metaflow),
            "METAFLOW_CARD_LOCALROOT": str(self.places.metaflow / "mf.cards"),
            "METAFLOW_USER": "visavox",
            "METAFLOW_CARD_NO_WARNING": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PYTHONWARNINGS": "ignore",
            "PYTHONUNBUFFERED": "1",
            **threads,
            **os.environ,
        }

    def _start(self, run: str, words: list[str], *, resumed: int) -> None:
        self._file(run, "").mkdir(parents=True, exist_ok=True)
        self.places.metaflow.mkdir(parents=True, exist_ok=True)
        workers = self.at_once or len(os.sched_getaffinity(0))
        command = [
            *(sys.executable, "-u", str(self.script), "--quiet", "--no-pylint", *words),
            *("--max-workers", str(workers), "--max-num-splits", str(_SPLITS)),
            *("--run-id-file", str(self._file(run, f"metaflow-{resumed:04d}"))),
        ]
        with self._file(run, "flow.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=self.home,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a signal to the worker is none to the flow
            )
        self._children[child.pid] = child
        told = {"process": Process.of(child.pid).to_json(), "resumed": resumed}
        replace(self._file(run, "flow.json"), json.dumps(told).encode())

    def _file(self, run: str, name: str) -> Path:
        return self.places.run(run) / name

    def _ids(self, run: str) -> list[str]:
        """Metaflow's ids of it, the latest first."""
        files = sorted(self.places.run(run).glob("metaflow-*"), reverse=True)
        return [text for file in files if (text := file.read_text(encoding="utf-8").strip())]

    def _has_begun(self, metaflow: str) -> bool:
        """Whether its parameters were kept: without them it cannot be resumed."""
        if self.environment()["METAFLOW_DEFAULT_DATASTORE"] != "local":
            return True
        kept = self.places.metaflow.glob(f".metaflow/*/{metaflow}/_parameters/*/*.DONE.lock")
        return next(kept, None) is not None

    def _told(self, run: str) -> dict[str, Any]:
        try:
            told = json.loads(self._file(run, "flow.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _process(self, run: str) -> Process | None:
        return Process.told(self._told(run).get("process"))
