"""Where a retraining keeps what it makes: beside the service's own state, or where settings say."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from visavox.errors import ConfigError
from visavox.store.settings import StoreSettings


class Addresses(BaseSettings):
    """What outgrows one machine: each is the environment's VISAVOX_ and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="VISAVOX_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    ledger_remote: str | None = None
    """Where the data versions are pushed to: a folder, or s3://bucket/prefix."""
    tracking_uri: str | None = None
    """The MLflow server that keeps runs and models; it has its own place for artifacts."""

    @classmethod
    def read(cls) -> "Addresses":
        """From the environment; ConfigError names what is wrong."""
        try:
            return cls()
        except ValidationError as error:
            names = ", ".join(f"VISAVOX_{str(e['loc'][0]).upper()}" for e in error.errors())
            raise ConfigError(
                f"The environment does not fit: {names}.", next_step="Correct these variables."
            ) from None


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
