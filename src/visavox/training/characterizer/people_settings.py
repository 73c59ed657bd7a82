"""Whom a net learns from. Apart from the rest, so that worker processes need no torch."""

from typing import Literal

from visavox.config import settings


@settings
class PeopleSettings:
    """Who the net learns from."""

    source: Literal["personas", "manifest"] = "personas"
    """People who do not exist, or a dataset with identities in its splits train, validation."""
    root: str = ""
    """Folder of that dataset."""
    identities: int = 1200
    """How many personas to learn from."""
    validation: int = 120
    """How many personas, of another population, to validate on."""
    captures: int = 10
    sessions: int = 4
    """Captures per persona, and over how many sessions they are spread."""
    siblings: float = 0.2
    """Share of the personas who are a sibling of another."""
    hardness: tuple[float, float] = (1.0, 1.5)
    """Range of the within-person variation."""
    validation_hardness: float = 1.15
    seconds: float = 3.0
    """Length of each stored piece of speech."""
    jitter: float = 0.015
    """Standard deviation of the landmarks' error, as a share of the distance between the eyes."""
    workers: int = 2
