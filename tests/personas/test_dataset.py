"""Datasets of personas on disk: complete, repeatable, written once."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from PIL import Image

from visavox import manifest
from visavox.errors import DataError
from visavox.manifest import Manifest
from visavox.personas.dataset import RECORD, PersonasSettings, write
from visavox.types import SAMPLE_RATE

TINY = PersonasSettings(
    population=6,
    members=2,
    enrol=1,
    enrol_sessions=1,
    probe=1,
    probe_sessions=1,
    strangers=1,
    stranger_captures=1,
    cohort=1,
    cohort_captures=1,
    relatives=1.0,
    width=160,
    height=160,
    seconds=1.5,
)


def _bytes(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return write(replace(TINY, attacks=1, clips=1), tmp_path_factory.mktemp("made") / "set")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    write(TINY, root)
    return root


def test_every_capture_is_in_the_manifest_with_its_hash(made: Manifest) -> None:
    listed = [f for row in made for f in row.files]
    assert len({f.path for f in listed}) == len(listed)
    for file in listed:
        assert hashlib.sha256((made.root / file.path).read_bytes()).hexdigest() == file.sha256
    there = {str(p.relative_to(made.root)) for p in made.root.rglob("*") if p.is_file()}
    assert there - {f.path for f in listed} == {manifest.NAME, RECORD}


def test_rows_say_who_when_and_what(made: Manifest) -> None:
    assert {r.split for r in made} == {"enrol", "probe", "stranger", "cohort", "attack"}
    assert len({r.attack for r in made.of(split="attack")}) == 6
    assert all(r.fridge == "fridge-00" for r in made if r.split in ("enrol", "probe", "attack"))
    assert all(r.fridge == "" for r in made if r.split in ("stranger", "cohort"))
    assert all(r.source == "personas" for r in made)
    assert {r.slices["kin"] for r in made.of(split="enrol")} == {"sibling"}
    assert set(made.rows[0].slices) == {"age", "beard", "glasses", "kin", "pitch", "tone"}


def test_captures_can_be_seen_and_heard(made: Manifest) -> None:
    for row in (r for r in made if r.clip is None):
        assert row.image is not None
        assert row.audio is not None
        with Image.open(made.root / row.image.path) as image:
            assert (image.format, image.size) == ("JPEG", (160, 160))
        sound, rate = soundfile.read(io.BytesIO((made.root / row.audio.path).read_bytes()))
        assert rate == SAMPLE_RATE
        assert sound.shape == (round(TINY.seconds * SAMPLE_RATE),)
    (clip,) = [r for r in made if r.clip is not None]
    assert clip.clip is not None
    assert (made.root / clip.clip.path).read_bytes()[4:8] == b"ftyp"
    assert clip.image is None


def test_a_dataset_is_the_same_to_the_byte_whoever_writes_it(tiny: Path, tmp_path: Path) -> None:
    write(TINY, tmp_path / "two", workers=2)
    assert _bytes(tiny) == _bytes(tmp_path / "two")


def test_another_population_and_another_hardness_are_other_pictures(
    tiny: Path, tmp_path: Path
) -> None:
    for number, change in enumerate(({"population": 7}, {"hardness": 1.4})):
        other = write(replace(TINY, **change), tmp_path / f"other-{number}")  # type: ignore[arg-type]
        ours = {r.image.sha256 for r in manifest.read(tiny) if r.image}
        assert not ours & {r.image.sha256 for r in other if r.image}


def test_a_second_call_writes_nothing(tiny: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (tiny, *tiny.rglob("*"))}
    write(TINY, tiny)
    assert {p: p.stat().st_mtime_ns for p in (tiny, *tiny.rglob("*"))} == before


def test_only_who_is_new_is_made(tiny: Path) -> None:
    inodes = {p.name: p.stat().st_ino for p in (tiny / "f00m01").iterdir()}
    before = manifest.read(tiny).rows
    grown = write(replace(TINY, strangers=2), tiny)
    assert {p.name: p.stat().st_ino for p in (tiny / "f00m01").iterdir()} == inodes
    assert {r.capture for r in grown} - {r.capture for r in before} == {"s0001-0-0"}
    assert [r for r in grown if r.person != "s0001"] == list(before)


def test_who_has_left_is_gone(tiny: Path) -> None:
    write(replace(TINY, cohort=0), tiny)
    assert not (tiny / "c0000").exists()
    assert not manifest.read(tiny).of(split="cohort")


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_damaged_captures_are_made_again(tiny: Path, harm: str) -> None:
    before = _bytes(tiny)
    victim = tiny / "s0000" / "0-0.jpg"
    if harm == "changed":
        victim.write_bytes(b"no picture")
    else:
        victim.unlink()
    write(TINY, tiny)
    assert _bytes(tiny) == before


def test_half_a_dataset_is_made_again(tiny: Path) -> None:
    before = _bytes(tiny)
    (tiny / manifest.NAME).write_text("capture\n")
    write(TINY, tiny)
    assert _bytes(tiny) == before


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(DataError, match="no dataset of personas"):
        write(TINY, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_failure_leaves_neither_half_a_dataset_nor_litter(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _bytes(tiny)

    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("visavox.personas.dataset.shoot", broken)
    with pytest.raises(OSError, match="disk is full"):
        write(replace(TINY, strangers=3), tiny)
    assert _bytes(tiny) == before
    assert list(tiny.parent.iterdir()) == [tiny]


def test_the_record_tells_the_settings(tiny: Path) -> None:
    told = json.loads((tiny / RECORD).read_text())["settings"]
    assert PersonasSettings(**told) == TINY


def test_progress_is_shown_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = replace(TINY, members=1, strangers=0, cohort=0, relatives=0.0)
    write(small, tmp_path / "a", progress=True)
    assert "captures" in capsys.readouterr().out
    write(replace(small, population=8), tmp_path / "b")
    assert capsys.readouterr().out == ""


def test_pictures_of_siblings_are_not_the_same(made: Manifest) -> None:
    a, b = (_pixels(made.root / f"f00m0{k}" / "0-0.jpg") for k in (0, 1))
    assert np.abs(a - b).mean() > 3


def _pixels(path: Path) -> NDArray[np.float64]:
    with Image.open(path) as image:
        return np.asarray(image, np.float64)
