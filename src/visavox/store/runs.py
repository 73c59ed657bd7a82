"""Runs of the flows. A run that is at work says so; one that falls silent may be taken over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from visavox.errors import NotFound
from visavox.store import ids, paging
from visavox.store.records import Page, Run, RunState
from visavox.store.tables import progress, runs

r = runs.c


@dataclass(frozen=True, slots=True)
class Runs:
    _connection: Connection

    def begin(
        self,
        flow: str,
        fridges: Sequence[str],
        *,
        reason: str,
        at: datetime,
        detail: Mapping[str, Any] | None = None,
    ) -> Run:
        """A new run, at work from now on."""
        made = Run(
            id=ids.made("run", at),
            flow=flow,
            fridges=tuple(fridges),
            reason=reason,
            state=RunState.RUNNING,
            step="waiting",
            metaflow=None,
            data_version=None,
            started_at=at,
            updated_at=at,
            ended_at=None,
            error=None,
            detail=dict(detail or {}),
        )
        self._connection.execute(
            insert(runs).values(
                {name: getattr(made, name) for name in r.keys()}  # noqa: SIM118 (not a dict)
                | {"fridges": list(made.fridges), "state": made.state.value}
            )
        )
        return made

    def get(self, run: str) -> Run:
        row = self._connection.execute(select(runs).where(r.id == run)).first()
        if row is None:
            raise NotFound(f"There is no retraining {run!r}.", next_step="Check the id.")
        return _run(row)

    def page(
        self,
        *,
        fridges: Sequence[str] | None = None,
        flow: str | None = None,
        state: RunState | None = None,
        cursor: str | None = None,
        limit: int = paging.LIMIT,
    ) -> Page[Run]:
        """The newest first; of `fridges`, those that have told something of one of them."""
        asked = select(runs)
        if fridges is not None:
            asked = asked.where(
                r.id.in_(select(progress.c.run).where(progress.c.fridge.in_(fridges)))
            )
        if flow is not None:
            asked = asked.where(r.flow == flow)
        if state is not None:
            asked = asked.where(r.state == state.value)
        return paging.page(
            self._connection, asked, r.id, _run, cursor=cursor, limit=limit, newest_first=True
        )

    def note(
        self,
        run: str,
        *,
        at: datetime,
        step: str | None = None,
        metaflow: str | None = None,
        data_version: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> bool:
        """It is at work; what is None stays. False where it is not any more: its owner must stop."""
        said = {
            "step": step,
            "metaflow": metaflow,
            "data_version": data_version,
            "detail": None if detail is None else dict(detail),
        }
        changed = {name: value for name, value in said.items() if value is not None}
        asked = update(runs).where(r.id == run, r.state == RunState.RUNNING.value)
        return self._connection.execute(asked.values(updated_at=at, **changed)).rowcount > 0

    def end(self, run: str, state: RunState, *, at: datetime, error: str | None = None) -> bool:
        """It is over; False where somebody has said so before."""
        asked = update(runs).where(r.id == run, r.state == RunState.RUNNING.value)
        values = {"state": state.value, "ended_at": at, "updated_at": at, "error": error}
        return self._connection.execute(asked.values(values)).rowcount > 0

    def at_work(self, flow: str) -> tuple[Run, ...]:
        """Those that have not ended, the oldest first; whoever worked on one may have died."""
        asked = select(runs).where(r.state == RunState.RUNNING.value, r.flow == flow)
        return tuple(map(_run, self._connection.execute(asked.order_by(r.id)).all()))

    def take_over(self, run: Run, *, at: datetime, detail: Mapping[str, Any]) -> bool:
        """Go on with a run that nobody works on; False where another was quicker."""
        asked = update(runs).where(
            r.id == run.id, r.state == RunState.RUNNING.value, r.updated_at == run.updated_at
        )
        changed = {"updated_at": at, "detail": {**run.detail, **detail}}
        return self._connection.execute(asked.values(changed)).rowcount > 0


def _run(row: Any) -> Run:
    values = dict(row._mapping)
    return Run(**values | {"fridges": tuple(values["fridges"]), "state": RunState(values["state"])})
