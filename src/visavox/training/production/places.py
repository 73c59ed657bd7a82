"""Where a retraining keeps what it makes: beside the service's own state, or where settings say."""

from dataclasses import dataclass
from pathlib import Path

from visavox.service import links
from visavox.store.settings import StoreSettings


class Addresses(links.Addresses):
    """What outgrows one machine."""

    ledger_remote: str | None = None
    """Where the data versions are pushed to: a folder, or s3://bucket/prefix."""


@dataclass(frozen=True, slots=True)
class Places:
    """Absolute, so that every process of a run means the same."""

    ledger: Path
    """The git and DVC repository of the data versions."""
    remote: str
    """What it is pushed to."""
    runs: Path
    """One folder per run: candidates, verdicts, cards; models in it are sealed."""
    backgrounds: Path
    """What strangers teach about a family, kept for the next run; it knows no member."""
    metaflow: Path
    """Metaflow's local datastore and metadata."""
    tracking: str
    """MLflow's tracking and registry URI."""
    artifacts: str | None
    """Where MLflow keeps artifacts; None: its server knows."""

    @classmethod
    def of(cls, settings: StoreSettings, addresses: Addresses | None = None) -> "Places":
        """Below the state folder, unless the environment names another address. Makes nothing."""
        told = addresses or Addresses.read()
        state = settings.state.absolute()
        return cls(
            ledger=state / "ledger",
            remote=told.ledger_remote or str(state / "ledger-remote"),
            runs=state / "retraining",
            backgrounds=state / "backgrounds",
            metaflow=state / "metaflow",
            tracking=told.tracking_uri or f"sqlite:///{state / 'mlflow.db'}",
            artifacts=None if told.tracking_uri else (state / "mlartifacts").as_uri(),
        )

    def run(self, run: str) -> Path:
        """The folder of one run."""
        return self.runs / run

    def candidate(self, run: str, fridge: str, family: str) -> Path:
        """The folder of what one family became for one fridge."""
        return self.runs / run / fridge / family
