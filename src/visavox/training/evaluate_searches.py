"""Show every capture of a dataset to the fridges it concerns, as the service would."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from visavox.decision import Policy, decide
from visavox.errors import DataError, NotEnoughData
from visavox.manifest import Row
from visavox.table import Column, EmbeddingTable, Scores
from visavox.training.metrics.scores import Floats
from visavox.training.trials import NOBODY, Captures, Index, Kind, Served, Trials
from visavox.types import (
    FACE_QUALITY,
    VOICE_QUALITY,
    Embedding,
    Embeddings,
    Modality,
    Outcome,
    Reason,
    Rejected,
)

_SERVED = {
    Outcome.REFUSED: Served.REFUSED,
    Outcome.RETRY: Served.RETRY,
    Outcome.GRANTED: Served.GRANTED,
}
_KINDS = {"probe": Kind.MEMBER, "stranger": Kind.STRANGER, "attack": Kind.ATTACK}


class Scoring(Protocol):
    """What evaluation needs of a discriminator."""

    @property
    def members(self) -> tuple[str, ...]: ...

    def score(self, table: EmbeddingTable) -> Scores: ...


@dataclass(frozen=True)
class Fridge:
    """One fridge as it would be served."""

    name: str
    discriminator: Scoring
    policy: Policy


def searches(
    fridges: Sequence[Fridge],
    rows: Sequence[Row],
    table: EmbeddingTable,
    *,
    risk: str,
    needs: Sequence[str] = ("probe", "stranger"),
    done: Callable[[], None] = lambda: None,
) -> Trials:
    """All searches: members and attacks at their own fridge, strangers at every fridge.

    Enrolment captures are left out: they were trained on. `rows` may come in any order; there must
    be some of each split of `needs`. `done` is called after each fridge.
    """
    used = _used(rows, fridges, needs)
    position = {name: i for i, name in enumerate(table.captures)}
    absent = [row.capture for row in used if row.capture not in position]
    if absent:
        raise DataError(
            f"{len(absent)} captures of the manifest have no features, {absent[0]!r} first.",
            next_step="Run `python -m visavox.training.features` on this dataset.",
        )
    seen = table.take(np.array([position[row.capture] for row in used], np.intp))
    embeddings = [embeddings_at(seen, i) for i in range(len(seen))]
    kinds = np.array([_KINDS[row.split] for row in used], np.intp)
    at = np.array([row.fridge for row in used], dtype=object)
    people = np.array([row.person for row in used], dtype=object)

    first, parts = 0, []
    for number, fridge in enumerate(fridges):
        here = np.flatnonzero((at == fridge.name) | (kinds == Kind.STRANGER))
        scores = fridge.discriminator.score(seen.take(here))
        parts.append(
            _part(number, first, fridge, scores, here, kinds[here], people[here], embeddings, risk)
        )
        first += len(scores.members)
        done()
    return _joined(parts, fridges, _captures(used, seen))


def embeddings_at(table: EmbeddingTable, row: int) -> Embeddings:
    """One row of a table as the pipeline would hand it to the decision."""
    return Embeddings(
        _cell(table.face, row, Modality.FACE, FACE_QUALITY),
        _cell(table.voice, row, Modality.VOICE, VOICE_QUALITY),
    )


@dataclass(frozen=True)
class _Part:
    """The searches of one fridge."""

    capture: Index
    fridge: Index
    kind: Index
    truth: Index
    served: Index
    granted: Index
    width: Index  # pairs of each search
    member: Index
    llr: Mapping[str, Floats]


def _part(
    number: int,
    first: int,
    fridge: Fridge,
    scores: Scores,
    here: Index,
    kinds: Index,
    people: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    embeddings: Sequence[Embeddings],
    risk: str,
) -> _Part:
    members = {name: first + i for i, name in enumerate(scores.members)}
    truth = [
        NOBODY if kind == Kind.STRANGER else members.get(person, NOBODY)
        for kind, person in zip(kinds, people, strict=True)
    ]
    for kind, person, index in zip(kinds, people, truth, strict=True):
        if kind == Kind.MEMBER and index == NOBODY:
            raise DataError(
                f"{person!r} has probes at the fridge {fridge.name!r}, which does not know them.",
                next_step="Train the fridge on the same manifest that it is evaluated on.",
            )
        if kind == Kind.STRANGER and person in members:
            raise DataError(
                f"The stranger {person!r} is a member of the fridge {fridge.name!r}.",
                next_step="Correct the splits: nobody may be both.",
            )
    answers = [
        decide(embeddings[c], _row(scores, i), fridge.policy, risk=risk) for i, c in enumerate(here)
    ]
    count = len(scores.members)
    return _Part(
        capture=here,
        fridge=np.full(len(here), number, np.intp),
        kind=kinds,
        truth=np.array(truth, np.intp),
        served=np.array([_SERVED[a.outcome] for a in answers], np.intp),
        granted=np.array([members[a.member] if a.member else NOBODY for a in answers], np.intp),
        width=np.full(len(here), count, np.intp),
        member=np.tile(np.arange(first, first + count), len(here)),
        llr={
            s: np.ravel(getattr(scores, s)).astype(np.float64) for s in ("fused", "face", "voice")
        },
    )


def _row(scores: Scores, i: int) -> Scores:
    one = slice(i, i + 1)
    return Scores(scores.members, scores.face[one], scores.voice[one], scores.fused[one])


def _joined(parts: Sequence[_Part], fridges: Sequence[Fridge], captures: Captures) -> Trials:
    def all_of(name: str) -> Index:
        return np.concatenate([getattr(p, name) for p in parts])

    return Trials(
        captures=captures,
        fridges=tuple(f.name for f in fridges),
        members=tuple((f.name, m) for f in fridges for m in f.discriminator.members),
        start=np.concatenate([[0], np.cumsum(all_of("width"))]),
        llr={s: np.concatenate([p.llr[s] for p in parts]) for s in parts[0].llr},
        **{
            name: all_of(name)
            for name in ("capture", "fridge", "kind", "truth", "served", "granted", "member")
        },
    )


def _used(rows: Sequence[Row], fridges: Sequence[Fridge], needs: Sequence[str]) -> tuple[Row, ...]:
    if not fridges:
        raise NotEnoughData("There is no fridge to evaluate.", next_step="Train one first.")
    names = {f.name for f in fridges}
    used = tuple(r for r in rows if r.split in _KINDS)
    absent = sorted({r.fridge for r in used if r.fridge} - names)
    if absent:  # leaving them out would be choosing the figures
        raise DataError(
            f"The fridges {', '.join(absent)} of the manifest are not among those to evaluate.",
            next_step="Train every fridge of the dataset first.",
        )
    for split in needs:
        if not any(r.split == split for r in used):
            raise NotEnoughData(
                f"The dataset has no captures of the split {split!r}.",
                next_step="An open-set evaluation needs unseen captures of members and strangers.",
            )
    return used


def _captures(rows: Sequence[Row], table: EmbeddingTable) -> Captures:
    names = sorted({name for r in rows for name in r.slices})
    return Captures(
        names=tuple(r.capture for r in rows),
        people=tuple(r.person for r in rows),
        attack=tuple(r.attack for r in rows),
        face_rejected=table.face.reasons,
        voice_rejected=table.voice.reasons,
        slices={name: tuple(r.slices.get(name, "") for r in rows) for name in names},
    )


def _cell(
    column: Column, row: int, modality: Modality, names: Sequence[str]
) -> Embedding | Rejected:
    if column.present[row]:
        quality = dict(zip(names, column.quality[row].tolist(), strict=True))
        return Embedding(column.vectors[row], quality)
    return Rejected(modality, Reason(column.reasons[row]), "")
