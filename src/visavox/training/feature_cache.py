"""Embeddings by the content of their capture: what was embedded once is never embedded again.

One SQLite file per way of seeing (Characterizer, quality limits and the code between), so that a
change of any of them starts afresh. Several processes may read and write at once.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from visavox.types import Embedding, Embeddings, Modality, Reason, Rejected

_PATIENCE = 60.0  # seconds to wait for another process to finish writing


class FeatureCache:
    """Embeddings kept in `path`, by key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as db, db:
            # Asked for at once: a reader that becomes a writer is refused, however patient.
            # Nor is the journal WAL: several that open a new file would fight over the change.
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, value BLOB NOT NULL)"
            )

    def get(self, keys: Iterable[str]) -> dict[str, Embeddings]:
        """Those of `keys` that are kept."""
        query = "SELECT key, value FROM seen WHERE key IN (SELECT value FROM json_each(?))"
        with closing(self._open()) as db:
            rows = db.execute(query, [json.dumps(list(keys))])
            return {key: _unpacked(value) for key, value in rows}

    def put(self, items: Mapping[str, Embeddings]) -> None:
        """Keep `items`; what is there already has the same content."""
        with closing(self._open()) as db, db:
            db.executemany(
                "INSERT OR IGNORE INTO seen VALUES (?, ?)",
                [(key, _packed(value)) for key, value in items.items()],
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=_PATIENCE)


def _packed(seen: Embeddings) -> bytes:
    """A line of JSON, then the vectors' bytes one after the other."""
    heads: list[dict[str, Any]] = []
    tail = b""
    for side in (seen.face, seen.voice):
        if isinstance(side, Rejected):
            heads.append(
                {
                    "reason": side.reason.value,
                    "next_step": side.next_step,
                    "measured": dict(side.measured),
                }
            )
        else:
            vector = np.ascontiguousarray(side.vector, "<f4")
            heads.append({"dim": vector.size, "quality": dict(side.quality)})
            tail += vector.tobytes()
    return json.dumps(heads).encode() + b"\n" + tail


def _unpacked(value: bytes) -> Embeddings:
    head, _, tail = value.partition(b"\n")
    sides: list[Embedding | Rejected] = []
    offset = 0
    for modality, side in zip(Modality, json.loads(head), strict=True):
        if "reason" in side:
            sides.append(_rejected(modality, side))
        else:
            vector = np.frombuffer(tail, "<f4", side["dim"], offset).astype(np.float32)
            sides.append(Embedding(vector, side["quality"]))
            offset += 4 * side["dim"]
    return Embeddings(sides[0], sides[1])


def _rejected(modality: Modality, side: Mapping[str, Any]) -> Rejected:
    return Rejected(modality, Reason(side["reason"]), side["next_step"], side["measured"])
