"""Embeddings as bytes and back, to be sealed: JSON with the vectors in base64, no pickle."""

import base64
import json
from typing import Any

import numpy as np

from visavox.types import Embedding, Embeddings, Modality, Reason, Rejected


def written(embeddings: Embeddings) -> bytes:
    cells = {"face": _cell(embeddings.face), "voice": _cell(embeddings.voice)}
    return json.dumps(cells, separators=(",", ":")).encode()


def read(content: bytes) -> Embeddings:
    """The inverse of `written`, bit for bit."""
    cells = json.loads(content)
    return Embeddings(_read(cells["face"]), _read(cells["voice"]))


def given(embeddings: Embeddings) -> tuple[Modality, ...]:
    """The modalities that gave evidence."""
    pairs = ((Modality.FACE, embeddings.face), (Modality.VOICE, embeddings.voice))
    return tuple(modality for modality, cell in pairs if isinstance(cell, Embedding))


def rejected_written(cell: Rejected) -> dict[str, Any]:
    return {
        "modality": cell.modality.value,
        "reason": cell.reason.value,
        "next_step": cell.next_step,
        "measured": {name: float(value) for name, value in cell.measured.items()},
    }


def rejected_read(cell: dict[str, Any]) -> Rejected:
    return Rejected(
        Modality(cell["modality"]), Reason(cell["reason"]), cell["next_step"], cell["measured"]
    )


def _cell(cell: Embedding | Rejected) -> dict[str, Any]:
    if isinstance(cell, Rejected):
        return {"rejected": rejected_written(cell)}
    vector = np.ascontiguousarray(cell.vector, dtype="<f4")
    return {
        "vector": base64.b64encode(vector.tobytes()).decode(),
        "quality": {name: float(value) for name, value in cell.quality.items()},
    }


def _read(cell: dict[str, Any]) -> Embedding | Rejected:
    if "rejected" in cell:
        return rejected_read(cell["rejected"])
    vector = np.frombuffer(base64.b64decode(cell["vector"]), dtype="<f4").astype(np.float32)
    return Embedding(vector, cell["quality"])
