"""Every run of a step is an MLflow run, wherever those are kept."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from visavox.training import tracking


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One database for all tests here: making its tables takes seconds."""
    folder = tmp_path_factory.mktemp("tracked")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def made(place: Path) -> tuple[str, Any]:
    """A finished run, and a client to look at it with."""
    (place / "report.json").write_text("{}")
    (place / "plots").mkdir()
    (place / "plots" / "det.csv").write_text("x")
    params = {"seed": 1, "data": {"name": "demo"}, "long": "x" * 10_000}
    with tracking.run("train", params) as run:
        run.metrics({"fused.cllr": 0.25, "fnir@0.3%": 0.5})
        run.metrics({"loss": 2.0}, step=0)
        run.metrics({"loss": 1.0}, step=1)
        run.tags({"data": "abc"})
        run.artifact(place / "report.json")
        run.artifact(place / "plots")
    return run.id, tracking.client()


def test_params_metrics_tags_and_artifacts_are_kept(made: tuple[str, Any], place: Path) -> None:
    run_id, client = made
    kept = client.get_run(run_id)
    assert kept.info.status == "FINISHED"
    assert kept.data.params["seed"] == "1"
    assert kept.data.params["data.name"] == "demo"
    assert len(kept.data.params["long"]) == 6000
    assert kept.data.metrics["fused.cllr"] == 0.25
    assert kept.data.metrics["fnir_0.3_"] == 0.5
    assert [m.value for m in client.get_metric_history(run_id, "loss")] == [2.0, 1.0]
    assert kept.data.tags["data"] == "abc"
    assert kept.data.tags["mlflow.source.git.commit"]
    assert len(kept.data.tags["config"]) == 64
    assert client.get_experiment(kept.info.experiment_id).name == "train"
    assert {a.path for a in client.list_artifacts(run_id)} == {"report.json", "plots"}
    assert {p.name for p in place.iterdir()} == {".mlflow", "report.json", "plots"}


def test_a_run_that_raises_is_kept_as_failed(made: tuple[str, Any]) -> None:
    with pytest.raises(SystemExit), tracking.run("train", {}) as run:
        raise SystemExit(1)
    assert made[1].get_run(run.id).info.status == "FAILED"


def test_runs_of_one_step_share_an_experiment(made: tuple[str, Any]) -> None:
    run_id, client = made
    with tracking.run("train", {}) as again, tracking.run("gate", {}) as other:
        pass
    ids = [client.get_run(i).info.experiment_id for i in (run_id, again.id, other.id)]
    assert ids[0] == ids[1] != ids[2]


def test_more_params_than_mlflow_takes_at_once_are_kept(made: tuple[str, Any]) -> None:
    with tracking.run("train", {f"p{i}": i for i in range(230)}) as run:
        run.metrics({})
    assert len(made[1].get_run(run.id).data.params) == 230


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert tracking.uri() == "http://127.0.0.1:9"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.chdir(tmp_path)
    assert tracking.uri() == f"sqlite:///{tmp_path}/.mlflow/mlflow.db"
    assert list(tmp_path.iterdir()) == [], "asking where makes nothing"


def test_off_keeps_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.OFF)
    with tracking.run("train", {"seed": 1}) as run:
        run.metrics({"x": 1.0})
        run.tags({"a": "b"})
        run.artifact(tmp_path)
    assert run == tracking.untracked()
    assert list(tmp_path.iterdir()) == []


def test_nested_settings_are_named_as_on_the_command_line() -> None:
    assert tracking.flat({"a": {"b": {"c": 1}, "d": (2, 3)}, "e": None}) == {
        "a.b.c": 1,
        "a.d": (2, 3),
        "e": None,
    }


def test_a_step_imports_without_mlflow_or_hydra() -> None:
    program = (
        "import sys; sys.modules['mlflow'] = sys.modules['hydra'] = None;"
        "import visavox.training.stage, visavox.training.register"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
