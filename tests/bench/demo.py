"""`make demo` as a newcomer lives it: in a fresh clone with no environment, then once more."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.report import ROOT, record

KEPT = ("HOME", "LANG", "SSL_CERT_FILE", "TERM")  # nothing of this shell's environment


def run() -> None:
    environment = {k: os.environ[k] for k in KEPT if k in os.environ}
    environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    folder = Path(tempfile.mkdtemp(prefix="visavox-demo-"))
    clone = folder / "visavox"
    try:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        seconds = []
        for _ in ("cold", "warm"):
            began = time.perf_counter()
            subprocess.run(["make", "demo"], cwd=clone, env=environment, check=True)
            seconds.append(time.perf_counter() - began)
    finally:
        # What `make demo` leaves running is of this clone, and goes with it.
        subprocess.run(["make", "stop"], cwd=clone, env=environment, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    record(
        "demo",
        {"demo_cold_s": seconds[0], "demo_warm_s": seconds[1]},
        trials={"runs": 1, "packages": "from the installer's cache where it had them"},
    )
