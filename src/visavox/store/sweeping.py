"""What a cut-off enrolment leaves in the capture store: sealed parts that no row names."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from visavox.store.blobs import Blobs
from visavox.store.tables import captures

PROBES = timedelta(days=30)
"""How long what was shown at a kiosk is kept, unless a setting says otherwise."""
GRACE = timedelta(hours=1)
"""A part is older than this before it counts: its transaction may still be at work."""


@dataclass(frozen=True, slots=True)
class Swept:
    """How many were removed."""

    blobs: int
    challenges: int
    answers: int
    probes: int


def orphans(connection: Connection, blobs: Blobs, *, before: datetime) -> tuple[str, ...]:
    """The names of parts written before then that no capture has."""
    old = tuple(name for name, written in blobs.names() if written < before)
    found: list[str] = []
    for start in range(0, len(old), 500):
        names = old[start : start + 500]
        ids = {name.split("/")[1] for name in names if name.count("/") >= 1}
        rows = connection.scalars(select(captures.c.blob).where(captures.c.id.in_(ids)))
        kept = {name for row in rows for name in row}
        found += [name for name in names if name not in kept]
    return tuple(found)
