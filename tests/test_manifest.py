"""A manifest reads back as it was written, and what is wrong with one is named by its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavox import manifest
from visavox.errors import DataError
from visavox.manifest import SPLITS, CaptureFile, Row

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
).filter(str.strip)
files = st.none() | st.builds(
    CaptureFile, path=st.sampled_from(["a/x.jpg", "y.flac"]), sha256=st.sampled_from(["0f", ""])
)
rows = st.builds(
    Row,
    capture=names,
    person=names,
    fridge=names | st.just(""),
    session=names,
    split=st.sampled_from(SPLITS),
    image=files,
    audio=files,
    clip=files,
    attack=names | st.just(""),
    slices=st.dictionaries(st.sampled_from(["tone", "pitch"]), names, max_size=2),
)


@given(st.lists(rows, max_size=5, unique_by=lambda r: r.capture))
def test_it_reads_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[Row]
) -> None:
    root = tmp_path_factory.mktemp("dataset")
    manifest.write(root, written)
    assert manifest.read(root).rows == tuple(written)


def row(capture: str, **changed: str) -> Row:
    fields = {"person": "p", "fridge": "f", "session": "s", "split": "enrol", **changed}
    return Row(capture, **fields)  # type: ignore[arg-type]


def test_rows_are_chosen_by_split_and_fridge(tmp_path: Path) -> None:
    manifest.write(tmp_path, [row("a"), row("b", split="probe"), row("c", fridge="g"), row("d")])
    read = manifest.read(tmp_path)
    assert [r.capture for r in read.of(split="enrol", fridge="f")] == ["a", "d"]
    assert read.fridges == ("f", "g")
    assert len(read) == len(list(read)) == 4


def test_files_are_those_that_are_there() -> None:
    file = CaptureFile("x.jpg", "00")
    assert Row("c", "p", "", "s", "train", image=file).files == (file,)


def edited(root: Path, old: str, new: str) -> None:
    path = root / manifest.NAME
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("capture,person", "capture,human", "lacks the columns person"),
        ("\na,p,", "\n,p,", "line 2: capture and person"),
        (",enrol,", ",enroll,", "line 2: split 'enroll'"),
        ("\nb,", "\na,", "line 3: the capture 'a' stands twice"),
        ("\nb,", "\nb,,", "line 3: it has not as many cells"),
        ("x.jpg", "../x.jpg", "leaves the dataset's folder"),
        ("x.jpg", "/etc/x.jpg", "leaves the dataset's folder"),
        ("\nb,", '\n"b"x,', "is no CSV table"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    first = Row("a", "p", "f", "s", "enrol", image=CaptureFile("x.jpg", "00"))
    manifest.write(tmp_path, [first, row("b")])
    edited(tmp_path, old, new)
    with pytest.raises(DataError, match=says):
        manifest.read(tmp_path)


def test_bytes_that_are_no_text_are_no_manifest(tmp_path: Path) -> None:
    manifest.write(tmp_path, [row("a")])
    path = tmp_path / manifest.NAME
    path.write_bytes(path.read_bytes() + b"\xff\xfe")
    with pytest.raises(DataError, match="no CSV table"):
        manifest.read(tmp_path)


def test_no_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no manifest") as caught:
        manifest.read(tmp_path)
    assert "visavox personas" in caught.value.next_step
