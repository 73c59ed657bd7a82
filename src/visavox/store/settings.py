"""Where the store is and which master keys open it, from the environment (VISAVOX_…)."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import PositiveInt, SecretStr

from visavox import store, tickets
from visavox.environment import Environment
from visavox.errors import ConfigError
from visavox.store import blobs, nets
from visavox.store.keyring import Keyring, MasterKey, write
from visavox.store.nets import NetSet
from visavox.tickets import Signer


class StoreSettings(Environment):
    """Of the store, for whoever opens it. Secrets are in no repr."""

    environment: Literal["development", "production"] = "development"
    state: Path = Path(".cache/state")
    """Where everything is that has no address of its own."""
    database_url: SecretStr | None = None
    """sqlite:////folder/file.db or postgresql://user@host/name; may hold a password."""
    captures_url: str | None = None
    """The capture store: a folder, or s3://bucket/prefix."""
    captures_endpoint: str | None = None
    """The address of an S3 that is not Amazon's."""
    captures_region: str | None = None
    captures_key: SecretStr | None = None
    captures_secret: SecretStr | None = None
    master_key: SecretStr | None = None
    """Base64; several, the newest first, while keys are rotated."""
    master_key_file: Path | None = None
    """A file of such keys, one a line, that only its owner may read."""
    ticket_key: SecretStr | None = None
    """What tickets and receipts are signed with: base64, 32 bytes; several, the newest first, while
    keys are changed."""
    ticket_key_file: Path | None = None
    probes_days: PositiveInt = 30
    """Days for which what a decision was made on is kept, of strangers and members alike."""

    @property
    def probes(self) -> timedelta:
        return timedelta(days=self.probes_days)

    @property
    def net_set(self) -> NetSet:
        """The nets that serve and what goes with them, as of now: ask once per process."""
        return nets.serving(self.state.absolute() / "models")

    @property
    def models(self) -> Path:
        """Where the live bundles are."""
        return self.net_set.root

    def keyring(self) -> Keyring:
        """The master keys. In development, and only there, a missing one is made."""
        if self.master_key is not None and self.master_key_file is not None:
            raise ConfigError(
                "Both VISAVOX_MASTER_KEY and VISAVOX_MASTER_KEY_FILE are set.",
                next_step="Keep one of them.",
            )
        if self.master_key is not None:
            return Keyring.text(self.master_key.get_secret_value())
        if self.master_key_file is not None:
            return Keyring.file(self.master_key_file)
        if self.environment == "production":
            raise ConfigError(
                "There is no master key.",
                next_step="Make one with `visavox keys new`, and set VISAVOX_MASTER_KEY_FILE.",
            )
        path = self.state / "development" / "master.key"
        if not path.exists():
            write(path, [MasterKey.made()], replace=False)
        return Keyring.file(path)

    def signer(self) -> Signer:
        """What signs tickets and receipts; made in development as the master key is."""
        if self.ticket_key is not None and self.ticket_key_file is not None:
            raise ConfigError(
                "Both VISAVOX_TICKET_KEY and VISAVOX_TICKET_KEY_FILE are set.",
                next_step="Keep one of them.",
            )
        if self.ticket_key is not None:
            return Signer.text(self.ticket_key.get_secret_value())
        if self.ticket_key_file is not None:
            return Signer.file(self.ticket_key_file)
        if self.environment == "production":
            raise unset("VISAVOX_TICKET_KEY")
        path = self.state / "development" / "ticket.key"
        if not path.exists():
            tickets.write_key(path)
        return Signer.file(path)

    def open(self) -> "store.Store":
        """The store; connects when it is first used."""
        url = f"sqlite:///{(self.state / 'visavox.db').absolute()}"
        if self.database_url is not None:
            url = self.database_url.get_secret_value()
        key, secret = self.captures_key, self.captures_secret
        captures = blobs.connect(
            self.captures_url or str((self.state / "captures").absolute()),
            endpoint=self.captures_endpoint,
            region=self.captures_region,
            key=key.get_secret_value() if key else None,
            secret=secret.get_secret_value() if secret else None,
        )
        return store.open(url, keyring=self.keyring(), blobs=captures)


def unset(variable: str) -> ConfigError:
    """A secret that only development makes by itself."""
    return ConfigError(
        f"In production {variable}_FILE or {variable} must be set.",
        next_step=(
            "Make keys with `python -m api secrets FOLDER`, where only the service can read them,"
            f" and set {variable}_FILE to the path of its key. For a trial on your own machine set"
            " VISAVOX_ENVIRONMENT=development."
        ),
    )
