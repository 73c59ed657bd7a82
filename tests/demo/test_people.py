from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo import people
from demo.people import MEMBER_NAMES, Cast, name_at, pin_of
from demo.problems import DemoProblem
from visavox import manifest
from visavox.manifest import CaptureFile, Row


def test_members_keep_the_ids_that_the_trained_bundle_knows(cast: Cast) -> None:
    assert [m.id for m in cast.members] == ["f00m00", "f00m01", "f00m02", "f00m03"]
    assert [m.name for m in cast.members] == list(MEMBER_NAMES[:4])
    assert cast.fridge == "fridge-00"


def test_nobody_is_enrolled_with_what_they_are_tried_with(cast: Cast) -> None:
    for who in (*cast.members, *cast.newcomers):
        assert who.enrol
        assert who.probes
        assert not set(who.enrol) & set(who.probes)


def test_a_clip_is_among_the_probes_of_those_who_gave_one(cast: Cast) -> None:
    assert [bool(p.clip) for p in cast.members[0].probes].count(True) == 1
    assert not any(p.clip for p in cast.members[1].probes)


def test_newcomers_are_made_once_and_are_the_same_everywhere(
    cast: Cast, dataset: Path, made: Path, tmp_path: Path
) -> None:
    again = people.cast(dataset, made, newcomers=1).newcomers[0]
    elsewhere = people.cast(dataset, tmp_path, newcomers=1).newcomers[0]
    assert again == cast.newcomers[0]
    first, other = again.enrol[0].images[0], elsewhere.enrol[0].images[0]
    assert first.read_bytes() == other.read_bytes()
    with Image.open(first) as picture:
        assert np.asarray(picture).shape == (480, 640, 3)


def test_somebody_unknown_is_no_persona(cast: Cast) -> None:
    assert cast["f00m01"].name == "Camille"
    with pytest.raises(KeyError):
        cast["nobody"]


def test_relatives_are_found_by_what_they_share(cast: Cast) -> None:
    alike = cast.alike("look-alike")
    assert alike is not None
    assert alike.role == "stranger"
    assert cast.alike("twin") is None


def test_names_never_run_out() -> None:
    names = [name_at(("Ada", "Bo"), i) for i in range(5)]
    assert names == ["Ada", "Bo", "Ada 2", "Bo 2", "Ada 3"]


def test_every_pin_has_six_digits_and_is_its_own() -> None:
    pins = [pin_of(i) for i in range(60)]
    assert len(set(pins)) == 60
    assert all(len(p) == 6 and p.isdecimal() for p in pins)


def test_a_missing_dataset_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(DemoProblem, match="make demo"):
        people.cast(tmp_path, tmp_path)


def test_real_people_are_never_put_on_show(tmp_path: Path) -> None:
    row = Row("c1", "ada", "f1", "s1", "enrol", image=CaptureFile("a.jpg", ""), source="office")
    manifest.write(tmp_path, [row])
    with pytest.raises(DemoProblem, match="not personas"):
        people.cast(tmp_path, tmp_path)


def test_a_dataset_without_members_is_no_demo(tmp_path: Path) -> None:
    row = Row("c1", "s0", "", "s1", "stranger", image=CaptureFile("a.jpg", ""), source="personas")
    manifest.write(tmp_path, [row])
    with pytest.raises(DemoProblem, match="no fridge"):
        people.cast(tmp_path, tmp_path, newcomers=0)
