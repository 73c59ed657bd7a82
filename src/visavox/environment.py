"""Settings from the environment: each variable is VISAVOX_ and a name in capitals."""

from typing import Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from visavox.errors import ConfigError


class Environment(BaseSettings):
    """What one part of the house reads of it; variables of the other parts are let be."""

    model_config = SettingsConfigDict(
        env_prefix="VISAVOX_",
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def read(cls) -> Self:
        """From the environment; ConfigError names each variable that is wrong, and no value."""
        try:
            return cls()
        except ValidationError as error:
            wrong = "; ".join(
                f"VISAVOX_{'__'.join(map(str, e['loc'])).upper()}: {e['msg']}"
                for e in error.errors(include_input=False, include_url=False)
            )
            raise ConfigError(
                f"The environment does not fit: {wrong}.", next_step="Correct these variables."
            ) from None
