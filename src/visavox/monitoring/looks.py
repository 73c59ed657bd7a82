"""What the latest looks have found: `watch` keeps it as runs, and whoever shows it reads it here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from visavox.store import Unit

FLOW = "watch"
FRIDGES, AUDIT = "fridges", "audit"
_RECENT = timedelta(days=3)
_MOST = 200


@dataclass(frozen=True, slots=True)
class Look:
    """One fridge's figures, as `Report.to_json` and `Found` write them, and how old they are."""

    at: datetime
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Looks:
    fridges: Mapping[str, Look] = field(default_factory=dict)
    audit: Look | None = None
    """Whether the audit log's chain held when it was last walked."""


def latest(unit: Unit, *, at: datetime) -> Looks:
    """Of each fridge the latest look of the last days; runs hold groups of fridges."""
    fridges: dict[str, Look] = {}
    audit: Look | None = None
    for run in unit.runs.page(flow=FLOW, limit=_MOST).items:
        if run.started_at < at - _RECENT:
            break
        for fridge, figures in run.detail.get(FRIDGES, {}).items():
            fridges.setdefault(fridge, Look(run.started_at, figures))
        if audit is None and AUDIT in run.detail:
            audit = Look(run.started_at, run.detail[AUDIT])
    return Looks(fridges, audit)
