"""Rates of the service's decisions per group of people: does it serve all alike?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from visavox.training.evaluate_figures import Bootstrap, Figure
from visavox.training.trials import Index, Kind


@dataclass(frozen=True)
class Slice:
    """One value of one attribute."""

    attribute: str
    value: str
    fnir: Figure
    fpir: Figure


def slices(boot: Bootstrap, *, min_people: int) -> tuple[Slice, ...]:
    """FNIR and FPIR as served for every value of every attribute that the captures carry.

    Where fewer than `min_people` people stand behind a rate it is withheld, and says so.
    """
    trials = boot.trials
    made = []
    for attribute, values in sorted(trials.captures.slices.items()):
        of_search = np.asarray(values, dtype=object)[trials.capture]
        for value in sorted({v for v in values if v}):
            here = np.asarray(of_search == value, np.bool_)
            members = _at(trials.of(Kind.MEMBER), here)
            strangers = _at(trials.of(Kind.STRANGER), here)
            made.append(
                Slice(
                    attribute,
                    value,
                    carried(boot.rate(trials.missed, members), min_people),
                    carried(boot.rate(trials.accepted, strangers), min_people),
                )
            )
    return tuple(made)


def carried(figure: Figure, min_people: int) -> Figure:
    """`figure`, or the reason why it is withheld."""
    if figure.people >= min_people:
        return figure
    why = f"too few: {figure.people} people, {min_people} needed"
    return replace(figure, value=None, interval=None, why=why)


def by_attribute(made: tuple[Slice, ...]) -> Mapping[str, tuple[Slice, ...]]:
    """Slices in groups that can be compared with one another."""
    names = sorted({s.attribute for s in made})
    return {name: tuple(s for s in made if s.attribute == name) for name in names}


def _at(searches: Index, here: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Index:
    return searches[here[searches]]
