"""Answers to requests that create something, so that the same request again changes nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from visavox.errors import IdempotencyInFlight, IdempotencyMismatch, NotFound
from visavox.store.records import Replay
from visavox.store.tables import idempotency
from visavox.store.vault import HOUSE, Owner, Vault

t = idempotency.c
LEASE = timedelta(seconds=60)
"""A request that is not done after this long was cut off: the next one does it."""
LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Idempotency:
    _connection: Connection
    _vault: Vault

    def begin(self, key: str, token: str, fingerprint: str, *, at: datetime) -> Replay | None:
        """The answer given before, or None: then do it, and `finish`, or `abandon`.

        `key` is the API key's id, `token` the client's idempotency key, `fingerprint` a digest of
        method, path and body. IdempotencyInFlight while the first is at work;
        IdempotencyMismatch for another request.
        """
        mine = (t.key == key) & (t.token == token)
        self._connection.execute(delete(idempotency).where(mine, t.expires_at <= at))
        fresh = {"fingerprint": fingerprint, "started_at": at, "expires_at": at + LIFE}
        kind = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        made = kind.insert(idempotency).values(key=key, token=token, **fresh)
        row = None
        while row is None:  # again where the one that was in the way has gone meanwhile
            first = made.on_conflict_do_nothing().returning(t.token)
            if self._connection.execute(first).first() is not None:
                return None
            asked = select(idempotency).where(mine).with_for_update()
            row = self._connection.execute(asked).first()
        if row.fingerprint != fingerprint:
            raise IdempotencyMismatch(
                "This idempotency key was used for another request.",
                next_step="Use a new key for a new request.",
            )
        if row.status is not None:
            return self._answer(row)
        if row.started_at + LEASE > at:
            raise IdempotencyInFlight(
                "The first request with this idempotency key is not done yet.",
                next_step="Ask again in a moment.",
                retry_after_s=1.0,
            )
        self._connection.execute(update(idempotency).where(mine).values(**fresh))
        return None

    def finish(
        self,
        key: str,
        token: str,
        *,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        member: tuple[str, str] | None = None,
    ) -> None:
        """Keep the answer, sealed; with the key of `member` (fridge, id) if it tells of one."""
        owner = HOUSE if member is None else Owner(*member)
        said = json.dumps({"headers": dict(headers), "body": body.decode()}).encode()
        try:
            sealed = self._vault.seal(owner, said, _where(key, token))
        except NotFound:  # deleted meanwhile: there is nothing to say again
            self.abandon(key, token)
            return
        self._connection.execute(
            update(idempotency)
            .where(t.key == key, t.token == token)
            .values(status=status, answer_sealed=sealed)
        )

    def abandon(self, key: str, token: str) -> None:
        """It came to nothing: the same request may be tried again."""
        mine = (t.key == key) & (t.token == token) & t.status.is_(None)
        self._connection.execute(delete(idempotency).where(mine))

    def sweep(self, *, before: datetime) -> int:
        """Forget those that expired before; how many."""
        asked = delete(idempotency).where(t.expires_at < before)
        return self._connection.execute(asked).rowcount

    def _answer(self, row: Any) -> Replay:
        said = json.loads(self._vault.open(row.answer_sealed, _where(row.key, row.token)))
        return Replay(row.status, said["headers"], said["body"].encode())


def _where(key: str, token: str) -> str:
    return f"idempotency|{key}/{token}|answer"
