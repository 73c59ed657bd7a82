"""A killed snapshot leaves nothing that the next one does not put right; see `killed`."""

import subprocess
import sys
from pathlib import Path


def test_a_snapshot_that_is_killed_anywhere_is_made_good_by_the_next(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.training.production.killed", str(tmp_path), "90"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3, "so many died"
