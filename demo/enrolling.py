"""Enrolling a persona: whoever makes people up can also leave their worst pictures out."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.client import Client, Json, Shown
from demo.people import Persona
from demo.problems import ApiProblem


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The API's answer, and how many captures it would not take."""

    answer: Json
    left_out: int


def enrol(
    admin: Client,
    fridge: str,
    who: Persona,
    *,
    compartments: Sequence[str],
    accept_warnings: bool = False,
) -> Enrolled:
    """Enrol a persona under their own id and name."""
    return leaving_out_poor(
        who.enrol,
        lambda takes: admin.enrol(
            fridge,
            takes,
            name=who.name,
            member=who.id,
            locale=who.locale,
            pin=who.pin,
            compartments=compartments,
            accept_warnings=accept_warnings,
        ),
    )


def leaving_out_poor(takes: Sequence[Shown], send: Callable[[Sequence[Shown]], Json]) -> Enrolled:
    """Send the captures, and once more without those that are refused; ApiProblem if none is left."""
    kept = takes
    while True:
        try:
            return Enrolled(send(kept), len(takes) - len(kept))
        except ApiProblem as error:
            kept = without_poor(kept, error)
            if not kept:
                raise


def without_poor(takes: Sequence[Shown], error: ApiProblem) -> tuple[Shown, ...]:
    """The captures that the refusal does not name; none of them where it names none."""
    named = (re.match(r"captures\[(\d+)\]", f.field) for f in error.fields)
    poor = {int(found[1]) for found in named if found}
    return tuple(take for i, take in enumerate(takes) if i not in poor) if poor else ()
