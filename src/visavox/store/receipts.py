"""Receipts of erasures: opened with the erasure, completed once the fridge is shown to have forgotten.

Until then the erased member's last probe is kept, to be shown to the model that comes after them. It
is sealed with a key of the receipt's own, which is destroyed with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from visavox.errors import Conflict, NotFound
from visavox.store import embeddings as codec
from visavox.store import ids, paging
from visavox.store.records import Page
from visavox.store.tables import receipts
from visavox.store.vault import Owner, Vault
from visavox.types import Embeddings

r = receipts.c


class ReceiptState(StrEnum):
    PENDING = "pending"
    """The data are gone; that the fridge forgot is still to be shown."""
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was removed where and, at last, the signed document."""

    id: str
    fridge: str
    member: str
    requested_at: datetime
    state: ReceiptState
    removed: Mapping[str, Any]
    document: str | None = None
    """Canonical JSON, as it was signed."""
    signature: str | None = None
    """Base64url."""
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipts:
    _connection: Connection
    _vault: Vault
    _forget: Callable[[], None]

    def open(
        self,
        fridge: str,
        member: str,
        *,
        at: datetime,
        removed: Mapping[str, Any],
        probe: Embeddings | None,
    ) -> Receipt:
        """A receipt for what this transaction removes; `probe` waits in it for the proof."""
        made = Receipt(ids.made("rec", at), fridge, member, at, ReceiptState.PENDING, dict(removed))
        sealed = None
        if probe is not None:
            owner = Owner.receipt(fridge, made.id)
            self._vault.create(owner)
            sealed = self._vault.seal(owner, codec.written(probe), _where(made.id))
        self._connection.execute(
            insert(receipts).values(
                id=made.id,
                fridge=fridge,
                member=member,
                requested_at=at,
                state=made.state.value,
                removed=dict(removed),
                probe_sealed=sealed,
            )
        )
        return made

    def note(self, receipt: str, removed: Mapping[str, Any]) -> None:
        """What was removed is this, in full."""
        mine = (r.id == receipt) & (r.state == ReceiptState.PENDING.value)
        self._connection.execute(update(receipts).where(mine).values(removed=dict(removed)))

    def get(self, receipt: str, *, lock: bool = False) -> Receipt:
        """With `lock`, nobody else completes it until this transaction ends."""
        asked = select(receipts).where(r.id == receipt)
        row = self._connection.execute(asked.with_for_update() if lock else asked).first()
        if row is None:
            raise NotFound(f"There is no receipt {receipt!r}.", next_step="Check the id.")
        return _receipt(row)

    def page(
        self,
        fridge: str,
        *,
        member: str | None = None,
        cursor: str | None = None,
        limit: int = paging.LIMIT,
    ) -> Page[Receipt]:
        """Those of one fridge, the newest first."""
        asked = select(receipts).where(r.fridge == fridge)
        if member is not None:
            asked = asked.where(r.member == member)
        return paging.page(
            self._connection, asked, r.id, _receipt, cursor=cursor, limit=limit, newest_first=True
        )

    def pending(self, fridge: str | None = None) -> tuple[Receipt, ...]:
        """Those that are not complete, oldest first."""
        asked = select(receipts).where(r.state == ReceiptState.PENDING.value).order_by(r.id)
        if fridge is not None:
            asked = asked.where(r.fridge == fridge)
        return tuple(map(_receipt, self._connection.execute(asked).all()))

    def probe(self, receipt: str) -> Embeddings | None:
        """What the proof is made with; None where there was none, or it is made already."""
        sealed = self._connection.scalar(select(r.probe_sealed).where(r.id == receipt))
        return None if sealed is None else codec.read(self._vault.open(sealed, _where(receipt)))

    def complete(self, receipt: str, *, document: str, signature: str, at: datetime) -> Receipt:
        """Keep the document; the probe goes, and the key that it was sealed with."""
        found = self.get(receipt, lock=True)
        if found.state is ReceiptState.COMPLETE:
            raise Conflict(
                f"The receipt {receipt!r} is complete already.", next_step="Read it: it is signed."
            )
        if self._vault.destroy(Owner.receipt(found.fridge, receipt)):
            self._forget()
        self._connection.execute(
            update(receipts)
            .where(r.id == receipt)
            .values(
                state=ReceiptState.COMPLETE.value,
                probe_sealed=None,
                document=document,
                signature=signature,
                completed_at=at,
            )
        )
        return replace(
            found,
            state=ReceiptState.COMPLETE,
            document=document,
            signature=signature,
            completed_at=at,
        )


def _receipt(row: Any) -> Receipt:
    return Receipt(
        id=row.id,
        fridge=row.fridge,
        member=row.member,
        requested_at=row.requested_at,
        state=ReceiptState(row.state),
        removed=row.removed,
        document=row.document,
        signature=row.signature,
        completed_at=row.completed_at,
    )


def _where(receipt: str) -> str:
    return f"receipts|{receipt}|probe"
