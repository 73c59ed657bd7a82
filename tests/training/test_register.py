"""Gated bundles become versions that can be asked, promoted, fetched, and gone back from."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visavox import bundle
from visavox.errors import DataError
from visavox.table import Column, EmbeddingTable
from visavox.training import register, tracking
from visavox.training.dataset import Dataset
from visavox.training.fit import DiscriminatorSettings, Fitted, fit
from visavox.training.register import CHALLENGER, CHAMPION, RegisterSettings, Version

SETTINGS = RegisterSettings(data=Dataset(name="tiny"))
NETS = "e" * 64


def crowd(people: int, seed: int, name: str) -> tuple[EmbeddingTable, list[str]]:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(people), 3)
    columns = []
    for width in (4, 3):
        x = rng.standard_normal((people, 8))[owner] + 0.3 * rng.standard_normal((len(owner), 8))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        quality = rng.uniform(size=(len(owner), width)).astype(np.float32)
        present = np.ones(len(owner), np.bool_)
        columns.append(Column(x.astype(np.float32), present, quality, ("",) * len(owner)))
    names = [f"{name}{p}" for p in owner]
    return EmbeddingTable(tuple(f"{n}-{i}" for i, n in enumerate(names)), *columns), names


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit(*crowd(3, 1, "m"), *crowd(32, 0, "c"), DiscriminatorSettings(), seed=1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One registry for all tests here: making its tables takes seconds."""
    folder = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture
def write(place: Path, fitted: Fitted) -> Any:
    """Puts one bundle per fridge where training does, and a verdict where the gate does."""

    def written(seed: int, *fridges: str, passed: object = True) -> dict[str, Path]:
        data = SETTINGS.data
        shutil.rmtree(data.bundles, ignore_errors=True)
        Path(data.reports).mkdir(exist_ok=True)
        (Path(data.reports) / "gate.json").write_text(json.dumps({"passed": passed}))
        return {
            fridge: bundle.write(
                data.bundles / fridge,
                fridge=fridge,
                discriminator=fitted.discriminator,
                policy=fitted.policy,
                characterizer_digest=NETS,
                population="points",
                lineage={"commit": "abc", "seed": seed},
                reference={},
            )
            for fridge in fridges
        }

    return written


def registered(*, promote: bool = True) -> tuple[Version, ...]:
    settings = RegisterSettings(data=SETTINGS.data, promote=promote)
    with tracking.run("register", {}) as run:
        return register.register(settings, run)


def test_every_fridge_becomes_a_version_with_its_lineage(write: Any) -> None:
    made = write(1, "north", "south")
    versions = registered()
    assert [v.model for v in versions] == ["tiny.north", "tiny.south"]
    assert [v.digest for v in versions] == [made["north"].name, made["south"].name]
    client = tracking.client()
    kept = client.get_model_version(versions[0].model, versions[0].version)
    assert kept.tags["lineage.commit"] == "abc"
    assert kept.tags["members"] == "3"
    assert kept.tags["characterizer"] == NETS
    assert kept.run_id
    for alias in (CHALLENGER, CHAMPION):
        assert register.version_at(client, "tiny.north", alias) == versions[0]


def test_the_same_bundle_is_registered_once(write: Any) -> None:
    write(2, "once")
    assert registered() == registered()
    assert len(tracking.client().search_model_versions("name = 'tiny.once'")) == 1


def test_a_challenger_waits_until_it_is_promoted(write: Any) -> None:
    client = tracking.client()
    write(3, "waits")
    (first,) = registered()
    write(4, "waits")
    (second,) = registered(promote=False)
    assert second.version != first.version
    assert register.version_at(client, "tiny.waits", CHAMPION) == first
    assert register.version_at(client, "tiny.waits", CHALLENGER) == second
    register.promote(client, second)
    assert register.version_at(client, "tiny.waits", CHAMPION) == second
    register.promote(client, first)  # back, when verification fails
    assert register.version_at(client, "tiny.waits", CHAMPION) == first


def test_a_version_is_fetched_whole(write: Any, tmp_path: Path) -> None:
    made = write(5, "fetched")
    (version,) = registered()
    shutil.rmtree(SETTINGS.data.bundles)
    local = register.fetch(tracking.client(), version, tmp_path / "local")
    loaded = bundle.load(local, characterizer_digest=NETS)
    assert loaded.digest == made["fetched"].name


def test_a_fridge_without_a_model_has_no_champion(place: Path) -> None:
    assert register.version_at(tracking.client(), "tiny.nowhere", CHAMPION) is None


@pytest.mark.parametrize("passed", [False, None, "true"])
def test_what_did_not_pass_its_gate_is_not_registered(write: Any, passed: object) -> None:
    write(6, "refused", passed=passed)
    with pytest.raises(DataError, match="once they passed their gate"):
        registered()
    assert register.version_at(tracking.client(), "tiny.refused", CHALLENGER) is None


def test_what_was_never_gated_or_trained_is_said(write: Any) -> None:
    write(7)
    with pytest.raises(DataError, match="no bundles"):
        registered()
    (Path(SETTINGS.data.reports) / "gate.json").unlink()
    with pytest.raises(DataError, match="is missing"):
        registered()


def test_a_damaged_bundle_is_not_registered(write: Any) -> None:
    made = write(8, "damaged")
    (made["damaged"] / "reference.json").write_text("{ }")
    with pytest.raises(Exception, match="damaged"):
        registered()


def test_tracking_that_is_off_is_said(write: Any) -> None:
    write(9, "off")
    with pytest.raises(DataError, match="tracking is off"):
        register.register(SETTINGS, tracking.untracked())
