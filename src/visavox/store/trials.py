"""A/B trials: requests that both models of a comparison answered."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, insert, or_, select

from visavox.store import paging
from visavox.store.labels import label_of
from visavox.store.records import Label, Page, Trial, TrialAnswer
from visavox.store.tables import labels, trials

t, la = trials.c, labels.c

Compared = tuple[Trial, Label | None]
"""A trial, and who really stood there, if somebody said."""

_LABELLED = (la.member, la.source, la.by, la.at.label("labelled_at"))


@dataclass(frozen=True, slots=True)
class Trials:
    _connection: Connection

    def add(self, trial: Trial) -> None:
        """Keep it, in the transaction of its decision."""
        values = asdict(trial) | {"answers": _written(trial.answers)}
        self._connection.execute(insert(trials).values(values))

    def get(self, decision: str) -> Trial | None:
        """What both models said of a decision's request; None where only one was asked."""
        asked = select(trials, *_LABELLED).outerjoin(labels, la.decision == t.decision)
        row = self._connection.execute(asked.where(t.decision == decision)).first()
        return None if row is None else _compared(row)[0]

    def of(self, fridge: str, champion: str, challenger: str, *, since: datetime) -> list[Compared]:
        """All of one comparison, with their labels, oldest first."""
        asked = _of(fridge, champion, challenger, since).order_by(t.decision)
        return [_compared(row) for row in self._connection.execute(asked).all()]

    def disagreements(
        self,
        fridge: str,
        champion: str,
        challenger: str,
        *,
        since: datetime,
        cursor: str | None = None,
        limit: int = paging.LIMIT,
    ) -> Page[Compared]:
        """Those in which the two would not let in the same, newest first."""
        asked = _of(fridge, champion, challenger, since).where(
            _member("champion").is_distinct_from(_member("challenger"))
        )
        return paging.page(
            self._connection,
            asked,
            t.decision,
            _compared,
            cursor=cursor,
            limit=limit,
            newest_first=True,
        )

    def forget(self, fridge: str, member: str) -> int:
        """Remove those that name a member; how many."""
        named = or_(_member("champion") == member, _member("challenger") == member)
        asked = delete(trials).where(t.fridge == fridge, named)
        return self._connection.execute(asked).rowcount


def _of(fridge: str, champion: str, challenger: str, since: datetime) -> Select[Any]:
    return (
        select(trials, *_LABELLED)
        .outerjoin(labels, la.decision == t.decision)
        .where(
            t.fridge == fridge,
            t.challenger == challenger,
            t.champion == champion,
            t.at >= since,
        )
    )


def _member(side: str) -> ColumnElement[str]:
    found: ColumnElement[str] = t.answers[side, "member"].as_string()
    return found


def _written(answers: Sequence[TrialAnswer]) -> dict[str, Mapping[str, Any]]:
    return {side: asdict(a) for side, a in zip(("champion", "challenger"), answers, strict=True)}


def _compared(row: Any) -> Compared:
    answers = TrialAnswer(**row.answers["champion"]), TrialAnswer(**row.answers["challenger"])
    trial = Trial(
        row.decision, row.fridge, row.at, row.mode, row.arm, row.champion, row.challenger, answers
    )
    return trial, label_of(row) if row.source is not None else None
