"""How far a run is, line by line: what listeners are told, in the order in which it happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from visavox.store.records import Progress
from visavox.store.tables import progress

p = progress.c
_LOCK = 7_645_911_205


@dataclass(frozen=True, slots=True)
class ProgressLog:
    _connection: Connection

    def add(
        self,
        run: str,
        fridge: str | None,
        step: str,
        state: str,
        detail: Mapping[str, Any] | None = None,
        *,
        at: datetime,
    ) -> Progress:
        """One line; `fridge` None where it concerns the whole run. Do it last in a transaction."""
        if self._connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            # A line must not turn up below one that a listener has been told already.
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        said = dict(detail or {})
        made = insert(progress).values(
            run=run, fridge=fridge, at=at, step=step, state=state, detail=said
        )
        seq = self._connection.execute(made.returning(p.seq)).scalar_one()
        return Progress(seq, run, fridge, at, step, state, said)

    def last_error(self, run: str) -> str | None:
        """Why it failed, as the latest line of it that says so."""
        asked = select(p.detail).where(p.run == run, p.state == "failed").order_by(p.seq.desc())
        for detail in self._connection.scalars(asked):
            if "error" in detail:
                return str(detail["error"])
        return None

    def after(
        self,
        seq: int,
        *,
        run: str | None = None,
        fridge: str | None = None,
        fridges: Sequence[str] | None = None,
        limit: int = 500,
    ) -> tuple[Progress, ...]:
        """The lines after that one, the oldest first: of a run, or of one fridge in all runs.

        Where `fridges` are given, only theirs and those of whole runs.
        """
        asked = select(progress).where(p.seq > seq)
        if run is not None:
            asked = asked.where(p.run == run)
        if fridge is not None:
            # Whole runs concern it too, if it takes part.
            mine = select(p.run).where(p.fridge == fridge).distinct()
            asked = asked.where((p.fridge == fridge) | (p.fridge.is_(None) & p.run.in_(mine)))
        if fridges is not None:
            asked = asked.where(p.fridge.is_(None) | p.fridge.in_(fridges))
        rows = self._connection.execute(asked.order_by(p.seq).limit(limit)).all()
        return tuple(Progress(**row._mapping) for row in rows)

    def of(self, fridge: str, *, step: str) -> tuple[Progress, ...]:
        """One step's lines of one fridge in all runs, the oldest first."""
        asked = select(progress).where(p.fridge == fridge, p.step == step).order_by(p.seq)
        return tuple(Progress(**row._mapping) for row in self._connection.execute(asked).all())

    def newest(self) -> int:
        """The number of the last line of all; 0 before the first."""
        return int(self._connection.scalar(select(func.max(p.seq))) or 0)
