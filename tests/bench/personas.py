"""Captures of personas (640×480 JPEG and 3 s of FLAC, written to disk) per second of one core."""

import tempfile
import time
from pathlib import Path

from tests.bench.report import record
from visavox.personas.dataset import PersonasSettings, write

PEOPLE = 25
CAPTURES = 6


def run() -> None:
    settings = PersonasSettings(
        population=900_001, fridges=0, members=0, cohort=PEOPLE, cohort_captures=CAPTURES
    )
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        made = write(settings, Path(folder) / "personas", workers=1)
        spent = time.process_time() - began
    record(
        "personas", {"persona_captures_per_s": len(made) / spent}, trials={"captures": len(made)}
    )
