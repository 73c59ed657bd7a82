"""What the tests retrain: the kept personas, some as members of a kitchen, the others as cohort."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests import cohort
from visavox import manifest
from visavox.characterizer import Characterizer
from visavox.manifest import Row
from visavox.training import feature_table
from visavox.training.feature_table import Features
from visavox.training.production import backgrounds, settings
from visavox.training.production.backgrounds import Cohort, Ground
from visavox.training.production.fridge_proof import Enrolled
from visavox.training.production.settings import Recipe

MEMBERS = 12
SMALL: dict[str, Any] = {
    # 108 people prove less than 800: what a third of them leaves open, none erring, is 10 %.
    "aside": 1 / 3,
    "discriminator": {"folds": 2},
    "gate": {"limits": [{"metric": "served.fpir", "at_most": 0.16, "refuse": "unproved"}]},
    "proof": {"replicates": 200},
}
"""Changes of the recipe for a cohort of a hundred."""


def recipe(**changed: Any) -> Recipe:
    """The recipe of production, but for what so small a cohort cannot carry."""
    real = settings.read()
    limits = [
        {"metric": li.metric, "at_most": li.at_most, "refuse": li.refuse}
        for li in real.gate.limits
        if li.metric != "served.fpir"
    ]
    margins = [
        {"metric": m.metric, "at_most": 0.14 if m.metric == "served.fpir" else m.at_most,
         "refuse": m.refuse}
        for m in real.gate.margins
    ]  # fmt: skip
    gate = {"limits": [*SMALL["gate"]["limits"], *limits], "margins": margins}
    return settings.read(changed=SMALL | {"gate": gate} | changed)


def parted(nets: Characterizer, members: int = MEMBERS) -> tuple[Enrolled, Cohort]:
    """The last people as members of the kitchen with their three sessions, the others as cohort."""
    table, people, sessions = cohort.read(nets)
    names = list(dict.fromkeys(people))
    whole = Cohort.of(
        "cohort", table, people, sessions, characterizer=nets.digest, population="personas"
    )
    mine, theirs = whole.of_people(names[-members:]), whole.of_people(names[:-members])
    enrolled = Enrolled("kitchen", "normal", mine.table, tuple(mine.people), tuple(mine.sessions))
    rest = Cohort.of(
        "cohort", theirs.table, theirs.people, theirs.sessions,
        characterizer=nets.digest, population="personas",
    )  # fmt: skip
    return enrolled, rest


def grounds(rest: Cohort, how: Recipe, families: Sequence[str]) -> dict[str, Ground]:
    return {family: backgrounds.ground(rest, how, family) for family in families}


def only(of: Enrolled, keep: Sequence[bool]) -> Enrolled:
    """Some of the captures."""
    rows = np.flatnonzero(np.array(keep)).astype(np.intp)
    return Enrolled(
        of.fridge,
        of.risk,
        of.table.take(rows),
        tuple(of.people[i] for i in rows),
        tuple(of.sessions[i] for i in rows),
    )


def on_disk(data: Path, nets: Characterizer, rest: Cohort) -> None:
    """The cohort as `Cohort.read` finds it, in a folder of datasets."""
    root = data / rest.name
    root.mkdir(parents=True)
    rows = zip(rest.table.captures, rest.people, rest.sessions, strict=True)
    manifest.write(root, [Row(c, p, "", s, "cohort") for c, p, s in rows])
    seen = Features(rest.table, nets.name, nets.digest, rest.population)
    feature_table.write(data / "features" / f"{rest.name}.safetensors", seen)
