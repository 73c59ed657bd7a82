"""Counts over what is kept, for whoever watches: no member's name, no probe."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from visavox.store.records import DecisionOutcome
from visavox.store.tables import (
    audit_head,
    captures,
    decisions,
    fridges,
    labels,
    members,
    retraining,
    runs,
    trials,
)

d, r, t = decisions.c, runs.c, retraining.c

NOBODY_REFUSED = ("no_compartment", "no_members", "several_faces")
"""First reasons of refusals that do not mean that somebody unknown has tried."""
BELOW = "below_threshold"


def is_failure(outcome: DecisionOutcome, reasons: tuple[str, ...]) -> bool:
    """Whether somebody tried to be let in whom nobody knows; a poor capture is no failure."""
    if outcome is DecisionOutcome.REFUSED:
        return reasons[0] not in NOBODY_REFUSED
    return outcome is DecisionOutcome.RETRY and BELOW in reasons


@dataclass(frozen=True, slots=True)
class Queue:
    """Retrainings that were asked for and are not done."""

    waiting: int
    oldest: datetime | None
    tries: int
    """The most often that any of them was tried."""
    given_up: int
    """Since ever: ended with an error."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """Runs of one flow that ended in one state, or are in it."""

    flow: str
    state: str
    count: int
    latest: datetime
    """When the latest was last heard of."""
    seconds: float | None
    """From start to end of the latest; None while it runs."""


@dataclass(frozen=True, slots=True)
class Figures:
    _connection: Connection

    def captures(self, fridge: str) -> tuple[str, ...]:
        """The ids of what members are enrolled with."""
        asked = select(captures.c.id).where(captures.c.fridge == fridge).order_by(captures.c.id)
        return tuple(self._connection.scalars(asked).all())

    def labelled(
        self, fridge: str, *, since: datetime, until: datetime
    ) -> tuple[tuple[str | None, str | None], ...]:
        """Whom each labelled decision let in, and who it really was."""
        asked = (
            select(d.outcome, d.member, labels.c.member.label("really"))
            .join(labels, labels.c.decision == d.id)
            .where(d.fridge == fridge, d.at >= since, d.at < until)
            .order_by(d.id)
        )
        return tuple(
            (row.member if row.outcome == DecisionOutcome.GRANTED.value else None, row.really)
            for row in self._connection.execute(asked).all()
        )

    def queue(self) -> Queue:
        is_open = t.done_at.is_(None)
        asked = select(
            func.count(), func.min(t.created_at), func.coalesce(func.max(t.attempts), 0)
        ).where(is_open)
        waiting, oldest, tries = self._connection.execute(asked).one()
        lost = select(func.count()).where(t.done_at.is_not(None), t.error.is_not(None))
        return Queue(waiting, oldest, tries, self._connection.scalar(lost) or 0)

    def runs(self) -> tuple[RunFigures, ...]:
        """One line for each flow and state."""
        counted = (
            select(r.flow, r.state, func.count().label("many"), func.max(r.id).label("latest"))
            .group_by(r.flow, r.state)
            .subquery()
        )
        asked = select(counted, r.started_at, r.updated_at, r.ended_at).join(
            runs, r.id == counted.c.latest
        )
        return tuple(
            RunFigures(
                row.flow,
                row.state,
                row.many,
                row.updated_at,
                None if row.ended_at is None else (row.ended_at - row.started_at).total_seconds(),
            )
            for row in self._connection.execute(asked.order_by(r.flow, r.state)).all()
        )

    def refusals(self, *, since: datetime) -> Mapping[str, int]:
        """Per fridge, the most refusals since at any one of its kiosks; as `is_failure` has it."""
        first = d.reasons[0].as_string()
        refused = or_(
            (d.outcome == DecisionOutcome.REFUSED.value) & first.not_in(NOBODY_REFUSED),
            (d.outcome == DecisionOutcome.RETRY.value) & (first == BELOW),
        )
        each = (
            select(d.fridge, d.kiosk, func.count().label("n"))
            .where(d.at >= since, refused)
            .group_by(d.fridge, d.kiosk)
            .subquery()
        )
        asked = select(each.c.fridge, func.max(each.c.n)).group_by(each.c.fridge)
        return {fridge: int(n) for fridge, n in self._connection.execute(asked).all()}

    def champion_llrs(
        self, fridge: str, champion: str, *, since: datetime, until: datetime
    ) -> Mapping[str, float]:
        """By decision, what the champion found of requests that its challenger decided."""
        asked = select(trials.c.decision, trials.c.answers["champion", "llr"].as_float()).where(
            trials.c.fridge == fridge,
            trials.c.champion == champion,
            trials.c.arm == "challenger",
            trials.c.at >= since,
            trials.c.at < until,
        )
        rows = self._connection.execute(asked).all()
        return {decision: float(llr) for decision, llr in rows if llr is not None}

    def trials(self) -> Mapping[tuple[str, str], int]:
        """How many trials there are, by fridge and challenger."""
        asked = select(trials.c.fridge, trials.c.challenger, func.count()).group_by(
            trials.c.fridge, trials.c.challenger
        )
        return {(f, c): int(n) for f, c, n in self._connection.execute(asked).all()}

    def house(self) -> Mapping[str, int]:
        """How much there is of everything."""
        counted = {"fridges": fridges, "members": members, "captures": captures}
        found = {
            name: int(self._connection.scalar(select(func.count()).select_from(table)) or 0)
            for name, table in counted.items()
        }
        audit = self._connection.scalar(select(audit_head.c.seq).where(audit_head.c.id == 1))
        return found | {"audit_records": int(audit or 0)}
