"""Which of a place's bundles decides, which challenges, which decided before."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from visavox.errors import BundleError, Conflict
from visavox.service.shelf import LIVE, Slot
from visavox.service.standing import Challenge, Mode, Standing

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
SINCE = datetime(2026, 1, 5, 12, tzinfo=UTC)
SHADOW = Challenge(B, Mode.SHADOW, 0.0, SINCE)


def test_what_is_put_there_is_read_again(tmp_path: Path) -> None:
    slot = Slot(tmp_path)
    for standing in (
        Standing(A),
        Standing(A, SHADOW, C),
        Standing(A, Challenge(B, Mode.SPLIT, 0.25, SINCE)),
    ):
        slot.stand(standing)
        assert slot.standing() == standing
        assert slot.pointer() == A


def test_the_file_of_a_former_version_names_the_champion_alone(tmp_path: Path) -> None:
    (tmp_path / LIVE).write_text(json.dumps({"digest": A}))
    assert Slot(tmp_path).standing() == Standing(A)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        '{"challenger": null}',
        json.dumps({"digest": A, "challenger": {"digest": B}}),
        json.dumps({"digest": A, "challenger": SHADOW.to_json() | {"mode": "both"}}),
        json.dumps({"digest": A, "challenger": SHADOW.to_json() | {"share": 0.5}}),
        json.dumps({"digest": A, "challenger": SHADOW.to_json() | {"since": "2026-01-05T12:00"}}),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, said: str) -> None:
    (tmp_path / LIVE).write_text(said)
    with pytest.raises(BundleError):
        Slot(tmp_path).standing()


def test_every_change_of_the_file_has_a_stamp_of_its_own(tmp_path: Path) -> None:
    """Also there and back within one tick of the file system's clock, in the same inode."""
    slot, stamps = Slot(tmp_path), set()
    for i in range(200):
        slot.point((A, B)[i % 2])
        stamps.add(slot.stamp())
    assert len(stamps) == 200


def test_a_new_champion_ends_the_trial_and_keeps_the_former_one() -> None:
    assert Standing(A, SHADOW, C).crowned(B) == Standing(B, None, A)
    assert Standing(A, SHADOW, C).promoted() == Standing(B, None, A)
    assert Standing(A, None, C).crowned(A) == Standing(A, None, C), "again changes nothing"


def test_a_roll_back_can_be_rolled_back() -> None:
    back = Standing(A, SHADOW, C).rolled_back()
    assert back == Standing(C, None, A)
    assert back.rolled_back() == Standing(A, None, C)
    with pytest.raises(Conflict, match="former champion"):
        Standing(A).rolled_back()


def test_a_challenger_comes_and_goes_beside_the_champion() -> None:
    tried = Standing(A, None, C).challenged(SHADOW)
    assert tried == Standing(A, SHADOW, C)
    assert tried.digests == (A, B, C)
    assert tried.withdrawn() == Standing(A, None, C)
    with pytest.raises(Conflict, match="is the champion"):
        Standing(B).challenged(SHADOW)
    with pytest.raises(Conflict, match="no challenger"):
        Standing(A).promoted()


@pytest.mark.parametrize(
    ("mode", "share"), [(Mode.SHADOW, 0.5), (Mode.SPLIT, 0.0), (Mode.SPLIT, 1.5)]
)
def test_a_share_that_does_not_fit_its_mode_is_refused(mode: Mode, share: float) -> None:
    with pytest.raises(BundleError, match="share"):
        Challenge(B, mode, share, SINCE)
