"""The cohort of strangers, and who of them does what: nobody does two things."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visavox.errors import DataError, NotEnoughData
from visavox.table import Column, EmbeddingTable
from visavox.types import Modality

PER_FOLD = 4
"""People in a fold at the least: a small cohort gives fewer of them to be strangers."""

Owners = NDArray[np.intp]  # (N,) index of the person each row is of


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Captures with the person each is of."""

    table: EmbeddingTable
    owner: Owners
    names: tuple[str, ...]
    session: Owners  # (N,) captures of one session share light, room and mood

    def __len__(self) -> int:
        return len(self.names)

    def take(self, people: NDArray[np.intp]) -> "People":
        """Only these people, renumbered in the given order."""
        number = np.full(len(self.names), -1)
        number[people] = np.arange(len(people))
        rows = np.flatnonzero(number[self.owner] >= 0)
        names = tuple(self.names[i] for i in people)
        owner = number[self.owner[rows]].astype(np.intp)
        return People(self.table.take(rows), owner, names, self.session[rows])

    @property
    def most(self) -> int:
        """Captures that somebody can be enrolled with and still have a session to be probed in."""
        of_person = np.bincount(self.owner, minlength=len(self))
        _, first, size = np.unique(self.session, return_index=True, return_counts=True)
        smallest = np.full(len(self), len(self.owner))
        np.minimum.at(smallest, self.owner[first], size)
        return max(1, int((of_person - smallest).max(initial=0)))

    def of(self, modality: Modality) -> tuple[NDArray[np.float64], Owners]:
        """The vectors of a modality where present, and their owners."""
        column = self.table.column(modality)
        return column.vectors[column.present].astype(np.float64), self.owner[column.present]


def people_of(
    table: EmbeddingTable,
    names: Sequence[str],
    *,
    what: str,
    sessions: Sequence[str] | None = None,
) -> People:
    """`table` with a name per row, checked; people in the order of first appearance.

    Without `sessions` each capture counts as a session of its own.
    """
    if len(names) != len(table):
        raise DataError(
            f"The {what} has {len(table)} captures and {len(names)} names.",
            next_step="Give each capture the name of its person.",
        )
    for modality in Modality:
        _check(table.column(modality), table.captures, f"{what}'s {modality}")
    order = {name: i for i, name in enumerate(dict.fromkeys(names))}
    owner = np.array([order[name] for name in names], dtype=np.intp)
    session = np.arange(len(names), dtype=np.intp)
    if sessions is not None:
        numbers: dict[tuple[str, str], int] = {}
        pairs = zip(names, sessions, strict=True)
        session = np.array([numbers.setdefault(p, len(numbers)) for p in pairs], dtype=np.intp)
    return People(table, owner, tuple(order), session)


def _check(column: Column, captures: Sequence[str], what: str) -> None:
    bad = column.present & ~np.isfinite(column.vectors).all(axis=1)
    if bad.any():
        raise DataError(
            f"The {what} embedding of capture {captures[int(np.argmax(bad))]!r} is not finite.",
            next_step="Embed that capture again, or leave it out.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Roles:
    """Who of the cohort does what."""

    model: People  # scores are modelled, normalised and calibrated on these, cross-fitted
    fold: Owners  # (len(model),) the part that each of them is in
    strangers: People  # search the finished fridge, for thresholds


def assign(cohort: People, *, strangers: float, folds: int, least: int, seed: int) -> Roles:
    """A random split by person; NotEnoughData where there are too few people for it."""
    for modality in Modality:
        heard = cohort.table.column(modality).present
        _, first = np.unique(cohort.session[heard], return_index=True)
        sessions = np.bincount(cohort.owner[heard][first], minlength=len(cohort))
        able = int((sessions >= 2).sum())
        if able < least:
            raise NotEnoughData(
                f"The cohort has {able} people with {modality} captures from two or more sessions,"
                f" {least} are needed.",
                next_step="Add people to the cohort, or captures from another session to those in it.",
            )
    order = np.random.default_rng([seed, 1]).permutation(len(cohort))
    apart = max(2, min(round(strangers * len(cohort)), len(cohort) - PER_FOLD * folds))
    model = cohort.take(order[apart:])
    fold = np.arange(len(model), dtype=np.intp) % folds
    return Roles(model, fold, cohort.take(order[:apart]))
