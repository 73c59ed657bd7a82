"""Retrainings: asked for by every change of a member, or by hand; watched while they run."""

from dataclasses import dataclass, replace

from visavox.errors import NotFound
from visavox.service.house import Actor, House
from visavox.store import Unit
from visavox.store.records import Page, Progress, RetrainingRequest, Role, Run, RunState

BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Retraining:
    """A run as one actor may see it: of its fridges, those that their key is for."""

    run: Run
    requests: tuple[RetrainingRequest, ...]
    """What it took on last, done or not."""


@dataclass(frozen=True, slots=True)
class News:
    """What a listener has not been told yet, in order; `ended` once there will be no more."""

    lines: tuple[Progress, ...]
    ended: Run | None = None


def ask(house: House, who: Actor, fridge: str, *, reason: str = BY_HAND) -> RetrainingRequest:
    """Ask for a retraining of a fridge whose members have not changed."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    at = house.clock()
    with house.store.begin() as unit:
        unit.fridges.get(fridge)
        made = unit.retraining.request(fridge, reason=reason, at=at)
        who.note(unit, at, "retraining.ask", fridge, retraining=made.id, reason=reason)
    return made


def waiting(house: House, who: Actor, fridge: str) -> tuple[RetrainingRequest, ...]:
    """The requests of a fridge that are not done, oldest first."""
    _may_look(who)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)
        return unit.retraining.pending(fridge)


def page(
    house: House,
    who: Actor,
    *,
    fridge: str | None = None,
    flow: str | None = None,
    state: RunState | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Run]:
    """The newest first: runs over at least one fridge that the actor's key is for."""
    _may_look(who)
    if fridge is not None:
        who.reach(fridge)
    with house.store.read() as unit:
        found = unit.runs.page(
            fridges=who.fridges if fridge is None else (fridge,),
            flow=flow,
            state=state,
            limit=limit,
            cursor=cursor,
        )
    return Page(tuple(_seen(who, run) for run in found.items), found.next_cursor)


def read(house: House, who: Actor, run: str) -> Retraining:
    """One run, and what it took on."""
    _may_look(who)
    with house.store.read() as unit:
        found = _run(unit, who, run)
        asked = unit.retraining.of(run)
    return Retraining(found, tuple(r for r in asked if who.reaches(r.fridge)))


def newest(house: House) -> int:
    """The number of the last line of all; there is news once it grows."""
    with house.store.read() as unit:
        return unit.progress.newest()


def of_run(house: House, who: Actor, run: str, *, after: int) -> News:
    """What a run has told since that line."""
    _may_look(who)
    with house.store.read() as unit:
        found = _run(unit, who, run)
        lines = unit.progress.after(after, run=run, fridges=who.fridges)
    # A run's last line is written with its end: who has read all of them has read that one too.
    over = found.state is not RunState.RUNNING and len(lines) < _MOST
    return News(lines, found if over else None)


def of_fridge(house: House, who: Actor, fridge: str, *, after: int) -> News:
    """What has been told since that line of one fridge, in whatever runs; it never ends."""
    _may_look(who)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)
        return News(unit.progress.after(after, fridge=fridge))


def start_of(house: House, who: Actor, fridge: str) -> int:
    """After which line a listener begins who has heard nothing yet: the run at work, or the next."""
    _may_look(who)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)
        runs = unit.runs.page(fridges=(fridge,), state=RunState.RUNNING, limit=1).items
        if not runs:
            return unit.progress.newest()
        return unit.progress.after(0, run=runs[0].id, limit=1)[0].seq - 1


_MOST = 500


def _may_look(who: Actor) -> None:
    who.need(Role.ADMIN, Role.AUDITOR)


def _run(unit: Unit, who: Actor, run: str) -> Run:
    found = unit.runs.get(run)
    if not any(who.reaches(fridge) for fridge in found.fridges) and who.fridges is not None:
        # Whether there is such a run is nothing that this key may know.
        raise NotFound(f"There is no retraining {run!r}.", next_step="Check the id.")
    return _seen(who, found)


def _seen(who: Actor, run: Run) -> Run:
    return replace(run, fridges=tuple(f for f in run.fridges if who.reaches(f)))
