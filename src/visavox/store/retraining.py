"""Requests to retrain a fridge, written with the change that makes them needed (an outbox).

A run takes on all open requests of the fridges that wait. What comes in meanwhile stays open, and
its fridge waits until that run has ended. A request is done when a run that had taken it on says
so of its fridge; one that failed is taken on again, after a pause that doubles, until it is given
up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, text, update

from visavox.store import ids
from visavox.store.records import RetrainingRequest, RunState
from visavox.store.tables import retraining, runs

t = retraining.c
_LOCK = 7_645_911_204
_AT_ONCE = 1000
"""Fridges of one run, at the most."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When a fridge is due, and when trying is of no use any more."""

    settle: timedelta = timedelta(seconds=1)
    """After a change; another one that follows at once is trained with it."""
    longest: timedelta = timedelta(seconds=10)
    """That a change waits for others."""
    first: timedelta = timedelta(seconds=15)
    """After a failure; each further one doubles it."""
    attempts: int = 5

    def pause(self, attempts: int) -> timedelta:
        return self.first * (1 << max(attempts - 1, 0))


@dataclass(frozen=True, slots=True)
class Retraining:
    _connection: Connection

    def request(self, fridge: str, *, reason: str, at: datetime) -> RetrainingRequest:
        made = RetrainingRequest(ids.made("ret", at), fridge, reason, at, None, None)
        self._connection.execute(
            insert(retraining).values(id=made.id, fridge=fridge, reason=reason, created_at=at)
        )
        return made

    def pending(self, fridge: str | None = None) -> tuple[RetrainingRequest, ...]:
        """Those that are not done, oldest first."""
        asked = select(retraining).where(t.done_at.is_(None)).order_by(t.id)
        if fridge is not None:
            asked = asked.where(t.fridge == fridge)
        return self._all(asked)

    def of(self, run: str) -> tuple[RetrainingRequest, ...]:
        """Those that a run took on last, done or not, oldest first."""
        return self._all(select(retraining).where(t.run == run).order_by(t.id))

    def waiting(
        self, *, at: datetime, patience: Patience, limit: int = _AT_ONCE
    ) -> tuple[str, ...]:
        """The fridges that are due and in no run, whoever waits longest first.

        Until the transaction ends, nobody else is told: what is claimed then is claimed once.
        """
        if self._connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        is_open = t.done_at.is_(None)
        at_work = select(t.fridge).where(is_open, t.run.in_(_running()))
        fresh = t.attempts == 0
        settled = or_(
            func.max(t.created_at) <= at - patience.settle,
            func.min(t.created_at) <= at - patience.longest,
        )
        asked_for = (
            select(t.fridge, func.min(t.id).label("first"))
            .where(is_open, fresh, t.fridge.not_in(at_work))
            .group_by(t.fridge)
            .having(settled)
        )
        again = (
            select(t.fridge, func.min(t.id).label("first"))
            .where(is_open, _rested(at, patience), t.fridge.not_in(at_work))
            .group_by(t.fridge)
        )
        both = asked_for.union_all(again).subquery()
        due = select(both.c.fridge).group_by(both.c.fridge).order_by(func.min(both.c.first))
        return tuple(self._connection.scalars(due.limit(limit)).all())

    def claim(
        self, run: str, fridges: Sequence[str], *, at: datetime
    ) -> tuple[RetrainingRequest, ...]:
        """All open requests of these fridges, which `waiting` has named, are that run's now."""
        mine = t.done_at.is_(None) & t.fridge.in_(fridges)
        changed = {"run": run, "claimed_at": at, "attempts": t.attempts + 1}
        self._connection.execute(update(retraining).where(mine).values(changed))
        return self.of(run)

    def done(self, run: str, fridge: str, *, at: datetime) -> int:
        """What the run had taken on for that fridge is done; how many requests that were."""
        mine = (t.run == run) & (t.fridge == fridge) & t.done_at.is_(None)
        changed = {"done_at": at, "error": None}
        return self._connection.execute(update(retraining).where(mine).values(changed)).rowcount

    def failed(
        self, run: str, fridge: str | None, error: str, *, at: datetime, attempts: int
    ) -> tuple[str, ...]:
        """What the run had taken on, of that fridge or of all, waits to be tried again.

        What was tried `attempts` times is given up: it stays as done, with its error. Its fridges
        are returned.
        """
        mine = (t.run == run) & t.done_at.is_(None)
        if fridge is not None:
            mine &= t.fridge == fridge
        spent = mine & (t.attempts >= attempts)
        given_up = self._connection.scalars(select(t.fridge).where(spent).distinct()).all()
        # The pause counts from now on.
        self._connection.execute(
            update(retraining).where(mine).values(error=error[:2000], claimed_at=at)
        )
        self._connection.execute(update(retraining).where(spent).values(done_at=at))
        return tuple(given_up)

    def _all(self, asked: Any) -> tuple[RetrainingRequest, ...]:
        rows = self._connection.execute(asked).all()
        return tuple(RetrainingRequest(**row._mapping) for row in rows)


def _running() -> Any:
    return select(runs.c.id).where(runs.c.state == RunState.RUNNING.value)


def _rested(at: datetime, patience: Patience) -> ColumnElement[bool]:
    """Requests that failed, long enough ago for the times that they were tried."""
    times = range(1, patience.attempts)
    each = [(t.attempts == n) & (t.claimed_at <= at - patience.pause(n)) for n in times]
    last = (t.attempts >= patience.attempts) & (
        t.claimed_at <= at - patience.pause(patience.attempts)
    )
    return or_(*each, last)
