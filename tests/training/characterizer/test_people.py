"""Samples of personas and of a dataset: the same each time, aligned, nobody in both splits."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from visavox import manifest
from visavox.characterizer.crop import TEMPLATE, aligned, similarity
from visavox.errors import DataError, NotEnoughData
from visavox.manifest import CaptureFile, Row
from visavox.personas.person import face_of, person
from visavox.training.characterizer import people_manifest, people_personas
from visavox.training.characterizer.people_settings import PeopleSettings
from visavox.training.characterizer.persona_capture import jittered
from visavox.training.characterizer.samples import EpochOrder, Samples, Split
from visavox.types import Modality

FEW = PeopleSettings(
    identities=3, validation=2, captures=3, sessions=2, seconds=1.5, siblings=0.5, workers=1
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return people_personas.split(FEW, Modality.FACE, tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return people_personas.split(FEW, Modality.VOICE, tmp_path_factory.mktemp("voices"))


def test_personas_come_as_crops_and_as_sound(faces: Split, voices: Split) -> None:
    assert faces.train.data.shape == (9, 112, 112, 3)
    assert faces.train.data.dtype == np.uint8
    assert voices.validation.data.shape == (6, 24_000)
    assert voices.validation.data.dtype == np.int16
    assert faces.train.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert all(np.abs(v.astype(float)).max() > 500 for v in voices.train.data)
    assert all(f.std() > 10 for f in faces.train.data)


def test_captures_differ_among_themselves(faces: Split) -> None:
    flat = {f.tobytes() for f in faces.train.data}
    assert len(flat) == len(faces.train)


def test_nobody_is_in_both_splits(faces: Split) -> None:
    assert not set(faces.train.identities) & set(faces.validation.identities)
    with pytest.raises(DataError, match="both in training and in validation"):
        Split(faces.train, faces.train)


def test_more_workers_make_the_same_samples(faces: Split, tmp_path: Path) -> None:
    again = people_personas.split(replace(FEW, workers=2), Modality.FACE, tmp_path)
    assert np.array_equal(again.train.data, faces.train.data)
    assert again.train.identities == faces.train.identities


def test_kept_samples_are_not_made_again(tmp_path: Path) -> None:
    one = replace(FEW, identities=1, validation=1, captures=1, sessions=1)
    first = people_personas.split(one, Modality.VOICE, tmp_path)
    stored = sorted(tmp_path.rglob("samples.npy"))
    before = [p.stat().st_mtime_ns for p in stored]
    again = people_personas.split(one, Modality.VOICE, tmp_path)
    assert [p.stat().st_mtime_ns for p in stored] == before
    assert np.array_equal(first.train.data, again.train.data)
    people_personas.split(replace(one, hardness=(0.5, 0.5)), Modality.VOICE, tmp_path)
    assert len(sorted(tmp_path.rglob("samples.npy"))) > len(stored)


def test_an_interrupted_making_is_done_anew(tmp_path: Path) -> None:
    one = replace(FEW, identities=1, validation=1, captures=1, sessions=1)
    first = people_personas.split(one, Modality.VOICE, tmp_path)
    kept = np.array(first.train.data)
    for described in tmp_path.rglob("samples.json"):
        described.unlink()
    for stored in tmp_path.rglob("samples.npy"):
        np.save(stored, np.zeros_like(np.load(stored)))
    again = people_personas.split(one, Modality.VOICE, tmp_path)
    assert np.array_equal(again.train.data, kept)


def test_jitter_moves_landmarks_by_about_its_share() -> None:
    exact = np.asarray(TEMPLATE, np.float32) * 3
    eyes = float(np.linalg.norm(exact[1] - exact[0]))
    rng = np.random.default_rng(0)
    moved = np.stack([jittered(exact, 0.02, rng) for _ in range(300)])
    off = (moved - exact) / eyes
    assert off.mean() == pytest.approx(0, abs=0.003)
    assert off.std() == pytest.approx(0.02 * np.sqrt(2), rel=0.1)
    turn, _ = similarity(moved[0], TEMPLATE)
    assert abs(turn) == pytest.approx(1 / 3, rel=0.1)


def test_every_person_is_as_frequent_as_any_other() -> None:
    labels = np.repeat(np.arange(4), [1, 2, 9, 30])
    order = EpochOrder(labels, batch=6, per_identity=6, seed=1, epoch=0)
    batches = list(order)
    assert len(batches) == len(order) == 4
    assert np.bincount(labels[np.concatenate(batches)]).tolist() == [6, 6, 6, 6]


def test_an_epoch_has_an_order_of_its_own_and_the_same_each_time() -> None:
    labels = np.repeat(np.arange(5), 4)
    rows = [
        np.concatenate(list(EpochOrder(labels, batch=5, per_identity=0, seed=s, epoch=e)))
        for s, e in ((1, 0), (1, 0), (1, 1), (2, 0))
    ]
    assert np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])
    assert not np.array_equal(rows[0], rows[3])
    assert sorted(rows[0].tolist()) == list(range(20))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two people to learn from and one to validate on, as files behind a manifest."""
    root = tmp_path / "brought"
    root.mkdir()
    rows = []
    for i, split in enumerate(("train", "train", "validation")):
        rendered = face_of(person(77, i), 0, 0, 0.5)
        Image.fromarray(rendered.pixels).save(root / f"{i}.png")
        sound = 0.3 * np.sin(np.arange(16_000) * (0.05 + 0.02 * i))
        soundfile.write(root / f"{i}.wav", sound, 16_000, subtype="PCM_16")
        image, audio = (
            CaptureFile(f"{i}.{end}", manifest.sha256((root / f"{i}.{end}").read_bytes()))
            for end in ("png", "wav")
        )
        rows.append(Row(f"c{i}", f"p{i}", "", "s", split, image=image, audio=audio))
    manifest.write(root, rows)
    return root


def test_a_dataset_gives_the_same_kind_of_samples(dataset: Path, tmp_path: Path) -> None:
    settings = PeopleSettings(source="manifest", root=str(dataset), seconds=1.5)
    seen = people_manifest.split(settings, Modality.FACE, tmp_path / "cache")
    assert seen.train.data.shape == (2, 112, 112, 3)
    assert seen.train.identities == ("p0", "p1")
    assert seen.validation.identities == ("p2",)
    # The detector's crop shows what the true landmarks' crop shows.
    true = aligned(*face_of(person(77, 0), 0, 0, 0.5)[:2])
    ours = seen.train.data[0].astype(float)
    assert np.corrcoef(true.ravel(), ours.ravel())[0, 1] > 0.9
    heard = people_manifest.split(settings, Modality.VOICE, tmp_path / "cache")
    assert heard.train.data.shape == (2, 24_000)
    # One second is there: what is missing is said again from the start.
    assert np.array_equal(heard.train.data[0, 16_000:], heard.train.data[0, :8_000])


def test_a_changed_file_is_refused(dataset: Path, tmp_path: Path) -> None:
    (dataset / "0.png").write_bytes(b"something else")
    settings = PeopleSettings(source="manifest", root=str(dataset))
    with pytest.raises(DataError, match="not the one in its manifest"):
        people_manifest.split(settings, Modality.FACE, tmp_path / "cache")


def test_a_dataset_without_the_splits_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    manifest.write(root, [Row("c", "p", "", "s", "cohort")])
    with pytest.raises(NotEnoughData, match="no face in its split 'train'"):
        people_manifest.split(
            PeopleSettings(source="manifest", root=str(root)), Modality.FACE, tmp_path
        )


def test_samples_keep_their_description_beside_them(faces: Split, tmp_path: Path) -> None:
    people_personas.split(
        replace(FEW, identities=1, validation=1, captures=1, sessions=1), Modality.VOICE, tmp_path
    )
    described = json.loads(next(tmp_path.rglob("samples.json")).read_text())
    assert set(described) == {"labels", "identities"}
    assert isinstance(faces.train, Samples)
