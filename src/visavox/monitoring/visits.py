"""What the kiosks have told, decision by decision, as far as monitoring needs it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

APART = timedelta(hours=1)
"""Captures of one person that lie no further apart belong to one visit."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One decision. Lives in memory alone: it says who came when."""

    at: datetime
    kiosk: str
    outcome: str
    biometric: bool
    granted: str | None
    likely: str | None
    """Whom the probe is of, more likely than not; None where nobody could say."""
    failed: bool
    """Somebody whom nobody knows tried to be let in."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Of each modality: accepted, or why it gave no evidence."""
    features: Mapping[str, float] = field(default_factory=dict)


def visits(seen: Iterable[Seen]) -> dict[str, list[Seen]]:
    """The first decision of each person's visits, oldest first.

    Who tries three times is one witness of the light, and who fetches three bottles eats once.
    """
    found: dict[str, list[Seen]] = {}
    last: dict[str, datetime] = {}
    for one in sorted(seen, key=lambda s: s.at):
        if one.likely is None:
            continue
        if one.likely not in last or one.at - last[one.likely] > APART:
            found.setdefault(one.likely, []).append(one)
        last[one.likely] = one.at
    return found


def each(of: Mapping[str, Sequence[Seen]], what: Callable[[Seen], T | None]) -> dict[str, list[T]]:
    """One thing of each visit, by person; without those that do not have it."""
    found = {person: [w for s in some if (w := what(s)) is not None] for person, some in of.items()}
    return {person: values for person, values in found.items() if values}
