"""A small cohort of strangers as the embedded nets see it, and the base bundle fitted on it.

Rendering and embedding 120 personas takes minutes, so what came of it is kept in cohort.safetensors.
When the embedded nets change it must be made again: `python -m tests.cohort`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from visavox import bundle, characterizer
from visavox.characterizer import Characterizer
from visavox.config import validated
from visavox.errors import DataError
from visavox.perception import Perception
from visavox.personas.person import POPULATIONS, face_of, person, voice_of
from visavox.table import Column, EmbeddingTable
from visavox.training.base import Newcomers, fit_base
from visavox.training.fit import DiscriminatorSettings, fit
from visavox.types import Capture, Embeddings

KEPT = Path(__file__).with_suffix(".safetensors")
PEOPLE, SESSIONS = 120, 3


def base_bundle(
    root: Path, nets: Characterizer, *, risks: Mapping[str, float] | None = None
) -> Path:
    """A base bundle in `root`, fitted in a second or two."""
    table, people, sessions = read(nets)
    given = {"folds": 2} | ({} if risks is None else {"risks": dict(risks)})
    settings = validated(DiscriminatorSettings, given)
    made = fit_base(
        table, people, settings, Newcomers(members=10, enrol=(1, 2)), seed=1, sessions=sessions
    )
    return bundle.write(
        root,
        fridge="base",
        discriminator=made.fitted.discriminator,
        policy=made.fitted.policy,
        characterizer_digest=nets.digest,
        population="personas",
        lineage={"cohort": "tests", "commit": "0" * 40},
        reference=made.drift,
    )


def trained_bundle(
    root: Path,
    nets: Characterizer,
    fridge: str,
    members: Mapping[str, Sequence[Embeddings]],
    *,
    family: str = "plda",
    lineage: Mapping[str, Any] | None = None,
    risks: Mapping[str, float] | None = None,
) -> Path:
    """A fridge's bundle in `root`, trained on its members' captures against the kept cohort."""
    table, people, sessions = read(nets)
    owners = [m for m, seen in members.items() for _ in seen]
    enrolment = EmbeddingTable.of(
        [f"c{i}" for i in range(len(owners))],
        [e for seen in members.values() for e in seen],
        face_dim=nets.face_dim,
        voice_dim=nets.voice_dim,
    )
    given = {"family": family, "folds": 2} | ({} if risks is None else {"risks": dict(risks)})
    settings = validated(DiscriminatorSettings, given)
    made = fit(enrolment, owners, table, people, settings, seed=1, cohort_sessions=sessions)
    return bundle.write(
        root,
        fridge=fridge,
        discriminator=made.discriminator,
        policy=made.policy,
        characterizer_digest=nets.digest,
        population="personas",
        lineage={"commit": "0" * 40, **(lineage or {})},
        reference={},
    )


def read(nets: Characterizer) -> tuple[EmbeddingTable, list[str], list[str]]:
    """The kept embeddings, who each is of, and in which session."""
    kept = load_file(KEPT)
    said = json.loads(kept["said"].tobytes())
    if said["characterizer"] != nets.digest:
        raise DataError(
            f"{KEPT.name} was embedded with other nets.", next_step="Run: python -m tests.cohort"
        )
    columns = []
    for name in ("face", "voice"):
        vectors = kept[f"{name}.vectors"].astype(np.float32)
        present = np.asarray(np.isfinite(vectors).all(axis=1))
        vectors[present] /= np.linalg.norm(vectors[present], axis=1, keepdims=True)
        reasons = tuple(said[f"{name}.reasons"])
        columns.append(Column(vectors, present, kept[f"{name}.quality"], reasons))
    captures = tuple(f"{p}-{s}" for p, s in zip(said["people"], said["sessions"], strict=True))
    return EmbeddingTable(captures, *columns), said["people"], said["sessions"]


def write(nets: Characterizer) -> None:
    """Render, embed and keep the cohort."""
    people, sessions, seen = [], [], []
    with Perception(nets) as perception:
        for i in range(PEOPLE):
            who = person(POPULATIONS["cohort"], i)
            for session in range(SESSIONS):
                picture = face_of(who, session, 0).pixels
                spoken = voice_of(who, session, 0, seconds=3.0).waveform
                seen.append(perception.perceive(Capture((picture,), (0.0,), spoken)))
                people.append(who.name)
                sessions.append(str(session))
    names = [f"{p}-{s}" for p, s in zip(people, sessions, strict=True)]
    table = EmbeddingTable.of(names, seen, face_dim=nets.face_dim, voice_dim=nets.voice_dim)
    said = {
        "characterizer": nets.digest,
        "people": people,
        "sessions": sessions,
        "face.reasons": table.face.reasons,
        "voice.reasons": table.voice.reasons,
    }
    save_file(
        {
            "said": np.frombuffer(json.dumps(said).encode(), np.uint8),
            "face.vectors": table.face.vectors.astype(np.float16),
            "face.quality": table.face.quality,
            "voice.vectors": table.voice.vectors.astype(np.float16),
            "voice.quality": table.voice.quality,
        },
        KEPT,
    )


if __name__ == "__main__":
    write(characterizer.load())
