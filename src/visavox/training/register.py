"""Step `register`: gated bundles become versions of their fridge's model in the registry.

A version is a `challenger` until it is promoted to `champion`. What it was made from stands on it
as tags, so that the registry can be asked without fetching anything.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visavox import bundle
from visavox.config import settings
from visavox.errors import DataError
from visavox.training import tracking
from visavox.training.dataset import Dataset
from visavox.training.stage import stage
from visavox.training.tracking import Run

CHALLENGER, CHAMPION = "challenger", "champion"
_VERDICT = "gate.json"  # what step `gate` writes into the dataset's reports

log = logging.getLogger(__name__)


@settings
class RegisterSettings:
    data: Dataset
    promote: bool = True
    """Make each version the champion at once, as nothing is deployed that could be verified."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a fridge's model."""

    model: str
    version: str
    digest: str
    """Of the bundle."""


@stage(RegisterSettings)
def register(settings: RegisterSettings, run: Run) -> tuple[Version, ...]:
    """Register the bundles of a dataset that passed its gate."""
    _check_gate(settings.data)
    folders = sorted(p for p in settings.data.bundles.glob("*") if p.is_dir())
    if not folders:
        raise DataError(
            f"There are no bundles in {settings.data.bundles}.",
            next_step=f"Train first: `python -m visavox.training.train data={settings.data.name}`.",
        )
    if run.client is None:
        raise DataError(
            "Nothing can be registered while tracking is off.",
            next_step="Unset MLFLOW_TRACKING_URI, or name a server with it.",
        )
    made = tuple(
        _versioned(run, settings.data.name, bundle.find(folder), settings.promote)
        for folder in folders
    )
    log.info("%s: registered %s", settings.data.name, ", ".join(v.model for v in made))
    return made


def model_name(dataset: str, fridge: str) -> str:
    """A fridge's name in the registry, where neither '/' nor ':' may stand."""
    return f"{dataset}.{fridge}"


def version_at(client: Any, model: str, alias: str) -> Version | None:
    """The version that an alias points to, or None where there is none yet."""
    from mlflow.exceptions import MlflowException

    try:
        found = client.get_model_version_by_alias(model, alias)
    except MlflowException:
        return None
    return Version(model, str(found.version), found.tags["digest"])


def promote(client: Any, version: Version) -> None:
    """Make a version the champion. The one before stays, to go back to."""
    client.set_registered_model_alias(version.model, CHAMPION, version.version)


def fetch(client: Any, version: Version, into: Path) -> Path:
    """The version's bundle, from the artifact store into a local folder; not verified yet."""
    from mlflow.artifacts import download_artifacts

    source = client.get_model_version(version.model, version.version).source
    into.mkdir(parents=True, exist_ok=True)
    return Path(
        download_artifacts(artifact_uri=source, dst_path=str(into), tracking_uri=tracking.uri())
    )


def _versioned(run: Run, dataset: str, folder: Path, champion: bool) -> Version:
    loaded = bundle.load(folder, characterizer_digest=None)
    model = model_name(dataset, loaded.fridge)
    current = version_at(run.client, model, CHALLENGER)
    if current is not None and current.digest == loaded.digest:
        version = current  # registered before: a second run makes no second version
    else:
        version = _created(run, model, loaded, folder)
    run.client.set_registered_model_alias(model, CHALLENGER, version.version)
    if champion:
        promote(run.client, version)
    return version


def _created(run: Run, model: str, loaded: bundle.Bundle, folder: Path) -> Version:
    from mlflow.exceptions import MlflowException

    try:
        run.client.create_registered_model(model, description=f"Fridge {loaded.fridge}")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    place = f"bundles/{loaded.fridge}/{loaded.digest}"
    run.artifact(folder, place)
    made = run.client.create_model_version(
        model,
        source=f"{run.client.get_run(run.id).info.artifact_uri}/{place}",
        run_id=run.id,
        tags={
            "digest": loaded.digest,
            "family": loaded.discriminator.family,
            "members": str(len(loaded.discriminator.members)),
            "characterizer": loaded.characterizer_digest,
            "population": str(loaded.manifest["population"]),
            **{f"lineage.{k}": str(v) for k, v in loaded.lineage.items()},
        },
    )
    return Version(model, str(made.version), loaded.digest)


def _check_gate(data: Dataset) -> None:
    path = Path(data.reports) / _VERDICT
    try:
        passed = json.loads(path.read_text(encoding="utf-8"))["passed"]
    except (OSError, ValueError, KeyError, TypeError):
        passed = None
    if passed is not True:
        came = "says that they did not pass" if passed is False else "is missing"
        raise DataError(
            f"Bundles are registered once they passed their gate; {path} {came}.",
            next_step=f"Run `dvc repro gate@{data.name}`.",
        )


if __name__ == "__main__":
    register.main()
