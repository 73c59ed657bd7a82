"""Captures of members: their embeddings in the database, their raw parts in the capture store."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, insert, select
from sqlalchemy.exc import IntegrityError

from visavox.errors import NotFound
from visavox.store import embeddings as codec
from visavox.store import ids, paging
from visavox.store.blobs import SUFFIX, Blobs
from visavox.store.members import missing, touch
from visavox.store.records import CaptureRecord, Page, SealedCapture
from visavox.store.tables import captures, members
from visavox.store.vault import Owner, Vault
from visavox.types import Embeddings, Modality

c = captures.c


@dataclass(frozen=True, slots=True)
class Captures:
    _connection: Connection
    _vault: Vault
    _blobs: Blobs
    _before_commit: Callable[[Callable[[], None]], None]
    _on_failure: Callable[[Callable[[], None]], None]

    def add(
        self,
        fridge: str,
        member: str,
        *,
        embeddings: Embeddings,
        raw: Mapping[str, bytes],
        at: datetime,
        characterizer: str | None = None,
        source: str = "enrolment",
        id: str | None = None,  # noqa: A002
    ) -> CaptureRecord:
        """Keep one capture of a member; `raw` are its parts by name, as `image` or `clip`.

        `characterizer` is the digest of what it was embedded by, `source` where it comes from,
        and `id` its name where another has been given it already.

        The parts are put into the capture store just before the commit of the row that names
        them, all of a transaction's side by side. Where it fails they are removed, or found by
        `Store.sweep`.
        """
        touch(self._connection, fridge)
        capture = ids.made("cap", at) if id is None else ids.checked(id, "capture")
        owner = Owner(fridge, member)
        try:
            sealed = self._vault.seal(owner, codec.written(embeddings), _where(capture))
        except NotFound:
            raise missing(fridge, member) from None
        digest = hashlib.sha256()
        names = []
        for part, content in sorted(raw.items()):
            digest.update(hashlib.sha256(content).digest())
            name = f"{fridge}/{capture}/{ids.checked(part, 'part of a capture')}{SUFFIX}"
            part_sealed = self._vault.seal(owner, content, _raw(name))
            self._on_failure(partial(self._blobs.delete, name))
            self._before_commit(partial(self._blobs.put, name, part_sealed))
            names.append(name)
        values: dict[str, Any] = {
            "id": capture,
            "fridge": fridge,
            "member": member,
            "created_at": at,
            "modalities": [modality.value for modality in codec.given(embeddings)],
            "sha256": digest.hexdigest(),
            "blob": names,
            "characterizer": characterizer,
            "source": source,
        }
        try:
            self._connection.execute(insert(captures).values(embeddings_sealed=sealed, **values))
        except IntegrityError:
            raise missing(fridge, member) from None
        return _record(values, embeddings)

    def get(self, fridge: str, member: str, capture: str) -> CaptureRecord:
        row = self._connection.execute(_of(fridge, member).where(c.id == capture)).first()
        if row is None:
            raise NotFound(
                f"The member {member!r} has no capture {capture!r}.", next_step="Check the id."
            )
        return self._opened(row)

    def of(self, fridge: str, member: str) -> tuple[CaptureRecord, ...]:
        """All of one member's, oldest first."""
        rows = self._connection.execute(_of(fridge, member).order_by(c.id))
        return tuple(self._opened(row) for row in rows.all())

    def of_fridge(self, fridge: str) -> dict[str, tuple[CaptureRecord, ...]]:
        """All of a fridge's by member, oldest first; members without any are not there."""
        asked = select(captures).where(c.fridge == fridge).order_by(c.member, c.id)
        found: dict[str, tuple[CaptureRecord, ...]] = {}
        for row in self._connection.execute(asked).all():
            found[row.member] = (*found.get(row.member, ()), self._opened(row))
        return found

    def page(
        self, fridge: str, member: str, *, cursor: str | None = None, limit: int = paging.LIMIT
    ) -> Page[CaptureRecord]:
        return paging.page(
            self._connection,
            _of(fridge, member),
            c.id,
            self._opened,
            cursor=cursor,
            limit=limit,
        )

    def raw(self, capture: CaptureRecord) -> dict[str, bytes]:
        """Its parts by name, as they came."""
        return {
            name.rsplit("/", 1)[1].removesuffix(SUFFIX): self._vault.open(
                self._blobs.get(name), _raw(name)
            )
            for name in capture.blob
        }

    def sealed(self, fridge: str) -> tuple[SealedCapture, ...]:
        """All of a fridge's as they lie there, by member, oldest first; opens nothing."""
        m = members.c
        asked = (
            select(captures, m.consent_at)
            .join(members, (m.fridge == c.fridge) & (m.id == c.member))
            .where(c.fridge == fridge)
            .order_by(c.member, c.id)
        )
        return tuple(
            SealedCapture(
                id=row.id,
                fridge=row.fridge,
                member=row.member,
                created_at=row.created_at,
                consent_at=row.consent_at,
                modalities=tuple(Modality(name) for name in row.modalities),
                blob=tuple(row.blob),
                embeddings=row.embeddings_sealed,
                characterizer=row.characterizer,
                source=row.source,
            )
            for row in self._connection.execute(asked).all()
        )

    def can_open(self, sealed: bytes) -> bool:
        """Whether the key that sealed this is still there: False once its member was erased."""
        return self._vault.knows(sealed)

    def open_embeddings(self, capture: str, sealed: bytes) -> Embeddings:
        """What a `SealedCapture` has as its embeddings, wherever a copy of it was kept."""
        return codec.read(self._vault.open(sealed, _where(capture)))

    def open_part(self, name: str, sealed: bytes) -> bytes:
        """A part of a capture, sealed as the capture store has it under that name."""
        return self._vault.open(sealed, _raw(name))

    def seal_seen(
        self, fridge: str, member: str, capture: str, by: str, embeddings: Embeddings
    ) -> bytes:
        """Embeddings by another Characterizer, under the member's key, to be kept elsewhere."""
        owner = Owner(fridge, member)
        return self._vault.seal(owner, codec.written(embeddings), _seen(capture, by))

    def open_seen(self, capture: str, by: str, sealed: bytes) -> Embeddings:
        return codec.read(self._vault.open(sealed, _seen(capture, by)))

    def _opened(self, row: Any) -> CaptureRecord:
        content = self._vault.open(row.embeddings_sealed, _where(row.id))
        return _record(row._mapping, codec.read(content))


def _record(values: Mapping[str, Any], embeddings: Embeddings) -> CaptureRecord:
    return CaptureRecord(
        id=values["id"],
        fridge=values["fridge"],
        member=values["member"],
        created_at=values["created_at"],
        modalities=tuple(Modality(name) for name in values["modalities"]),
        sha256=values["sha256"],
        blob=tuple(values["blob"]),
        embeddings=embeddings,
        characterizer=values["characterizer"],
        source=values["source"],
    )


def _of(fridge: str, member: str) -> Select[Any]:
    return select(captures).where(c.fridge == fridge, c.member == member)


def _where(capture: str) -> str:
    return f"captures|{capture}|embeddings"


def _seen(capture: str, by: str) -> str:
    return f"captures|{capture}|embeddings|{by}"


def _raw(name: str) -> str:
    return f"blobs|{name}|"
