"""Somebody to keep: embeddings, raw parts and moments for the store's tests."""

from datetime import UTC, datetime, timedelta

import numpy as np

from visavox.store import Store
from visavox.store.records import CaptureRecord, DecisionOutcome, DecisionRecord, Method
from visavox.types import (
    Candidate,
    Embedding,
    Embeddings,
    Modality,
    Reason,
    Rejected,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = "Zoë Fenwick-Plaintext"


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def embeddings(seed: int = 1, *, voice: bool = True) -> Embeddings:
    rng = np.random.default_rng(seed)
    face, sound = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 64)).astype(np.float32))
    quality = {"size": 0.25, "sharpness": 1 / 3, "brightness": 0.5, "frontal": 0.9}
    heard: Embedding | Rejected = Embedding(sound, {"speech_s": 2.5, "snr_db": 20.0})
    if not voice:
        heard = Rejected(Modality.VOICE, Reason.TOO_QUIET, "Speak up.", {"level_db": -61.5})
    return Embeddings(Embedding(face, quality), heard)


def raw(seed: int = 1) -> dict[str, bytes]:
    rng = np.random.default_rng(seed)
    return {
        "image": b"PLAINTEXT-IMAGE" + rng.bytes(2000),
        "audio": b"PLAINTEXT-AUDIO" + rng.bytes(900),
    }


def furnish(
    store: Store, fridge: str = "kitchen", compartments: tuple[str, ...] = ("top",)
) -> None:
    with store.begin() as unit:
        unit.fridges.add(fridge, name=fridge.title(), risk="normal", locale="en", at=NOW)
        for compartment in compartments:
            unit.compartments.add(fridge, compartment, name=compartment.title(), at=NOW)


def enrol(
    store: Store, member: str = "zoe", *, fridge: str = "kitchen", captures: int = 1
) -> tuple[CaptureRecord, ...]:
    with store.begin() as unit:
        unit.members.add(
            fridge, member, name=NAME, locale="en", consent_at=NOW, at=NOW, pin_hash="$argon2id$x"
        )
        return tuple(
            unit.captures.add(fridge, member, embeddings=embeddings(i), raw=raw(i), at=later(i))
            for i in range(captures)
        )


def decision(
    member: str | None = "zoe", *, at: datetime = NOW, fridge: str = "kitchen"
) -> DecisionRecord:
    return DecisionRecord(
        id="",
        fridge=fridge,
        kiosk="hall",
        at=at,
        method=Method.BIOMETRIC,
        outcome=DecisionOutcome.GRANTED if member else DecisionOutcome.REFUSED,
        member=member,
        compartments=("top",) if member else (),
        reasons=("match",),
        next_step="Open the fridge.",
        candidates=(Candidate("zoe", 9.25, None, 4.1), Candidate("ben", -1.5, -2.0, None)),
        threshold=4.5,
        rejected=(Rejected(Modality.FACE, Reason.NO_FACE, "Look here.", {"faces": 0.0}),),
        provisional=False,
        characterizer="c" * 64,
        bundle="b" * 64,
        base=None,
        challenge=None,
        request_id="r-1",
        expires_at=at + timedelta(seconds=8),
    )
