"""Models are swapped under kiosks that never stop asking: nobody is failed, and no answer is mixed."""

import os
from pathlib import Path

import pytest

from tests.load.server import command
from tests.load.swap import FRIDGE, swapped
from visavox.characterizer import Characterizer


@pytest.mark.parametrize("workers", [1, 2])
def test_swaps_under_load_fail_no_request_and_mix_none(
    base_bundle: Path, embedded: Characterizer, tmp_path: Path, workers: int
) -> None:
    seen = swapped(tmp_path, base_bundle, embedded, swaps=30, workers=workers)
    assert seen.failed == []
    assert seen.statuses.keys() == {200}
    assert seen.mixed == []
    # What follows shows that the above was put to the proof.
    assert seen.ambiguous == 0
    assert len(seen.by_bundle) == 2
    assert min(seen.by_bundle.values()) > 0
    assert seen.by_bundle.total() >= seen.requests > seen.swaps
    # The same at an operator's shell.
    shell = {**os.environ, "VISAVOX_STATE": str(tmp_path / "state")}
    told = [command(shell, "model", "rollback", FRIDGE) for _ in range(2)]
    assert {line.split()[1].strip(",") for line in told} == set(seen.by_bundle)
