"""Nothing that is measured on may have been trained on; whoever breaks that is named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from visavox.errors import DataError
from visavox.manifest import CaptureFile, Manifest, Row, sha256
from visavox.training import leaks

ROOT = Path("data/x")


def row(
    capture: str,
    person: str,
    split: str,
    *,
    fridge: str | None = None,
    attack: str = "",
) -> Row:
    home = "north" if split in ("enrol", "probe", "attack") else ""
    return Row(
        capture=capture,
        person=person,
        fridge=home if fridge is None else fridge,
        session=f"{person}-{split}",
        split=split,
        image=CaptureFile(f"{capture}.jpg", f"hash-of-{capture}"),
        attack=attack,
    )


SOUND = (
    row("a1", "ada", "enrol"),
    row("a2", "ada", "probe"),
    row("b1", "ben", "enrol"),
    row("s1", "sue", "stranger"),
    row("x1", "ada", "attack", attack="print"),
    row("c1", "cy", "cohort"),
    row("t1", "tom", "train"),
    row("v1", "val", "validation"),
)


def manifest(*rows: Row) -> Manifest:
    return Manifest(ROOT, rows)


def swapped(name: str, change: Callable[[Row], Row]) -> Manifest:
    return manifest(*(change(r) if r.capture == name else r for r in SOUND))


def test_a_sound_dataset_passes() -> None:
    leaks.check(manifest(*SOUND))


def test_a_file_in_two_splits_is_a_leak() -> None:
    leak = swapped("a2", lambda r: replace(r, image=CaptureFile("other.jpg", "hash-of-a1")))
    with pytest.raises(DataError, match="files stand in two splits: a1, a2"):
        leaks.check(leak)


def test_a_file_twice_in_one_split_is_none() -> None:
    leaks.check(manifest(*SOUND, replace(SOUND[0], capture="a1-again")))


def test_one_session_in_enrol_and_probe_is_a_leak() -> None:
    with pytest.raises(DataError, match="one session are in both enrol and probe: a1, a2"):
        leaks.check(swapped("a2", lambda r: replace(r, session="ada-enrol")))


def test_sessions_of_different_people_may_share_a_name() -> None:
    leaks.check(swapped("b1", lambda r: replace(r, session="ada-probe")))


@pytest.mark.parametrize("name", ["s1", "c1", "t1", "v1"])
def test_a_member_who_plays_another_part_is_a_leak(name: str) -> None:
    with pytest.raises(DataError, match=f"two parts.*a1, a2, {name}"):
        leaks.check(swapped(name, lambda r: replace(r, person="ada")))


def test_a_stranger_who_was_trained_on_is_a_leak() -> None:
    with pytest.raises(DataError, match=r"two parts.*s1, t1"):
        leaks.check(swapped("t1", lambda r: replace(r, person="sue")))


def test_someone_may_be_a_member_of_two_fridges() -> None:
    leaks.check(manifest(*SOUND, row("a9", "ada", "enrol", fridge="south")))


@pytest.mark.parametrize("name", ["a2", "x1"])
def test_a_probe_or_attack_on_someone_who_is_not_enrolled_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=f"not enrolled: {name}"):
        leaks.check(swapped(name, lambda r: replace(r, person="nobody")))


@pytest.mark.parametrize("fridge", ["", "../up", "a/b", ".hidden", "x" * 65, "nörth"])
def test_a_fridge_whose_name_is_no_folders_name_is_refused(fridge: str) -> None:
    with pytest.raises(DataError, match="cannot be a folder's name: b1"):
        leaks.check(swapped("b1", lambda r: replace(r, fridge=fridge)))


def test_a_capture_without_files_is_refused() -> None:
    with pytest.raises(DataError, match="neither picture, sound nor clip: b1"):
        leaks.check(swapped("b1", lambda r: replace(r, image=None)))


def test_a_file_without_a_hash_is_refused() -> None:
    with pytest.raises(DataError, match="without a SHA-256: b1"):
        leaks.check(swapped("b1", lambda r: replace(r, image=CaptureFile("b1.jpg", ""))))


def test_many_leaks_are_counted_and_a_few_named() -> None:
    many = [row(f"m{i}", "ada", "stranger") for i in range(9)]
    with pytest.raises(DataError, match=r"a1, a2, m0, m1, m2 and 6 more\."):
        leaks.check(manifest(*SOUND[:2], *many))


def test_people_and_files_of_the_cohort_stay_out_of_the_dataset() -> None:
    cohort = manifest(row("k1", "kim", "cohort"))
    leaks.check_apart(manifest(*SOUND), cohort)
    with pytest.raises(DataError, match=r"people are in the cohort.*: s1"):
        leaks.check_apart(swapped("s1", lambda r: replace(r, person="kim")), cohort)
    copied = swapped("s1", lambda r: replace(r, image=CaptureFile("s1.jpg", "hash-of-k1")))
    with pytest.raises(DataError, match="files are in the cohort too: s1"):
        leaks.check_apart(copied, cohort)


def test_files_are_held_against_their_hashes(tmp_path: Path) -> None:
    (tmp_path / "a1.jpg").write_bytes(b"ada")
    good = replace(SOUND[0], image=CaptureFile("a1.jpg", sha256(b"ada")))
    rows = Manifest(tmp_path, (good,))
    leaks.verify_files(rows)
    (tmp_path / "a1.jpg").write_bytes(b"adam")
    with pytest.raises(DataError, match="not those that the manifest's SHA-256 names: a1"):
        leaks.verify_files(rows)
    (tmp_path / "a1.jpg").unlink()
    with pytest.raises(DataError, match="files are missing: a1"):
        leaks.verify_files(rows)
