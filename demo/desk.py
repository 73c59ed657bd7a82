"""What every tab has at hand: the API under two keys, and the people who can be played."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo import cards
from demo.client import Client, Json
from demo.people import Cast, Persona
from demo.problems import DemoProblem

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Desk:
    """One demo: a fridge, a kiosk's key, an admin's key, a cast."""

    kiosk: Client
    admin: Client
    fridge: str
    cast: Cast
    made: Path
    """Where what has to be made for a scene is kept."""
    trials: Path
    reports: Path
    kiosk_page: str = ""
    docs_page: str = ""

    def members(self) -> list[Json]:
        return self.admin.members(self.fridge)

    def namer(self) -> Callable[[str], str]:
        """From a member's id to a name; whoever has been removed keeps the id."""
        names = {str(m["id"]): str(m["name"]) for m in self.members()}
        return lambda member: names.get(member, member)

    def enrolled(self) -> list[Persona]:
        """The personas who are members now, in the cast's order."""
        there = {str(m["id"]) for m in self.members()}
        return [p for p in (*self.cast.members, *self.cast.newcomers) if p.id in there]

    def outside(self) -> list[Persona]:
        """The personas who could be enrolled."""
        there = {str(m["id"]) for m in self.members()}
        return [p for p in (*self.cast.newcomers, *self.cast.members) if p.id not in there]

    def compartments(self) -> list[tuple[str, str]]:
        """(name, id) of each, as choices."""
        found = self.admin.compartments(self.fridge)
        return [(str(c["name"]), str(c["id"])) for c in found]


def told(error: DemoProblem, name_of: Callable[[str], str] = str) -> str:
    """The card of an error; the log keeps it too."""
    log.info("%s", error)
    return cards.problem(error, name_of)
