"""What a fridge's model is worth, on captures that it has not met.

Of every member the last session is held out (of one session, the last capture); a model fitted on
the rest is searched with it, and with strangers whom no training sees. The model that will serve is
fitted on all captures: it knows more than the one that was proved, of the same recipe.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from visavox.bundle import Bundle
from visavox.errors import DataError, NotEnoughData
from visavox.manifest import Row
from visavox.table import Column, EmbeddingTable
from visavox.training.evaluate_report import Reporting, report
from visavox.training.evaluate_searches import Fridge, searches
from visavox.training.fit import Fitted, fit_members
from visavox.training.production.backgrounds import Ground, Strangers
from visavox.training.production.settings import Proof
from visavox.training.trials import Index, Trials


class Seen(Protocol):
    """A fridge's captures of one data version, opened in memory."""

    @property
    def table(self) -> EmbeddingTable: ...
    @property
    def people(self) -> Sequence[str]: ...
    @property
    def sessions(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Enrolled:
    """One fridge, and the captures that its members are enrolled with, oldest first."""

    fridge: str
    risk: str
    table: EmbeddingTable
    people: tuple[str, ...]
    sessions: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.table) == len(self.people) == len(self.sessions):
            raise DataError(
                f"The fridge {self.fridge!r} has {len(self.table)} captures,"
                f" {len(self.people)} names and {len(self.sessions)} sessions.",
                next_step="Give each capture its member and its session.",
            )
        if not self.people:
            raise NotEnoughData(
                f"The fridge {self.fridge!r} has no captures to learn from.",
                next_step="Enrol somebody; until then its model is to be removed.",
            )

    @classmethod
    def of(cls, fridge: str, risk: str, seen: Seen) -> "Enrolled":
        return cls(fridge, risk, seen.table, tuple(seen.people), tuple(seen.sessions))

    @property
    def members(self) -> tuple[str, ...]:
        """In order of first appearance, as the model has them."""
        return tuple(dict.fromkeys(self.people))


@dataclass(frozen=True, slots=True)
class Champion:
    """What serves now: its recipe and whom it was trained on, not its weights."""

    digest: str
    family: str
    members: frozenset[str]
    captures: frozenset[str]
    """Empty where its lineage does not say."""

    @classmethod
    def of(cls, bundle: Bundle) -> "Champion":
        given = bundle.lineage.get("captures")
        return cls(
            bundle.digest,
            bundle.discriminator.family,
            frozenset(bundle.discriminator.members),
            frozenset(given if isinstance(given, list) else ()),
        )


@dataclass(frozen=True, slots=True, eq=False)
class HoldOut:
    """Which rows teach the model that is proved, and which it is searched with."""

    kept: Index
    held: Index
    unproved: tuple[str, ...]
    """Members of whom no capture could be spared."""
    same_session: tuple[str, ...]
    """Members whose probe is of a session that they were enrolled in: an easy one."""


@dataclass(frozen=True, slots=True, eq=False)
class Proved:
    """A recipe's searches, and their figures."""

    trials: Trials
    figures: Mapping[str, Any]


def hold_out(people: Sequence[str], sessions: Sequence[str]) -> HoldOut:
    """Hold out each member's last session, or the last capture of their only one."""
    held: list[int] = []
    unproved, same = [], []
    rows: dict[str, list[int]] = {}
    for i, person in enumerate(people):
        rows.setdefault(person, []).append(i)
    for person, mine in rows.items():
        last = [i for i in mine if sessions[i] == sessions[mine[-1]]]
        if len(mine) == 1:
            unproved.append(person)
        elif len(last) == len(mine):
            same.append(person)
            held.append(mine[-1])
        else:
            held += last
    out = np.array(sorted(held), np.intp)
    kept = np.setdiff1d(np.arange(len(people)), out).astype(np.intp)
    return HoldOut(kept, out, tuple(unproved), tuple(same))


def fit_rows(ground: Ground, enrolled: Enrolled, rows: Index) -> Fitted:
    """The recipe's model of some of a fridge's captures."""
    people = [enrolled.people[i] for i in rows]
    return fit_members(ground.background, enrolled.table.take(rows), people, seed=ground.seed)


def prove(fitted: Fitted, ground: Ground, enrolled: Enrolled, held: Index, how: Proof) -> Proved:
    """Search what was held out, and the strangers; without the former only strangers tell."""
    members = set(fitted.discriminator.members)
    probes = np.array([i for i in held if enrolled.people[i] in members], np.intp)
    at, strangers = enrolled.table.captures, ground.strangers
    rows = [
        Row(at[i], enrolled.people[i], enrolled.fridge, enrolled.sessions[i], "probe")
        for i in probes
    ]
    rows += [
        Row(capture, person, "", person, "stranger")
        for capture, person in zip(strangers.table.captures, strangers.people, strict=True)
    ]
    trials = searches(
        [Fridge(enrolled.fridge, fitted.discriminator, fitted.policy)],
        rows,
        joined(enrolled.table.take(probes), strangers.table),
        risk=enrolled.risk,
        needs=("stranger",),
    )
    return Proved(trials, figures(trials, how, risk=enrolled.risk, population=ground.population))


def figures(trials: Trials, how: Proof, *, risk: str, population: str) -> dict[str, Any]:
    """All figures of a proof, as JSON."""
    light = Reporting(
        target_fpir=how.target_fpir, replicates=how.replicates, level=how.level, seed=how.seed
    )
    return report(trials, light, population=population, risk=risk)


def prove_champion(
    champion: Champion, ground: Ground, enrolled: Enrolled, split: HoldOut, how: Proof
) -> Proved | None:
    """The champion's recipe under the same hold-out, on whom and what it was trained on.

    None where nobody is left whom it knows and who has captures on both sides of the hold-out.
    """
    people, captures = enrolled.people, enrolled.table.captures

    def known(i: int) -> bool:
        return people[i] in champion.members and (
            not champion.captures or captures[i] in champion.captures
        )

    kept = np.array([i for i in split.kept if known(int(i))], np.intp)
    taught = {people[i] for i in kept}
    held = np.array([i for i in split.held if people[i] in taught], np.intp)
    if not held.size:
        return None
    return prove(fit_rows(ground, enrolled, kept), ground, enrolled, held, how)


def joined(members: EmbeddingTable, strangers: EmbeddingTable) -> EmbeddingTable:
    """Both tables, one below the other."""
    return EmbeddingTable(
        (*members.captures, *strangers.captures),
        _joined(members.face, strangers.face),
        _joined(members.voice, strangers.voice),
    )


def _joined(above: Column, below: Column) -> Column:
    return Column(
        np.concatenate([above.vectors, below.vectors]),
        np.concatenate([above.present, below.present]),
        np.concatenate([above.quality, below.quality]),
        (*above.reasons, *below.reasons),
    )


def some_strangers(strangers: Strangers, count: int) -> Iterable[int]:
    """Rows of the first captures of so many of them."""
    first: dict[str, int] = {}
    for i, person in enumerate(strangers.people):
        first.setdefault(person, i)
    return list(first.values())[:count]
