"""Only what is new is embedded, through the very rooms that serve."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from visavox import characterizer, manifest, quality
from visavox.characterizer import Characterizer
from visavox.errors import DataError
from visavox.manifest import CaptureFile, sha256
from visavox.perception import Perception
from visavox.personas import dataset as personas
from visavox.quality import QualityLimits
from visavox.table import EmbeddingTable
from visavox.training import embedding, feature_table, features, tracking
from visavox.training.dataset import Dataset
from visavox.training.features import FeaturesSettings, Made
from visavox.types import Embedding

PEOPLE = personas.PersonasSettings(
    population=6, members=2, enrol=1, enrol_sessions=1, probe=1, probe_sessions=1, strangers=1
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two members of two captures, and a stranger of two."""
    root = tmp_path_factory.mktemp("drawn") / "tiny"
    personas.write(PEOPLE, root)
    return root


@pytest.fixture
def data(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, in a checkout of its own."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(drawn, tmp_path / "data" / "tiny"))


@pytest.fixture(scope="module")
def nets() -> Iterator[Characterizer]:
    loaded = characterizer.load("embedded")
    yield loaded
    loaded.close()


def embedded(*, workers: int = 1) -> Made:
    settings = FeaturesSettings(data=Dataset(name="tiny"), workers=workers)
    return features.features(settings, tracking.untracked())


def table() -> EmbeddingTable:
    return feature_table.load(Path("data/features/tiny.safetensors"))


def with_other_sound(data: Path, capture: str) -> None:
    """Give one capture the sound of a stranger, and say so in the manifest."""
    rows = manifest.read(data)
    other = next(r for r in rows if r.split == "stranger").audio
    assert other is not None
    sound = (data / other.path).read_bytes() + b"\0" * 4  # FLAC readers stop before it
    made = []
    for row in rows:
        if row.capture == capture:
            assert row.audio is not None
            (data / row.audio.path).write_bytes(sound)
            row = replace(row, audio=CaptureFile(row.audio.path, sha256(sound)))
        made.append(row)
    manifest.write(data, made)


def test_the_table_holds_what_serving_sees(data: Path, nets: Characterizer) -> None:
    assert embedded() == Made(captures=6, embedded=6)
    rows = manifest.read(data)
    found = table()
    assert found.captures == tuple(r.capture for r in rows)
    assert found.face.present.any()
    with Perception(nets) as perception:
        for i, row in enumerate(rows):
            seen = embedding.embed_row(perception, data, row)
            for column, side in ((found.face, seen.face), (found.voice, seen.voice)):
                assert column.present[i] == isinstance(side, Embedding)
                if isinstance(side, Embedding):
                    assert_array_equal(column.vectors[i], side.vector)


def test_a_second_run_embeds_nothing_and_gives_the_same_bytes(data: Path) -> None:
    embedded()
    first = Path("data/features/tiny.safetensors").read_bytes()
    assert embedded() == Made(captures=6, embedded=0)
    assert Path("data/features/tiny.safetensors").read_bytes() == first


def test_changing_one_members_data_embeds_only_that(data: Path) -> None:
    embedded()
    before = table()
    changed = manifest.read(data).of(split="enrol")[0].capture
    with_other_sound(data, changed)
    assert embedded() == Made(captures=6, embedded=1)
    after = table()
    moved = np.any(before.voice.vectors != after.voice.vectors, axis=1)
    assert [c for c, m in zip(after.captures, moved, strict=True) if m] == [changed]
    assert_array_equal(before.face.vectors, after.face.vectors)


def test_a_capture_by_another_name_is_not_embedded_again(data: Path) -> None:
    embedded()
    rows = manifest.read(data)
    manifest.write(data, [replace(r, capture=f"renamed-{r.capture}") for r in rows])
    assert embedded().embedded == 0
    assert table().captures[0].startswith("renamed-")


def test_an_interrupted_run_keeps_what_it_did(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = manifest.read(data).rows[-1]
    assert last.image is not None
    whole = (data / last.image.path).read_bytes()
    (data / last.image.path).write_bytes(whole[:-1])
    monkeypatch.setattr(features, "_TOGETHER", 2)
    with pytest.raises(DataError, match=f"{last.capture!r} is not the one in the manifest"):
        embedded()
    assert not Path("data/features/tiny.safetensors").exists()
    (data / last.image.path).write_bytes(whole)
    assert embedded() == Made(captures=6, embedded=1)


def test_processes_see_what_one_sees(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded()
    one = Path("data/features/tiny.safetensors").read_bytes()
    shutil.rmtree(features.CACHE)
    monkeypatch.setattr(embedding, "_WORTH_PROCESSES", 1)
    assert embedded(workers=2) == Made(captures=6, embedded=6)
    assert Path("data/features/tiny.safetensors").read_bytes() == one


def test_a_file_that_is_gone_is_named(data: Path) -> None:
    first = manifest.read(data).rows[0]
    assert first.audio is not None
    (data / first.audio.path).unlink()
    with pytest.raises(DataError, match=f"{first.capture!r} cannot be read"):
        embedded()


def test_a_capture_that_cannot_be_decoded_is_named(data: Path) -> None:
    rows = list(manifest.read(data))
    assert rows[0].image is not None
    (data / rows[0].image.path).write_bytes(b"no picture")
    rows[0] = replace(rows[0], image=CaptureFile(rows[0].image.path, sha256(b"no picture")))
    manifest.write(data, rows)
    with pytest.raises(DataError, match=f"{rows[0].capture!r} in .* is unusable"):
        embedded()


def test_a_leak_is_refused_before_anything_is_embedded(data: Path) -> None:
    rows = [replace(r, session="one") for r in manifest.read(data)]
    manifest.write(data, rows)
    with pytest.raises(DataError, match="both enrol and probe"):
        embedded()
    assert not features.CACHE.exists()


def test_the_cache_is_of_one_way_of_seeing(
    nets: Characterizer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = features.seen_by(nets)
    assert features.seen_by(nets) == before
    monkeypatch.setattr(nets, "digest", "0" * 64)
    other_nets = features.seen_by(nets)
    monkeypatch.setattr(quality, "QualityLimits", lambda: QualityLimits(size=81.5))
    assert len({before, other_nets, features.seen_by(nets)}) == 3


def test_a_key_is_the_content_whatever_the_files_are_called(data: Path) -> None:
    row = manifest.read(data).rows[0]
    assert row.image is not None
    moved = replace(row, capture="x", image=CaptureFile("elsewhere.jpg", row.image.sha256))
    assert features.key(moved) == features.key(row)
    assert features.key(replace(row, image=None)) != features.key(row)
    swapped = replace(row, image=row.audio, audio=row.image)
    assert features.key(swapped) != features.key(row)


def test_a_manifest_of_nothing_is_refused(data: Path) -> None:
    manifest.write(data, ())
    with pytest.raises(DataError, match="holds no captures"):
        embedded()
