"""Settings of the service, from the environment (`VISAVOX_…`) and nowhere else.

Secrets are given as values or as files. Outside development nothing is made up: the service does
not start without them, and says what to set.
"""

import os

from pydantic import (
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
)

from visavox.errors import ConfigError
from visavox.service.settings import ServiceSettings
from visavox.store.keyring import Keyring
from visavox.store.settings import StoreSettings, unset

_MB = 1024 * 1024
_FEWEST = 12
"""Different bytes in a key that was drawn at random; fewer never happens (p < 1e-9)."""


class Limits(BaseModel, extra="forbid", frozen=True):
    """What one request, one key and all of them together may take."""

    json_bytes: PositiveInt = 64 * 1024
    """A body of JSON."""
    probe_bytes: PositiveInt = 24 * _MB
    """A body with one capture: a clip of 16 MB at the most, or pictures and sound."""
    enrolment_bytes: PositiveInt = 96 * _MB
    """A body with up to ten captures."""
    buffered_bytes: PositiveInt = 256 * _MB
    """Bodies held in memory at once by a worker; beyond it requests are told to come back."""
    upload_s: PositiveFloat = 15.0
    """Seconds for a body to arrive."""
    request_s: PositiveFloat = 60.0
    """Seconds for the whole request."""
    rate: PositiveFloat = 50.0
    """Requests per second that one key may ask of a worker on average."""
    burst: PositiveInt = 100
    """Requests that one key may ask at once after a pause."""
    wrong_keys: PositiveInt = 20
    """Wrong keys that one address may show a worker at once; then 429 without a look at them."""
    wrong_keys_rate: PositiveFloat = 1.0
    """Per second on average."""
    at_once: NonNegativeInt = 0
    """Captures looked at side by side by a worker; 0: as many as it has cores to itself."""
    waiting: NonNegativeInt = 16
    """Captures that may wait for their turn; beyond it: 503, come back in a second."""
    beside: PositiveInt = 6
    """Requests at work beside those that look at captures; each holds a database connection."""


class Settings(StoreSettings):
    """The store's settings, and the service's own."""

    metrics_token: SecretStr | None = None
    """Bearer token for /metrics; without one it answers in development alone, on loopback."""
    characterizer: str = "embedded"
    """`embedded`, or a Characterizer's folder."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of web pages that may call the API from a browser; none by default."""
    workers: PositiveInt = 1
    limits: Limits = Limits()
    service: ServiceSettings = Field(default_factory=ServiceSettings)

    @property
    def development(self) -> bool:
        return self.environment == "development"

    @property
    def at_once(self) -> int:
        """Captures looked at side by side by each worker."""
        return self.limits.at_once or max(1, len(os.sched_getaffinity(0)) // self.workers)

    def keyring(self) -> Keyring:
        """The master keys; in development one is made and kept in the state folder."""
        if not self.development and self.master_key is None and self.master_key_file is None:
            raise unset("VISAVOX_MASTER_KEY")
        keyring = super().keyring()
        for key in (keyring.find(name) for name in keyring.ids):
            # Zeros, a repeated letter, a word: what nobody drew at random protects nothing.
            if not self.development and len(set(key.secret)) < _FEWEST:
                raise ConfigError(
                    f"The master key {key.id} is not random.",
                    next_step="Make one with `python -m api secrets FOLDER`.",
                )
        return keyring

    def check(self) -> None:
        """ConfigError unless every secret that this environment needs is there and usable."""
        self.keyring()
        self.signer()
