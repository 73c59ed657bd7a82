"""Contact sheets."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from visavox import manifest
from visavox.errors import DataError, NotEnoughData
from visavox.manifest import CaptureFile, Manifest, Row
from visavox.personas.sheet import sheet


@pytest.fixture
def dataset(tmp_path: Path) -> Manifest:
    """Six people of two captures, each in a grey of their own."""
    rows = []
    for p in range(6):
        for c in range(2):
            name = f"{p}-{c}.png"
            Image.new("RGB", (64, 48), (40 * p,) * 3).save(tmp_path / name)
            split = "enrol" if c == 0 else "probe"
            file = CaptureFile(name, "")
            rows.append(
                Row(f"p{p}-{c}", f"p{p}", "f", "s", split, image=file, slices={"age": "old"})
            )
    manifest.write(tmp_path, rows)
    return manifest.read(tmp_path)


def _pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


def _greys(path: Path) -> set[int]:
    values, counts = np.unique(_pixels(path)[..., 0], return_counts=True)
    return {int(v) for v, n in zip(values, counts, strict=True) if n > 20_000}


def test_a_sheet_shows_every_person(dataset: Manifest, tmp_path: Path) -> None:
    path = sheet(dataset, tmp_path / "out" / "sheet.png", people=6, captures=2)
    assert {0, 40, 80, 120, 160, 200} <= _greys(path)


def test_a_short_sheet_shows_the_first_and_the_last(dataset: Manifest, tmp_path: Path) -> None:
    seen = _greys(sheet(dataset, tmp_path / "sheet.png", people=2, captures=2))
    assert {0, 200} <= seen
    assert not {40, 80, 120, 160} & seen


def test_a_sheet_of_one_split_leaves_out_the_others(dataset: Manifest, tmp_path: Path) -> None:
    whole = _pixels(sheet(dataset, tmp_path / "a.png", captures=2))
    part = _pixels(sheet(dataset, tmp_path / "b.png", captures=2, split="probe"))
    assert len(part) == len(whole)
    assert part.shape[1] < 0.6 * whole.shape[1]


def test_nothing_to_show_is_said(dataset: Manifest, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="no picture"):
        sheet(dataset, tmp_path / "sheet.png", split="cohort")


def test_a_picture_that_is_none_is_named(dataset: Manifest, tmp_path: Path) -> None:
    (dataset.root / "0-0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"0-0\.png"):
        sheet(dataset, tmp_path / "sheet.png")
