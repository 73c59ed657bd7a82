"""Where several workers leave their counts for all; known before the counters are imported."""

import os
from pathlib import Path
from typing import Final

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


def fresh(state: Path) -> Path:
    """A folder of this service's own, without what an earlier process left there."""
    folder = state.absolute() / "metrics" / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    return folder
