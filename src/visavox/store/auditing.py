"""The audit log in the database: one chain, however many append at once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from visavox import audit as chain
from visavox.audit import AuditRecord, Head, Verification
from visavox.errors import NotMigrated
from visavox.store import paging
from visavox.store.records import Page
from visavox.store.tables import audit, audit_head


@dataclass(frozen=True, slots=True)
class Audit:
    _connection: Connection

    def append(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, Any] | None = None,
    ) -> AuditRecord:
        """The next record; it is there if and only if this transaction is committed.

        Others who append wait until then: so append last.
        """
        head = self._head(lock=True)
        made = chain.sealed(
            head, at=at, actor=actor, action=action, subject=subject, detail=detail or {}
        )
        values = asdict(made) | {"detail": chain.canonical(made.detail)}
        self._connection.execute(insert(audit).values(values))
        moved = update(audit_head).values(seq=made.seq, digest=made.digest)
        self._connection.execute(moved)
        return made

    def head(self) -> Head:
        """The last record's number and digest, to be noted outside of the database."""
        return self._head(lock=False)

    def records(self) -> Iterator[AuditRecord]:
        """All of them from the first, some at a time."""
        after = 0
        while True:
            asked = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(500)
            rows = self._connection.execute(asked).all()
            yield from map(_record, rows)
            if not rows:
                return
            after = rows[-1].seq

    def about(self, subject: str) -> tuple[AuditRecord, ...]:
        """Those of one subject, in their order."""
        asked = select(audit).where(audit.c.subject == subject).order_by(audit.c.seq)
        return tuple(map(_record, self._connection.execute(asked).all()))

    def linked(self, record: AuditRecord) -> bool:
        """Whether a record is unaltered, and its neighbours in the log still hold it."""
        near = audit.c.seq.in_((record.seq - 1, record.seq, record.seq + 1))
        rows = self._connection.execute(select(audit).where(near).order_by(audit.c.seq)).all()
        found = [_record(row) for row in rows]
        start = Head(record.seq - 1, chain.GENESIS)
        if found and found[0].seq < record.seq:
            start = Head(found[0].seq - 1, found[0].previous)
        last = max((r.seq for r in found), default=0)
        whole = last > record.seq or self._head(lock=False).seq == record.seq
        return record in found and whole and chain.verify_from(start, found)

    def verify(self, *, head: Head | None = None) -> Verification:
        """Walk the chain; with `head`, noted earlier, also see that it is still part of it."""
        found = chain.verify(self.records(), head=head)
        kept = self._head(lock=False)
        if found.valid and kept != found.head:
            problem = f"The log ends at record {found.head.seq}, but {kept.seq} was its last."
            return Verification(False, found.records, found.head, problem)
        return found

    def page(self, *, cursor: str | None = None, limit: int = paging.LIMIT) -> Page[AuditRecord]:
        """The newest first."""
        return paging.page(
            self._connection,
            select(audit),
            audit.c.seq,
            _record,
            cursor=cursor,
            limit=limit,
            newest_first=True,
        )

    def _head(self, *, lock: bool) -> Head:
        asked = select(audit_head.c.seq, audit_head.c.digest)
        row = self._connection.execute(asked.with_for_update() if lock else asked).first()
        if row is None:
            raise NotMigrated("The audit log has no head.", next_step="Run: python -m api migrate")
        return Head(row.seq, row.digest)


def _record(row: Any) -> AuditRecord:
    return AuditRecord(**dict(row._mapping) | {"detail": _detail(row.detail)})


def _detail(text: str) -> Mapping[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):  # altered beyond reading: it does not verify, but is shown
        return {"unreadable": text}
