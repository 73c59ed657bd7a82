"""From requests to a run and back: what a run takes on, and what becomes of each request.

Each function is one part of a transaction, so that requests, run and progress agree at any time.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from visavox.errors import Superseded
from visavox.store import Unit
from visavox.store.records import Run, RunState
from visavox.store.retraining import Patience

RETRAIN = "retrain"


def begin(
    unit: Unit, *, at: datetime, patience: Patience, owner: Mapping[str, Any], limit: int
) -> Run | None:
    """A run over all fridges that are due; None where none is."""
    fridges = unit.retraining.waiting(at=at, patience=patience, limit=limit)
    if not fridges:
        return None
    asked = [request for request in unit.retraining.pending() if request.fridge in set(fridges)]
    reason = ", ".join(sorted({request.reason for request in asked}))
    run = unit.runs.begin(RETRAIN, fridges, reason=reason, at=at, detail=owner)
    unit.retraining.claim(run.id, fridges, at=at)
    for fridge in fridges:
        mine = [request for request in asked if request.fridge == fridge]
        detail = {"requests": len(mine), "reasons": sorted({r.reason for r in mine})}
        unit.progress.add(run.id, fridge, "waiting", "done", detail, at=at)
    return run


def check(unit: Unit, run: str, *, step: str, at: datetime) -> Run:
    """Note that the run is at this step; Superseded where it is over, and must touch nothing."""
    if not unit.runs.note(run, at=at, step=step):
        found = unit.runs.get(run)
        raise Superseded(
            f"The retraining {run!r} is {found.state.value}; it must not go on.",
            next_step="Nothing: what has changed since is in a later one.",
        )
    return unit.runs.get(run)


def finish(unit: Unit, run: Run, errors: Mapping[str, str], *, at: datetime, attempts: int) -> None:
    """The run is over: the fridges in `errors` are tried again, or given up; the others are done."""
    for fridge in run.fridges:
        if fridge in errors:
            _failed(unit, run, fridge, errors[fridge], at=at, attempts=attempts)
        else:
            unit.retraining.done(run.id, fridge, at=at)
    state, said = RunState.DONE, None
    if errors:
        state = RunState.FAILED
        said = f"{len(errors)} of {len(run.fridges)} fridges failed. {min(errors.values())}"
    unit.runs.end(run.id, state, at=at, error=said)
    unit.progress.add(run.id, None, "end", state.value, {"failed": len(errors)}, at=at)


def fail(unit: Unit, run: Run, error: str, *, at: datetime, attempts: int) -> None:
    """The whole run failed; what it has not finished is tried again, or given up."""
    given_up = _failed(unit, run, None, error, at=at, attempts=attempts)
    state = RunState.GIVEN_UP if given_up else RunState.FAILED
    unit.runs.end(run.id, state, at=at, error=error)
    unit.progress.add(run.id, None, "end", state.value, {"error": error}, at=at)


def _failed(
    unit: Unit, run: Run, fridge: str | None, error: str, *, at: datetime, attempts: int
) -> bool:
    given_up = unit.retraining.failed(run.id, fridge, error, at=at, attempts=attempts)
    for each in given_up:
        detail = {"run": run.id, "error": error, "attempts": attempts}
        unit.events.add(at=at, fridge=each, kind="retraining_given_up", detail=detail)
    return bool(given_up)
