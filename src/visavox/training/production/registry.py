"""The registry: each fridge's models in MLflow, sealed, with all that is known of them as tags.

    model     fridge-<id>
    version   parcel.sealed, figures.json, verdict.json, captures.json, card.html
    alias     champion, challenger, previous: as the fridge's slot stands

What decides is the slot; the aliases tell of it. Where somebody moves `champion` by hand, the slot
follows (`following`). The client is used, and nothing of MLflow that is global.
"""

import fcntl
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visavox.errors import DataError
from visavox.service.standing import Standing
from visavox.store.vault import sealed_under
from visavox.training import tracking
from visavox.training.gate_limits import number
from visavox.training.production import fridge_fit, fridge_gate
from visavox.training.production.places import Places

PREFIX = "fridge-"
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)
SYNCED = "slot"
"""Of a model: the champion of its slot as it was when the aliases were last set from there."""
CAPTURES, CARD = "captures.json", "card.html"
EXPERIMENT = "retraining"

_FIGURES = ("served.fnir", "served.fpir", "fused.eer", "fused.cllr")
_LINEAGE = (
    "visavox", "commit", "dirty", "ledger_commit", "ledger_tag", "data_dvc", "data_sha256", "as_of",
    "cohort_sha256", "config_sha256", "seed", "run", "metaflow",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a fridge's model."""

    fridge: str
    version: str
    digest: str
    """Of the bundle."""
    run: str
    """MLflow's."""
    source: str
    tags: Mapping[str, str] = field(repr=False)

    @property
    def model(self) -> str:
        return model_of(self.fridge)

    @property
    def retired(self) -> bool:
        """Whether its files were removed, since somebody it had learned from was erased."""
        return "retired" in self.tags

    @property
    def key(self) -> str:
        """The id of the data key that its parcel opens with."""
        return self.tags.get("key", "")


def model_of(fridge: str) -> str:
    """A fridge's name in the registry."""
    return f"{PREFIX}{fridge}"


class Registry:
    """An open registry. It may be kept for as long as the process lives."""

    def __init__(self, client: Any, *, artifacts: str | None, lock: Path | None) -> None:
        self.client = client
        self._artifacts, self._lock = artifacts, lock
        self._stores: dict[str, Any] = {}
        self._runs: dict[str, tuple[str, str]] = {}

    @classmethod
    def open(cls, places: Places) -> "Registry":
        """Connect to it; a database of one's own is made if need be. MLflow is imported now."""
        folder = places.metaflow.parent / "mlflow"
        client = tracking.connected(places.tracking, folder)
        own = places.tracking.startswith("sqlite")
        return cls(client, artifacts=places.artifacts, lock=folder / "write" if own else None)

    def run(self, retraining: str, tags: Mapping[str, str] | None = None) -> str:
        """The MLflow run of a retraining: made when it is first asked for, and no second one."""
        return self._run(retraining, tags)[0]

    def register(
        self, folder: Path, verdict: Mapping[str, Any], *, run: str, page: str | None = None
    ) -> Version:
        """Make a candidate, as it was kept in `folder`, a version of its fridge's model.

        The same digest is the same version. It is `challenger` until it is deployed, and its slot
        says what it is.
        """
        said, figures, sealed = _kept(folder)
        fridge, digest = str(said["fridge"]), str(said["digest"])
        run_id, root = self._run(run, None)
        with self.writing():
            known = self.find(fridge, digest)
            if known is not None:
                return known
            place = f"{fridge}/{digest}"
            store = self.store(root)
            with tempfile.TemporaryDirectory() as made:
                content = {
                    fridge_fit.PARCEL: sealed,
                    fridge_fit.FIGURES: (folder / fridge_fit.FIGURES).read_bytes(),
                    fridge_gate.VERDICT: _json(verdict),
                    CAPTURES: _json({"captures": said["lineage"].get("captures", [])}),
                    **({} if page is None else {CARD: page.encode()}),
                }
                for name, data in content.items():
                    (Path(made) / name).write_bytes(data)
                store.log_artifacts(made, place)
            tags = _tags(said, figures, sealed)
            self._model(fridge)
            made_version = self.client.create_model_version(
                model_of(fridge), source=f"{root}/{place}", run_id=run_id, tags=tags
            )
            self.client.set_registered_model_alias(
                model_of(fridge), CHALLENGER, made_version.version
            )
            return _version(made_version)

    def versions(self, fridge: str) -> tuple[Version, ...]:
        """All of a fridge's, the newest first."""
        found: list[Version] = []
        token = None
        while True:
            page = self.client.search_model_versions(
                f"name = '{model_of(fridge)}'", max_results=1000, page_token=token
            )
            found += [_version(v) for v in page if "digest" in v.tags]
            token = page.token
            if not token:
                return tuple(sorted(found, key=lambda v: -int(v.version)))

    def find(self, fridge: str, digest: str) -> Version | None:
        """The version of that bundle, if it is registered and was not retired."""
        same = [v for v in self.versions(fridge) if v.digest == digest and not v.retired]
        return same[0] if same else None

    def fetch(self, version: Version) -> bytes:
        """Its parcel, sealed as it was registered."""
        from mlflow.exceptions import MlflowException

        with tempfile.TemporaryDirectory() as into:
            try:
                path = self.store(version.source).download_artifacts(fridge_fit.PARCEL, into)
                return Path(path).read_bytes()
            except (OSError, MlflowException) as error:
                raise DataError(
                    f"Version {version.version} of {version.model} has no parcel any more:"
                    f" {type(error).__name__}.",
                    next_step="Train the fridge again.",
                ) from None

    def mirror(self, fridge: str, standing: Standing | None) -> None:
        """Let the aliases tell how a fridge's slot stands; none where nothing is live."""
        wanted = {} if standing is None else {CHAMPION: standing.champion}
        if standing is not None and standing.challenger is not None:
            wanted[CHALLENGER] = standing.challenger.digest
        if standing is not None and standing.previous is not None:
            wanted[PREVIOUS] = standing.previous
        with self.writing():
            now = self.model(fridge)
            if now is None:
                return
            known = {v.digest: v.version for v in self.versions(fridge) if not v.retired}
            for alias in ALIASES:
                version = known.get(wanted.get(alias, ""))
                if version is None and alias in now.aliases:
                    self.client.delete_registered_model_alias(model_of(fridge), alias)
                elif version is not None and str(now.aliases.get(alias)) != version:
                    self.client.set_registered_model_alias(model_of(fridge), alias, version)
            self._synced(fridge, now, wanted.get(CHAMPION, ""))

    def mark(self, version: Version, **tags: str) -> None:
        """Write on it what became of it."""
        with self.writing():
            for name, value in tags.items():
                self.client.set_model_version_tag(version.model, version.version, name, value)

    def model(self, fridge: str) -> Any:
        """MLflow's own record of a fridge's model, or None."""
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_registered_model(model_of(fridge))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

    def store(self, uri: str) -> Any:
        """Where the files of a run or of a version are."""
        if uri not in self._stores:
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            address = self.client.tracking_uri
            self._stores[uri] = get_artifact_repository(
                uri, tracking_uri=address, registry_uri=address
            )
        return self._stores[uri]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One process at a time, where the database is a file: others wait, and do not fail."""
        if self._lock is None:
            yield
            return
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _run(self, retraining: str, tags: Mapping[str, str] | None) -> tuple[str, str]:
        """Its id, and where its files are."""
        if retraining not in self._runs:
            with self.writing():
                self._runs[retraining] = self._made_or_found(retraining, tags or {})
        return self._runs[retraining]

    def _made_or_found(self, retraining: str, tags: Mapping[str, str]) -> tuple[str, str]:
        kept = self._experiment()
        known = self.client.search_runs([kept], f"tags.retraining = '{retraining}'", max_results=1)
        if known:
            info = known[0].info
        else:
            all_of = {"retraining": retraining, **tags}
            info = self.client.create_run(kept, run_name=retraining, tags=all_of).info
            self.client.set_terminated(info.run_id)
        return str(info.run_id), str(info.artifact_uri)

    def _experiment(self) -> str:
        found = self.client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        where = None if self._artifacts is None else f"{self._artifacts}/{EXPERIMENT}"
        return str(self.client.create_experiment(EXPERIMENT, artifact_location=where))

    def _model(self, fridge: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(model_of(fridge))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _synced(self, fridge: str, now: Any, champion: str) -> None:
        if now.tags.get(SYNCED, "") != champion:
            self.client.set_registered_model_tag(model_of(fridge), SYNCED, champion)


def _kept(folder: Path) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    try:
        said = json.loads((folder / fridge_fit.FIGURES).read_bytes())
        return said["candidate"], said["figures"], (folder / fridge_fit.PARCEL).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"There is no candidate in {folder.name!r}: {type(error).__name__}.",
            next_step="Train the fridge again.",
        ) from None


def _tags(said: Mapping[str, Any], figures: Mapping[str, Any], sealed: bytes) -> dict[str, str]:
    """What the registry can be asked for without fetching anything; nobody is named."""
    lineage = said["lineage"]
    told = {
        "digest": said["digest"],
        "family": said["family"],
        "members": len(said["members"]),
        "captures": len(lineage.get("captures", ())),
        "characterizer": lineage.get("characterizer"),
        "key": sealed_under(sealed),
        **{f"lineage.{name}": lineage.get(name) for name in _LINEAGE},
    }
    for name in _FIGURES:
        value, _ = number(figures, name)
        told[f"figure.{name}"] = None if value is None else f"{value:.6g}"
    return {name: str(value) for name, value in told.items() if value is not None}


def _version(found: Any) -> Version:
    return Version(
        fridge=found.name.removeprefix(PREFIX),
        version=str(found.version),
        digest=found.tags["digest"],
        run=str(found.run_id or ""),
        source=str(found.source),
        tags=dict(found.tags),
    )


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()
