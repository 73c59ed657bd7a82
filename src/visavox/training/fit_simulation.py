"""Simulated fridges: cohort people play members, others play strangers.

Scores to calibrate on must come from people whom the model has not met, searched against
members with as many enrolment captures as real ones have. Each part of the cohort is scored by
a model trained on the other parts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from visavox.discriminator.scorer import Scorer
from visavox.errors import NotEnoughData
from visavox.table import Mask
from visavox.training.fit_cohort import Owners, People
from visavox.training.fit_logit import Floats
from visavox.types import Modality

TRIALS_EACH = 3
"""Genuine trials per person and number of enrolment captures, at the least."""


class Model(Protocol):
    """What a family learns from the cohort, ready to enrol members."""

    def enrol(self, vectors: Floats, owner: Owners, members: int, *, seed: int) -> Scorer: ...


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One modality of T trials."""

    raw: Floats  # (T,) NaN where the probe or the member has no such modality
    count: NDArray[np.intp]  # (T,) the member's enrolment captures


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """T trials of a probe against a member who is played by a cohort person."""

    face: Side
    voice: Side
    target: Mask  # (T,) the probe is of that member
    probe: NDArray[np.intp]  # (T,) which probe, numbered over all fridges
    row: NDArray[np.intp]  # (T,) the probe's row in the table of the model's people

    def side(self, modality: Modality) -> Side:
        return self.face if modality is Modality.FACE else self.voice

    def take(self, trials: NDArray[np.intp]) -> "Simulated":
        """Some of the trials."""
        face, voice = (Side(s.raw[trials], s.count[trials]) for s in (self.face, self.voice))
        return Simulated(face, voice, self.target[trials], self.probe[trials], self.row[trials])


@dataclass(frozen=True, slots=True, eq=False)
class Fridge:
    """Rows of one simulated fridge in the table of the model's people."""

    enrol: NDArray[np.intp]
    member: NDArray[np.intp]  # who of the members each enrolment row is of
    members: NDArray[np.intp]  # (M,) people
    probes: NDArray[np.intp]


def simulate(
    people: People,
    fridges: Iterator[tuple[Fridge, Mapping[Modality, Model]]],
    *,
    seed: int,
) -> Simulated:
    """All trials of all `fridges`, each scored by the models given with it."""
    parts: list[tuple[Side, Side, Mask, NDArray[np.intp], NDArray[np.intp]]] = []
    number = 0
    for fridge, models in fridges:
        face, voice = (scored(people, fridge, m, models[m], seed) for m in Modality)
        shape = (len(fridge.probes), len(fridge.members))
        target = people.owner[fridge.probes][:, None] == fridge.members
        probe = np.broadcast_to(np.arange(number, number + shape[0])[:, None], shape)
        row = np.broadcast_to(fridge.probes[:, None], shape)
        parts.append((face, voice, target.ravel(), probe.ravel(), row.ravel()))
        number += shape[0]
    faces, voices, targets, probes, rows = zip(*parts, strict=True)
    return Simulated(
        joined(faces),
        joined(voices),
        np.concatenate(targets),
        np.concatenate(probes),
        np.concatenate(rows),
    )


def scored(people: People, fridge: Fridge, modality: Modality, model: Model, seed: int) -> Side:
    """One modality of a fridge's trials, probe by probe."""
    column = people.table.column(modality)
    given = column.present[fridge.enrol]
    scorer = model.enrol(
        column.vectors[fridge.enrol[given]].astype(np.float64),
        fridge.member[given],
        len(fridge.members),
        seed=seed,
    )
    counts = np.bincount(fridge.member[given], minlength=len(fridge.members))
    heard = column.present[fridge.probes]
    raw = np.full((len(heard), len(counts)), np.nan)
    raw[heard] = scorer.raw(column.vectors[fridge.probes[heard]])
    raw[:, counts == 0] = np.nan
    return Side(raw.ravel(), np.broadcast_to(counts, raw.shape).ravel().astype(np.intp))


def joined(sides: Sequence[Side]) -> Side:
    """The trials of several fridges in one row."""
    return Side(np.concatenate([s.raw for s in sides]), np.concatenate([s.count for s in sides]))


def fridges_of(
    people: People, players: NDArray[np.intp], *, counts: Sequence[int], rng: np.random.Generator
) -> Iterator[Fridge]:
    """Fridges in which all `players` are members with n captures, for each n of `counts`.

    All their captures from other sessions are probes, against themselves and against one
    another: each is a stranger to the rest. Where n leaves few, the sessions change places.
    """
    books = [_by_session(people, int(p), rng) for p in players]
    for n in counts:
        turn, genuine = 0, 0
        while genuine < TRIALS_EACH * len(players) and turn < len(people):
            made = _fridge(people, books, [n] * len(books), turn)
            if made is None:
                break
            yield made
            genuine += int(np.isin(people.owner[made.probes], made.members).sum())
            turn += 1


def fridge_like(
    people: People, candidates: NDArray[np.intp], counts: Owners, *, rng: np.random.Generator
) -> Fridge:
    """A fridge whose members have `counts` enrolment captures, like a real one's.

    At most half of the `candidates` play members; the others are strangers.
    """
    books = [_by_session(people, int(p), rng) for p in rng.permutation(candidates)]
    wanted = [int(n) for n in rng.permutation(counts)[: len(books) // 2]]
    # A real member may have more captures than anybody here can spare.
    spare = [sum(map(len, b)) - len(b[-1]) for b in books]
    asked = [min(n, max(s, 1)) for n, s in zip(wanted, spare, strict=False)]
    made = _fridge(people, books, [*asked, *[0] * (len(books) - len(asked))], 0)
    if made is None:
        raise NotEnoughData(
            "Too few cohort people have captures from two sessions.",
            next_step="Add captures from another session.",
        )
    return made


Book = list[NDArray[np.intp]]  # one person's rows, session by session


def _by_session(people: People, person: int, rng: np.random.Generator) -> Book:
    rows = rng.permutation(np.flatnonzero(people.owner == person))
    sessions = rng.permutation(np.unique(people.session[rows]))
    return [rows[people.session[rows] == s] for s in sessions]


def _fridge(people: People, books: list[Book], counts: Sequence[int], turn: int) -> Fridge | None:
    """Each person enrolled from as few sessions as give the count; the other sessions probe.

    Who cannot give so many and have a session left, or is asked for none, is a stranger.
    None where fewer than two people could play members.
    """
    enrol: list[NDArray[np.intp]] = []
    probes: list[NDArray[np.intp]] = []
    for book, n in zip(books, counts, strict=True):
        turned = book[turn % len(book) :] + book[: turn % len(book)]
        filled = np.cumsum([len(rows) for rows in turned])
        used = int(np.searchsorted(filled, n)) + 1 if n else 0
        if 0 < used < len(turned):
            enrol.append(np.concatenate(turned[:used])[:n])
            probes += turned[used:]
        else:
            probes += turned
    if len(enrol) < 2:
        return None
    members = np.array([people.owner[rows[0]] for rows in enrol], dtype=np.intp)
    return Fridge(
        np.concatenate(enrol),
        np.repeat(np.arange(len(enrol), dtype=np.intp), [len(rows) for rows in enrol]),
        members,
        np.sort(np.concatenate(probes)),
    )
