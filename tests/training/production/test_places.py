"""Everything of a retraining lies below the state folder, unless an address is given."""

from pathlib import Path

import pytest

from visavox.store.settings import StoreSettings
from visavox.training.production.places import Addresses, Places


def test_with_nothing_set_up_everything_lies_below_the_state_folder(tmp_path: Path) -> None:
    places = Places.of(StoreSettings(state=tmp_path), Addresses())
    assert places.ledger.parent == places.runs.parent == places.metaflow.parent == tmp_path
    assert places.tracking == f"sqlite:///{tmp_path}/mlflow.db"
    assert places.artifacts == f"file://{tmp_path}/mlartifacts"
    assert Path(places.remote).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_addresses_of_other_machines_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVOX_LEDGER_REMOTE", "s3://versions/ledger")
    monkeypatch.setenv("VISAVOX_TRACKING_URI", "http://mlflow:5000")
    places = Places.of(StoreSettings(state=tmp_path))
    assert places.remote == "s3://versions/ledger"
    assert places.tracking == "http://mlflow:5000"
    assert places.artifacts is None


def test_every_process_means_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = Places.of(StoreSettings(state=Path("here")), Addresses())
    assert places.candidate("run_1", "kitchen", "plda") == (
        tmp_path / "here" / "retraining" / "run_1" / "kitchen" / "plda"
    )
    assert places.run("run_1") == tmp_path / "here" / "retraining" / "run_1"
