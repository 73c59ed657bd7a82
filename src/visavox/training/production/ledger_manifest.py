"""What one version holds of one fridge: a row per sealed capture, and never anything personal.

It is a dataset's manifest as `visavox.manifest` reads it, with columns of its own besides. Its paths
and hashes are those of ciphertext: nothing in it tells of a face or a voice once the key is gone.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from visavox.errors import LedgerError
from visavox.store.records import SealedCapture
from visavox.types import Modality

EMBEDDINGS = "embeddings.sealed"
"""Of each capture, beside its raw parts."""
TAKE = timedelta(minutes=10)
"""Captures of a member that follow one another within this were taken in one session."""

_FILES = ("image", "audio", "clip")
_HEADER = (
    "capture", "person", "fridge", "session", "split", "attack", "consent", "source",
    *(f"{name}{end}" for name in _FILES for end in ("", "_sha256")),
    "taken", "modalities", "characterizer", "parts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One capture."""

    capture: str
    member: str
    fridge: str
    session: str
    """The moment at which its session began."""
    consent: datetime
    taken: datetime
    source: str
    modalities: tuple[Modality, ...]
    characterizer: str
    """The digest of what `embeddings.sealed` was embedded by; empty where nobody knows."""
    parts: Mapping[str, str]
    """SHA-256 of each sealed file, by its name."""


def entry(row: SealedCapture, session: str, parts: Mapping[str, str]) -> Entry:
    """What is written of a capture, whose sealed files have these hashes."""
    return Entry(
        row.id, row.member, row.fridge, session, row.consent_at, row.created_at, row.source,
        row.modalities, row.characterizer or "", parts,
    )  # fmt: skip


def folder(capture: str) -> str:
    """Where a capture's files are, in the fridge's folder."""
    return f"captures/{capture}"


def sessions(rows: Sequence[SealedCapture]) -> list[str]:
    """The session of each: of one member, one after the other. Later captures change no older one's."""
    last: dict[str, tuple[datetime, str]] = {}
    told: dict[str, str] = {}
    for row in sorted(rows, key=lambda r: (r.created_at, r.id)):
        before = last.get(row.member)
        again = before is not None and row.created_at - before[0] <= TAKE
        session = before[1] if before is not None and again else _moment(row.created_at)
        last[row.member] = row.created_at, session
        told[row.id] = session
    return [told[row.id] for row in rows]


def written(entries: Iterable[Entry]) -> bytes:
    """The manifest's file; equal entries give equal bytes."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_HEADER)
    for e in entries:
        cells = [
            e.capture,
            e.member,
            e.fridge,
            e.session,
            "enrol",
            "",
            _moment(e.consent),
            e.source,
        ]
        for kind in _FILES:
            name = _first(kind, e.parts)
            cells += [f"{folder(e.capture)}/{name}", e.parts[name]] if name else ["", ""]
        parts = " ".join(f"{name}={e.parts[name]}" for name in sorted(e.parts))
        seen = " ".join(m.value for m in e.modalities)
        table.writerow([*cells, _moment(e.taken), seen, e.characterizer, parts])
    return out.getvalue().encode()


def read(content: bytes) -> tuple[Entry, ...]:
    """The inverse of `written`."""
    try:
        table = csv.DictReader(io.StringIO(content.decode()), strict=True)
        return tuple(_entry(row) for row in table)
    except (csv.Error, ValueError, KeyError) as error:
        raise LedgerError(
            f"A version's manifest cannot be read: {type(error).__name__}.",
            next_step="Restore the ledger from a backup; the capture store has all that is current.",
        ) from None


def _entry(row: Mapping[str, str]) -> Entry:
    parts = dict(part.split("=", 1) for part in row["parts"].split())
    return Entry(
        row["capture"], row["person"], row["fridge"], row["session"],
        datetime.fromisoformat(row["consent"]), datetime.fromisoformat(row["taken"]),
        row["source"], tuple(Modality(m) for m in row["modalities"].split()),
        row["characterizer"], parts,
    )  # fmt: skip


def _first(kind: str, names: Iterable[str]) -> str | None:
    return min((n for n in names if n.split(".")[0].split("-")[0] == kind), default=None)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
