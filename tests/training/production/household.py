"""Fridges whose members are the kept personas, as if they had been enrolled through the service."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from tests import cohort
from visavox.characterizer import Characterizer
from visavox.store import Store
from visavox.table import Column, EmbeddingTable
from visavox.types import (
    FACE_QUALITY,
    VOICE_QUALITY,
    Embedding,
    Embeddings,
    Modality,
    Reason,
    Rejected,
)


def furnish(store: Store, fridge: str, at: datetime) -> None:
    with store.begin() as unit:
        unit.fridges.add(fridge, name=fridge.title(), risk="normal", locale="en", at=at)


def enrol(
    store: Store,
    nets: Characterizer,
    fridge: str,
    member: str,
    seen: Sequence[Embeddings],
    at: datetime,
) -> None:
    """One member and their captures, a day apart, and the request that goes with them."""
    with store.begin() as unit:
        unit.fridges.lock(fridge)
        unit.members.add(fridge, member, name=member, locale="en", consent_at=at, at=at)
        for i, one in enumerate(seen):
            unit.captures.add(
                fridge,
                member,
                embeddings=one,
                raw={"image-0": os.urandom(512)},
                at=at - timedelta(days=i),
                characterizer=nets.digest,
            )
        unit.retraining.request(fridge, reason="member_enrolled", at=at)


def people(nets: Characterizer, count: int) -> dict[str, list[Embeddings]]:
    """The last of the kept personas: whoever is no member is a stranger of the tests' cohort."""
    table, names, _ = cohort.read(nets)
    wanted = list(dict.fromkeys(names))[-count:]
    return {
        f"m{i}": [of(table, row) for row, name in enumerate(names) if name == who]
        for i, who in enumerate(wanted)
    }


def of(table: EmbeddingTable, row: int) -> Embeddings:
    """One row as a capture has it."""
    return Embeddings(
        _cell(table.face, row, Modality.FACE, FACE_QUALITY),
        _cell(table.voice, row, Modality.VOICE, VOICE_QUALITY),
    )


def _cell(
    column: Column, row: int, modality: Modality, names: Sequence[str]
) -> Embedding | Rejected:
    if not column.present[row]:
        return Rejected(modality, Reason(column.reasons[row]), "Again.", {})
    quality = {n: float(v) for n, v in zip(names, column.quality[row], strict=True)}
    return Embedding(np.asarray(column.vectors[row]), quality)
