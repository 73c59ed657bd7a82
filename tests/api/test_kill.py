"""`kill -9` at any moment loses nothing that was acknowledged, and leaves nobody half a member."""

from pathlib import Path

from tests.api.siege import Siege
from visavox.characterizer import Characterizer

ROUNDS = 3


def test_a_killed_server_comes_back_with_all_that_it_acknowledged(
    embedded: Characterizer, tmp_path: Path
) -> None:
    siege = Siege(tmp_path, embedded, seed=1)
    for _ in range(ROUNDS):
        siege.round(requests=15)
    seen = siege.finish()
    assert seen.rounds == ROUNDS
    # Otherwise nothing was put to the proof.
    assert seen.acknowledged > 0
    assert seen.records > 0
