"""What happened: decisions with their sealed probes, and events."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from visavox.errors import NotFound, Sealed
from visavox.store import embeddings as codec
from visavox.store import ids, paging
from visavox.store.records import DecisionOutcome, DecisionRecord, Event, Method, Page
from visavox.store.tables import decisions, events
from visavox.store.vault import Owner, Vault
from visavox.types import Candidate, Embeddings

d, e = decisions.c, events.c


@dataclass(frozen=True, slots=True)
class Decisions:
    _connection: Connection
    _vault: Vault

    def add(self, decision: DecisionRecord, *, probe: Embeddings | None = None) -> DecisionRecord:
        """Keep a decision. Its probe is sealed with the key of whom it is of, as far as that is
        known, so that it goes when they do; of nobody's, with the fridge's.

        An empty id is made. NotFound where the member it names has no key any more.
        """
        if not decision.id:
            decision = replace(decision, id=ids.made("dec", decision.at))
        sealed = None
        if probe is not None:
            owner = Owner(decision.fridge, decision.member or _likely(decision))
            try:
                sealed = self._vault.seal(owner, codec.written(probe), probe_place(decision.id))
            except NotFound:
                if owner.member == (decision.member or ""):
                    raise
                # Whom it is of has been erased meanwhile, and it with them.
        values = asdict(decision) | {
            "method": decision.method.value,
            "outcome": decision.outcome.value,
            "rejected": [codec.rejected_written(cell) for cell in decision.rejected],
            "probe_sealed": sealed,
        }
        self._connection.execute(insert(decisions).values(values))
        return decision

    def get(self, decision: str) -> DecisionRecord:
        row = self._connection.execute(select(decisions).where(d.id == decision)).first()
        if row is None:
            raise NotFound(f"There is no decision {decision!r}.", next_step="Check the id.")
        return _decision(row)

    def probe(self, decision: str) -> Embeddings:
        """What it was decided on; Sealed once the member is deleted, or where there is none."""
        row = self._connection.execute(select(d.probe_sealed).where(d.id == decision)).first()
        if row is None:
            raise NotFound(f"There is no decision {decision!r}.", next_step="Check the id.")
        if row.probe_sealed is None:
            raise Sealed(
                f"The decision {decision!r} has no probe.",
                next_step="Nothing: it was made without biometrics, or so long ago that it is gone.",
            )
        return codec.read(self._vault.open(row.probe_sealed, probe_place(decision)))

    def reseal(self, decision: str, member: str) -> None:
        """The probe is this member's, as is known now: it goes when they do."""
        record = self.get(decision)
        owner = Owner(record.fridge, member)
        sealed = self._vault.seal(owner, codec.written(self.probe(decision)), probe_place(decision))
        self._connection.execute(
            update(decisions).where(d.id == decision).values(probe_sealed=sealed)
        )

    def page(
        self,
        *,
        fridges: Sequence[str] | None = None,
        member: str | None = None,
        outcome: DecisionOutcome | None = None,
        kiosk: str | None = None,
        method: Method | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = paging.LIMIT,
    ) -> Page[DecisionRecord]:
        """The newest first; `since` is included, `until` is not."""
        asked = select(decisions)
        if fridges is not None:
            asked = asked.where(d.fridge.in_(fridges))
        for column, wanted in (
            (d.member, member),
            (d.outcome, outcome),
            (d.kiosk, kiosk),
            (d.method, method),
        ):
            if wanted is not None:
                asked = asked.where(column == str(wanted))
        if since is not None:
            asked = asked.where(d.at >= since)
        if until is not None:
            asked = asked.where(d.at < until)
        return paging.page(
            self._connection, asked, d.id, _decision, cursor=cursor, limit=limit, newest_first=True
        )

    def forget_probes(self, *, before: datetime, limit: int) -> int:
        """Remove the probes of decisions made before, whoever they are of; how many, of `limit`.

        The decisions stay. Two who do so at once take different ones.
        """
        old = select(d.id).where(d.at < before, d.probe_sealed.is_not(None)).order_by(d.at)
        some = old.limit(limit).with_for_update(skip_locked=True)
        ids = self._connection.scalars(some).all()
        asked = update(decisions).where(d.id.in_(ids), d.probe_sealed.is_not(None))
        return self._connection.execute(asked.values(probe_sealed=None)).rowcount if ids else 0


@dataclass(frozen=True, slots=True)
class Events:
    _connection: Connection

    def add(
        self,
        *,
        at: datetime,
        fridge: str,
        kind: str,
        kiosk: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Event:
        made = Event(ids.made("evt", at), at, fridge, kiosk, kind, dict(detail or {}))
        self._connection.execute(insert(events).values(asdict(made)))
        return made

    def page(
        self,
        *,
        fridges: Sequence[str] | None = None,
        kind: str | None = None,
        kiosk: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = paging.LIMIT,
    ) -> Page[Event]:
        """The newest first; `since` is included, `until` is not."""
        asked = select(events)
        if fridges is not None:
            asked = asked.where(e.fridge.in_(fridges))
        if kind is not None:
            asked = asked.where(e.kind == kind)
        if kiosk is not None:
            asked = asked.where(e.kiosk == kiosk)
        if since is not None:
            asked = asked.where(e.at >= since)
        if until is not None:
            asked = asked.where(e.at < until)
        return paging.page(
            self._connection,
            asked,
            e.id,
            lambda row: Event(**row._mapping),
            cursor=cursor,
            limit=limit,
            newest_first=True,
        )


def _decision(row: Any) -> DecisionRecord:
    values = dict(row._mapping)
    del values["probe_sealed"]
    return DecisionRecord(
        **values
        | {
            "method": Method(values["method"]),
            "outcome": DecisionOutcome(values["outcome"]),
            "compartments": tuple(values["compartments"]),
            "reasons": tuple(values["reasons"]),
            "candidates": tuple(Candidate(**candidate) for candidate in values["candidates"]),
            "rejected": tuple(codec.rejected_read(cell) for cell in values["rejected"]),
        }
    )


def _likely(decision: DecisionRecord) -> str:
    """Whom a probe that was not granted is of, more likely than not; empty: nobody known."""
    best = next(iter(decision.candidates), None)
    return best.member if best is not None and best.fused > 0.0 else ""


def probe_place(decision: str) -> str:
    """What a decision's probe is bound to."""
    return f"decisions|{decision}|probe"
