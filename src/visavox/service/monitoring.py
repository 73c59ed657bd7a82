"""What the latest look at a fridge has found: drift, shares, accuracy, and what is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from visavox.errors import NotFound
from visavox.monitoring import looks
from visavox.service.house import Actor, House
from visavox.store.records import Role


@dataclass(frozen=True, slots=True)
class Watched:
    """Figures of distributions and counts; nobody is named."""

    fridge: str
    at: datetime
    bundle: str | None
    decisions: int
    """In the window that was looked at."""
    drift: Mapping[str, Mapping[str, Any]]
    shares: Mapping[str, Any]
    refusals: int
    accuracy: Mapping[str, Mapping[str, int]]
    causes: tuple[str, ...]
    why: str
    retraining: str | None
    """The request that this look has written."""


def read(house: House, who: Actor, fridge: str) -> Watched:
    """NotFound where nobody has looked at the fridge within the last days."""
    who.need(Role.ADMIN, Role.AUDITOR)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)
        look = looks.latest(unit, at=house.clock()).fridges.get(fridge)
    if look is None:
        raise NotFound(
            f"Nobody has looked at the fridge {fridge!r} lately.",
            next_step="Wait for the worker, or run `python -m flows watch`.",
        )
    said = look.figures
    return Watched(
        fridge=fridge,
        at=look.at,
        bundle=said["bundle"],
        decisions=said["decisions"],
        drift=said["drift"],
        shares=said["shares"],
        refusals=said["refusals"],
        accuracy=said["accuracy"],
        causes=tuple(said["causes"]),
        why=said["why"],
        retraining=said["request"],
    )
