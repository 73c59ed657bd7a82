"""The file between features and training."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import save_file

from visavox.errors import DataError
from visavox.table import Column, EmbeddingTable
from visavox.training import feature_table
from visavox.training.feature_table import Features


def made() -> Features:
    rng = np.random.default_rng(0)
    columns = []
    for dim, width in ((6, 4), (5, 3)):
        vectors = rng.standard_normal((3, dim)).astype(np.float32)
        vectors[1] = np.nan
        columns.append(
            Column(
                vectors,
                np.array([True, False, True]),
                rng.uniform(size=(3, width)).astype(np.float32),
                ("", "no_face", ""),
            )
        )
    return Features(EmbeddingTable(("ä-0", "b,1", "c"), *columns), "embedded", "f" * 64, "personas")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "features" / "demo.safetensors"
    written = made()
    feature_table.write(path, written)
    read = feature_table.read(path)
    assert (read.characterizer, read.characterizer_digest, read.population) == (
        "embedded",
        "f" * 64,
        "personas",
    )
    table = feature_table.load(path)
    assert table.captures == written.table.captures
    for one, other in ((table.face, written.table.face), (table.voice, written.table.voice)):
        assert_array_equal(one.vectors, other.vectors)
        assert_array_equal(one.present, other.present)
        assert_array_equal(one.quality, other.quality)
        assert one.reasons == other.reasons
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_the_same_features_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b.safetensors"):
        feature_table.write(tmp_path / name, made())
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_features_that_are_not_there_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no features at .*demo\.safetensors") as caught:
        feature_table.load(tmp_path / "demo.safetensors")
    assert "features data=demo" in caught.value.next_step


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "demo.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="holds no features"):
        feature_table.load(path)
    save_file({"x": np.zeros(3)}, path)
    with pytest.raises(DataError, match="holds no features"):
        feature_table.load(path)
    feature_table.write(path, made())
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="holds no features"):
        feature_table.load(path)
