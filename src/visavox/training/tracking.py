"""Every run of a step is an MLflow run: on SQLite in `.mlflow/`, or where MLFLOW_TRACKING_URI says.

The client is used instead of MLflow's global state, so that steps may run side by side.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visavox.training import provenance

FOLDER = Path(".mlflow")
OFF = "off"
"""As MLFLOW_TRACKING_URI: track nothing."""

_PARAM_LENGTH = 6000  # MLflow's own limit
_PARAMS_AT_ONCE = 100


@dataclass(frozen=True)
class Run:
    """An open run. `id` is "" and everything is dropped where nothing is tracked."""

    id: str
    client: Any  # mlflow.MlflowClient, or None

    def metrics(self, values: Mapping[str, float], *, step: int = 0) -> None:
        """Log named numbers."""
        if self.client is None or not values:
            return
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        batch = [Metric(_key(k), float(v), now, step) for k, v in values.items()]
        self.client.log_batch(self.id, metrics=batch)

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Log a file, or all files of a folder."""
        if self.client is None:
            return
        if path.is_dir():
            self.client.log_artifacts(self.id, str(path), artifact_path=folder or path.name)
        else:
            self.client.log_artifact(self.id, str(path), artifact_path=folder)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags, such as the hash of the data that went in."""
        if self.client is None:
            return
        for key, value in values.items():
            self.client.set_tag(self.id, key, value)


def untracked() -> Run:
    """A run that keeps nothing, for calling a step as a function."""
    return Run("", None)


def uri() -> str:
    """Where runs and models are kept."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{FOLDER.resolve()}/mlflow.db"


def client() -> Any:
    """An MLflow client for `uri()`, quiet, its database made if need be."""
    return connected(uri(), FOLDER)


def connected(where: str, folder: Path) -> Any:
    """An MLflow client for that address; `folder` is where a database of one's own is made."""
    # MLflow reads these at import: it would report home, and log each migration of its tables.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    if not where.startswith("sqlite"):
        return MlflowClient(tracking_uri=where, registry_uri=where)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # two processes must not both make the tables
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = MlflowClient(tracking_uri=where, registry_uri=where)
        made.search_experiments(max_results=1)
    return made


@contextmanager
def run(name: str, params: Mapping[str, Any]) -> Iterator[Run]:
    """An MLflow run of the step `name`: params, code and configuration logged, end state kept."""
    if uri() == OFF:
        yield untracked()
        return
    opened = client()
    code = provenance.commit()
    run_id = opened.create_run(
        _experiment(opened, name),
        run_name=name,
        tags={
            "mlflow.source.name": f"visavox.training.{name}",
            "mlflow.source.git.commit": code.sha,
            "dirty": str(code.dirty).lower(),
            "config": provenance.digest(params),
        },
    ).info.run_id
    _log_params(opened, run_id, params)
    state = "FAILED"
    try:
        yield Run(run_id, opened)
        state = "FINISHED"
    finally:
        opened.set_terminated(run_id, status=state)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted keys, the way they are overridden on the command line."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            out |= flat(value, f"{name}.")
        else:
            out[name] = value
    return out


def _log_params(opened: Any, run_id: str, params: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    every = [Param(_key(k), str(v)[:_PARAM_LENGTH]) for k, v in flat(params).items()]
    for start in range(0, len(every), _PARAMS_AT_ONCE):
        opened.log_batch(run_id, params=every[start : start + _PARAMS_AT_ONCE])


def _experiment(opened: Any, name: str) -> str:
    found = opened.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    if not uri().startswith("sqlite"):
        return str(opened.create_experiment(name))
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = opened.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        artifacts = (FOLDER / "artifacts" / name).resolve().as_uri()
        return str(opened.create_experiment(name, artifact_location=artifacts))


def _key(name: str) -> str:
    # MLflow allows these characters only; members' names are not keys and stay out of here.
    return "".join(c if c.isalnum() or c in "_-./ :" else "_" for c in name)
