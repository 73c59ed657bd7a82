"""Where the parts of a trace are looked at: pages of servers where settings name them, files else.

VISAVOX_TRACKING_URI     an MLflow server; its files lie in the state folder else
VISAVOX_METAFLOW_URL     Metaflow's page, which shows a run under its name
VISAVOX_LEDGER_URL       a page of the ledger's repository, as https://git.example/ledger
VISAVOX_REPOSITORY_URL   a page of this program's repository
"""

from dataclasses import dataclass
from pathlib import Path

from visavox.environment import Environment


class Addresses(Environment):
    """Servers' addresses; None where there is none."""

    tracking_uri: str | None = None
    """The MLflow server that keeps runs and models; it has its own place for artifacts."""
    metaflow_url: str | None = None
    ledger_url: str | None = None
    repository_url: str | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that open. None where there is nothing at the address."""

    state: Path | None = None
    addresses: Addresses | None = None

    def mlflow_run(self, run: str, fridge: str, digest: str) -> str | None:
        """A run and the files of the fridge's version in it."""
        if (server := self._server) is not None:
            return f"{server}/api/2.0/mlflow/runs/get?run_id={run}"
        return self._file(f"mlartifacts/retraining/{run}/artifacts/{fridge}/{digest}")

    def model_version(self, fridge: str, version: str) -> str | None:
        server = self._server
        return None if server is None else f"{server}/#/models/fridge-{fridge}/versions/{version}"

    @property
    def registry(self) -> str | None:
        """What keeps all versions."""
        return self._server or self._file("mlflow.db")

    def metaflow(self, name: str) -> str | None:
        """A run by Metaflow's own name, as `RetrainFlow/1712`."""
        url = self._of("metaflow_url")
        return f"{url}/{name}" if url else self._file(f"metaflow/.metaflow/{name}")

    def ledger(self, tag: str) -> str | None:
        """A data version."""
        url = self._of("ledger_url")
        return f"{url}/tree/{tag}" if url else self._file("ledger")

    def data(self, md5: str) -> str | None:
        """The list of what a fridge's data are, as DVC keeps it."""
        return self._file(f"ledger/.dvc/cache/files/md5/{md5[:2]}/{md5[2:]}")

    def card(self, run: str, fridge: str) -> str | None:
        """The page of what was trained."""
        return self._file(f"retraining/{run}/{fridge}/card.html")

    def commit(self, commit: str) -> str | None:
        url = self._of("repository_url")
        return f"{url}/commit/{commit}" if url else None

    @property
    def _server(self) -> str | None:
        uri = self._of("tracking_uri")
        return uri if uri is not None and uri.startswith(("http://", "https://")) else None

    def _of(self, name: str) -> str | None:
        value: str | None = getattr(self.addresses, name, None)
        return None if value is None else value.rstrip("/")

    def _file(self, name: str) -> str | None:
        if self.state is None:
            return None
        path = self.state.absolute() / name
        return path.as_uri() if path.exists() else None
