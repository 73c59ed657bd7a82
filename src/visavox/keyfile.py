"""Files of secret keys: one a line, 32 bytes in base64, the newest first, for their owner alone."""

import base64
import stat
from pathlib import Path

from visavox.errors import ConfigError

SIZE = 32
"""Bytes of a key."""


def read(path: Path, what: str, *, next_step: str) -> str:
    """The text of a file of `what`; ConfigError where it cannot be read, or others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise ConfigError(
            f"The {what} file {path} cannot be read: {error.strerror}.", next_step=next_step
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"Others may read the {what} file {path}.", next_step=f"Run: chmod 600 {path}"
        )
    return text


def keys(text: str, what: str, *, where: str, next_step: str) -> tuple[bytes, ...]:
    """The keys in `text`, between white space; ConfigError where one is none."""
    found = []
    for word in text.split():
        try:
            secret = base64.b64decode(word, validate=True)
        except ValueError:  # also where it is not ASCII
            secret = b""
        if len(secret) != SIZE:
            raise ConfigError(
                f"{where} holds something that is no {what}: {SIZE} bytes in base64.",
                next_step=next_step,
            )
        found.append(secret)
    return tuple(found)
