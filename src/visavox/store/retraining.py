"""Requests to retrain a fridge, written with the change that makes them needed (an outbox)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from visavox.store import ids
from visavox.store.records import RetrainingRequest
from visavox.store.tables import retraining

t = retraining.c
_LOCK = 7_645_911_204


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
        return tuple(map(_request, self._connection.execute(asked).all()))

    def claim(self, *, at: datetime, stale_before: datetime) -> tuple[RetrainingRequest, ...]:
        """All open requests of the fridge that waits longest; no fridge is given to two at once.

        What another claimed before `stale_before` and did not finish is open again.
        """
        if self._connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        free = t.done_at.is_(None) & (t.claimed_at.is_(None) | (t.claimed_at < stale_before))
        other = retraining.alias()
        at_work = select(other.c.fridge).where(
            other.c.done_at.is_(None), other.c.claimed_at >= stale_before
        )
        first = select(t.fridge).where(free, t.fridge.not_in(at_work)).order_by(t.id).limit(1)
        fridge = self._connection.scalar(first)
        if fridge is None:
            return ()
        mine = self._connection.scalars(select(t.id).where(free, t.fridge == fridge)).all()
        self._connection.execute(update(retraining).where(t.id.in_(mine)).values(claimed_at=at))
        again = select(retraining).where(t.id.in_(mine)).order_by(t.id)
        return tuple(map(_request, self._connection.execute(again).all()))

    def done(self, requests: Sequence[RetrainingRequest], *, at: datetime) -> None:
        mine = [request.id for request in requests]
        self._connection.execute(update(retraining).where(t.id.in_(mine)).values(done_at=at))


def _request(row: Any) -> RetrainingRequest:
    return RetrainingRequest(**row._mapping)
