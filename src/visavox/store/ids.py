"""Ids: made ones are ordered by time and cannot be guessed; chosen ones are checked."""

import re
import secrets
from datetime import datetime

from visavox.errors import Invalid

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: nothing that is read as another
_CHOSEN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def made(kind: str, at: datetime) -> str:
    """A new id, as `dec_…`: the microsecond in 13 digits, then 65 random bits."""
    micros = int(at.timestamp() * 1_000_000)
    return f"{kind}_{_digits(micros)}{_digits(secrets.randbits(65))}"


def checked(value: str, what: str) -> str:
    """`value`, or Invalid if it cannot be the id of a `what`."""
    if not _CHOSEN.fullmatch(value):
        raise Invalid(
            f"{value[:80]!r} cannot be the id of a {what}.",
            next_step="Use 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or a digit.",
        )
    return value


def _digits(number: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))
