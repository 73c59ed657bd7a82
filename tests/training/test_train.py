"""One bundle per fridge, from features that fit the manifest; the same seed, the same model."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from visavox import bundle, manifest
from visavox.bundle import Bundle
from visavox.errors import DataError, NotEnoughData
from visavox.manifest import CaptureFile, Row
from visavox.table import Column, EmbeddingTable
from visavox.training import feature_table, provenance, tracking, train
from visavox.training.dataset import Dataset
from visavox.training.feature_table import Features
from visavox.training.fit import DiscriminatorSettings
from visavox.training.train import TrainSettings
from visavox.training.validation import Validation

ROOT = Path(__file__).parents[2]
DIM = 8
DATA = Dataset(name="tiny")
SETTINGS = TrainSettings(data=DATA, validation=Validation(rounds=0))


def rows(names: Sequence[str], split: str, captures: int, fridge: str = "") -> list[Row]:
    return [
        Row(
            capture=f"{name}-{split}-{i}",
            person=name,
            fridge=fridge,
            session=f"{name}-{split}-{i % 2}",
            split=split,
            image=CaptureFile(f"{name}-{split}-{i}.jpg", f"sha-{name}-{split}-{i}"),
        )
        for name in names
        for i in range(captures)
    ]


def embed(people: Sequence[str], seed: int = 0) -> tuple[Column, Column]:
    """Each person a point, and captures around it."""
    noise = np.random.default_rng([seed, 1])
    columns = []
    for side, width in enumerate((4, 3)):
        x = np.stack(
            [np.random.default_rng([side, *p.encode()]).standard_normal(DIM) for p in people]
        )
        x += 0.3 * noise.standard_normal(x.shape)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        columns.append(
            Column(
                x.astype(np.float32),
                np.ones(len(people), np.bool_),
                noise.uniform(size=(len(people), width)).astype(np.float32),
                ("",) * len(people),
            )
        )
    return columns[0], columns[1]


def put(dataset: str, made: list[Row], *, digest: str = "e" * 64, seed: int = 0) -> None:
    root = Path("data") / dataset
    root.mkdir(parents=True, exist_ok=True)
    manifest.write(root, made)
    table = EmbeddingTable(tuple(r.capture for r in made), *embed([r.person for r in made], seed))
    feature_table.write(
        Path("data/features") / f"{dataset}.safetensors",
        Features(table, "points", digest, "nobody"),
    )


MEMBERS = {"north": ("ada", "ben", "cem"), "south": ("dua", "eva")}


def tiny() -> list[Row]:
    made = []
    for fridge, names in MEMBERS.items():
        made += rows(names, "enrol", 3, fridge) + rows(names, "probe", 1, fridge)
    return made + rows(["sue"], "stranger", 1)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    put("tiny", tiny())
    put("cohort", rows([f"c{i}" for i in range(40)], "cohort", 4))
    return tmp_path


def trained(settings: TrainSettings = SETTINGS) -> dict[str, Bundle]:
    train.train(settings, tracking.untracked())
    return {
        p.name: bundle.load(p, characterizer_digest="e" * 64)
        for p in sorted(settings.data.bundles.iterdir())
    }


def scores(one: Bundle) -> Any:
    return one.discriminator.score(feature_table.load(DATA.features)).fused


def test_every_fridge_gets_a_bundle_of_its_members() -> None:
    made = trained()
    assert {name: b.discriminator.members for name, b in made.items()} == MEMBERS
    assert all(name == b.fridge for name, b in made.items())
    assert {b.manifest["population"] for b in made.values()} == {"nobody"}


def test_members_are_told_apart_by_captures_that_were_not_enrolled() -> None:
    north = trained()["north"]
    data = manifest.read(DATA.root)
    for i, row in enumerate(data):
        if row.split == "probe" and row.fridge == "north":
            assert north.discriminator.members[int(np.argmax(scores(north)[i]))] == row.person


def test_probes_strangers_and_other_fridges_are_never_trained_on() -> None:
    """Their embeddings may be anything."""
    before = {name: scores(b) for name, b in trained().items()}
    data = manifest.read(DATA.root)
    made = feature_table.read(DATA.features)
    spoilt = np.array([not (r.split == "enrol" and r.fridge == "north") for r in data])
    face = made.table.face.vectors.copy()
    face[spoilt] = face[spoilt][::-1]
    table = replace(made.table, face=replace(made.table.face, vectors=face))
    clean = feature_table.load(DATA.features)
    feature_table.write(DATA.features, replace(made, table=table))
    after = trained()["north"].discriminator.score(clean).fused
    assert_array_equal(before["north"], after)


def test_the_same_seed_gives_the_same_model_and_another_another() -> None:
    first = scores(trained()["north"])
    assert_array_equal(scores(trained()["north"]), first)
    other = trained(replace(SETTINGS, seed=2))["north"]
    assert not np.array_equal(scores(other), first)


def test_a_retrained_fridge_holds_one_bundle_the_new_one() -> None:
    before = trained()["north"].digest
    after = trained(replace(SETTINGS, seed=2))["north"].digest
    assert after != before
    assert [p.name for p in (DATA.bundles / "north").iterdir()] == [after]


def test_one_fridge_may_be_trained_alone() -> None:
    before = trained()
    after = trained(replace(SETTINGS, seed=2, fridges=("south",)))
    assert after["north"].digest == before["north"].digest
    assert after["south"].digest != before["south"].digest
    with pytest.raises(DataError, match=r"no members of west.*north, south"):
        trained(replace(SETTINGS, fridges=("south", "west")))


def test_a_fridge_trained_alone_is_the_same_as_with_the_others() -> None:
    together = scores(trained()["south"])
    assert_array_equal(scores(trained(replace(SETTINGS, fridges=("south",)))["south"]), together)


def test_the_lineage_says_how_to_make_it_again(place: Path) -> None:
    (place / "dvc.lock").write_text(
        "stages:\n  data@tiny:\n    outs:\n    - path: data/tiny\n      md5: abc.dir\n"
    )
    lineage = trained()["north"].lineage
    assert lineage["data_sha256"] == provenance.data_hash(DATA.root)
    assert lineage["cohort_sha256"] == provenance.data_hash(DATA.cohort_root)
    assert lineage["data_dvc"] == "abc.dir"
    assert (lineage["dataset"], lineage["cohort"], lineage["seed"]) == ("tiny", "cohort", 1)
    assert {"visavox", "commit", "dirty", "config_sha256", "run"} <= set(lineage)
    alone = trained(replace(SETTINGS, fridges=("north",)))["north"].lineage
    assert alone["config_sha256"] == lineage["config_sha256"]
    other = replace(SETTINGS, discriminator=DiscriminatorSettings(family="prototype"))
    assert trained(other)["north"].lineage["config_sha256"] != lineage["config_sha256"]


def test_the_reference_holds_unseen_genuine_scores_and_strangers() -> None:
    reference = trained()["north"].reference
    genuine = reference["scores"]["genuine"]["fused"]
    stranger = reference["scores"]["stranger"]["fused"]
    assert genuine["n"] == len(MEMBERS["north"]), "one held-out capture of each"
    assert stranger["n"] > 20
    assert genuine["mean"] > stranger["mean"]
    assert reference["quality"]["voice"]["snr_db"]["n"] == reference["captures"] == 9
    json.dumps(reference, allow_nan=False)


def test_members_with_one_capture_have_no_genuine_reference() -> None:
    put("tiny", rows(["ada", "ben"], "enrol", 1, "north"))
    made = trained()["north"]
    assert made.reference["scores"]["genuine"]["fused"]["n"] == 0
    assert made.discriminator.members == ("ada", "ben")


@pytest.mark.parametrize("family", ["prototype", "logistic"])
def test_every_family_makes_a_bundle(family: Any) -> None:
    made = trained(replace(SETTINGS, discriminator=DiscriminatorSettings(family=family)))
    assert {b.discriminator.family for b in made.values()} == {family}


def test_the_objective_is_of_the_cohort_alone() -> None:
    how = Validation(rounds=1, members=5, strangers=6, enrol=2)
    settings = replace(SETTINGS, validation=how)
    first = train.train(settings, tracking.untracked())
    assert first is not None
    assert 0 < first < 1
    put("tiny", rows(["zoe", "yan"], "enrol", 2, "north"))
    assert train.train(settings, tracking.untracked()) == first
    assert train.train(SETTINGS, tracking.untracked()) is None


def test_a_sweep_leaves_the_bundles_alone() -> None:
    before = trained()["north"].digest
    train.train(replace(SETTINGS, seed=3, mode="MULTIRUN"), tracking.untracked())
    assert [p.name for p in (DATA.bundles / "north").iterdir()] == [before]


def test_features_of_another_state_of_the_data_are_refused() -> None:
    manifest.write(DATA.root, tiny()[1:])
    with pytest.raises(DataError, match="not of the captures that data/tiny has now"):
        trained()


def test_a_cohort_seen_with_other_eyes_is_refused() -> None:
    put("cohort", rows(["c1"], "cohort", 2), digest="d" * 64)
    with pytest.raises(DataError, match="embedded with"):
        trained()


def test_a_member_in_the_cohort_is_refused() -> None:
    put("cohort", rows(["ada"], "cohort", 2))
    with pytest.raises(DataError, match="people are in the cohort"):
        trained()


def test_a_leak_is_refused() -> None:
    put("tiny", [replace(r, session="same") for r in tiny()])
    with pytest.raises(DataError, match="both enrol and probe"):
        trained()


def test_nobody_enrolled_and_a_cohort_too_small_are_said() -> None:
    put("cohort", rows(["c1", "c2"], "cohort", 2))
    with pytest.raises(NotEnoughData, match="cohort"):
        trained()
    put("tiny", rows(["sue"], "stranger", 1))
    with pytest.raises(DataError, match="no fridge with members"):
        trained()


@pytest.fixture
def sweep(place: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The step as its command line runs it, with the shipped configs, in this process."""
    shutil.copytree(ROOT / "configs", place / "configs")
    (place / "configs" / "data" / "tiny.yaml").write_text("name: tiny\n")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.OFF)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    small = ("members=5", "strangers=6", "enrol=2")

    def run(*arguments: str) -> None:
        smaller = (f"validation.{value}" for value in small)
        argv = ["train", "-m", "data=tiny", *smaller, "hydra/launcher=basic", *arguments]
        monkeypatch.setattr(sys, "argv", argv)
        train.train.main()

    return run


def test_a_sweep_over_families_and_seeds_runs_every_one(sweep: Any, place: Path) -> None:
    sweep("discriminator=prototype,plda", "seed=1,2")
    jobs = sorted((place / ".cache" / "hydra" / "sweeps").glob("*/*/*/train.log"))
    said = [job.read_text() for job in jobs]
    assert sum("family prototype" in text for text in said) == 2
    assert sum("family plda" in text for text in said) == 2
    assert not DATA.bundles.exists()


def test_a_search_keeps_its_trials_and_goes_on(sweep: Any, place: Path) -> None:
    for _ in range(2):
        sweep("+sweep=optuna", "hydra.sweeper.n_trials=2")
    with closing(sqlite3.connect(place / ".cache" / "sweep-train-tiny.db")) as db:
        values = [v for (v,) in db.execute("SELECT value FROM trial_values")]
    assert len(values) == 4
    assert all(0 < v < 2 for v in values)
