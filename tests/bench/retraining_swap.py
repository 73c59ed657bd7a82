"""Swaps under kiosks that never stop asking, and the way back: `python -m tests.bench.retraining_swap`.

`rollback_s` is the slowest of those measured, from asking for it to the first answer of the bundle
before, while the kiosks go on; `rollback_command_s` is the whole command at an operator's shell.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.report import ROOT
from tests.load.base import cohort_base
from tests.load.swap import FRIDGE, Seen, swapped
from visavox import characterizer

SWAPS, KIOSKS = 30, 4
WORKERS = (1, 2)


def figures(base: Path | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figures, and what they were measured with."""
    base = base or cohort_base()
    nets = characterizer.load()
    with tempfile.TemporaryDirectory(prefix="visavox-swap-") as name:
        runs: list[Seen] = []
        for workers in WORKERS:
            folder = Path(name) / str(workers)
            folder.mkdir()
            runs.append(swapped(folder, base, nets, swaps=SWAPS, kiosks=KIOSKS, workers=workers))
        command_s = _command(folder / "state")
    measured = {
        "swap_failed_requests": sum(len(seen.failed) for seen in runs),
        "swap_mixed_requests": sum(len(seen.mixed) for seen in runs),
        "rollback_s": max(s for seen in runs for s in seen.back_s),
        "rollback_command_s": command_s,
    }
    trials = {
        "swaps": [seen.swaps for seen in runs],
        "requests": [seen.requests for seen in runs],
        "processes": list(WORKERS),
        "kiosks": KIOSKS,
        "roll_backs": [len(seen.back_s) for seen in runs],
    }
    return measured, trials


def _command(state: Path) -> float:
    environment: Mapping[str, str] = {**os.environ, "VISAVOX_STATE": str(state)}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "api", "model", "rollback", FRIDGE],
        env=dict(environment),
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(figures(), indent=1))  # noqa: T201 (what it is for)
