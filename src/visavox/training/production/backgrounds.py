"""The cohort that fridges are trained against, split for good: who teaches, and who proves.

    cohort → parted → ground(family) → Ground(background, strangers)

Some of its people are set aside as strangers. No model, calibration or threshold ever meets them;
every proof does. What the others teach costs a second or two per family and is the same for every
fridge, so it is kept on disk, named by all that it depends on.
"""

import hashlib
import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from visavox import manifest
from visavox.errors import DataError, NotEnoughData
from visavox.table import EmbeddingTable
from visavox.training import feature_table
from visavox.training.fit_background import Background, prepare
from visavox.training.fit_settings import DiscriminatorSettings
from visavox.training.production import background_file
from visavox.training.production.settings import Recipe
from visavox.training.provenance import digest

log = logging.getLogger(__name__)

LEAST_ASIDE = 2
"""Strangers without which nothing can be said of any."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Captures of people who are members of nothing, as one Characterizer sees them."""

    name: str
    table: EmbeddingTable
    people: Sequence[str]
    sessions: Sequence[str]
    sha256: str
    """Of the features and of whose they are."""
    characterizer: str
    """The digest of the nets."""
    population: str
    """Whom the nets were trained on."""

    @classmethod
    def read(cls, recipe: Recipe, features: Path | None = None) -> "Cohort":
        """The cohort that the recipe names; DataError where its features are of another state.

        `features` are those that other nets than the first have made.
        """
        seen = feature_table.read(features or recipe.cohort_features)
        rows = manifest.read(recipe.cohort_root).rows
        if seen.table.captures != tuple(r.capture for r in rows):
            raise DataError(
                f"{recipe.cohort_features} is not of the captures that {recipe.cohort_root} has now.",
                next_step=f"Embed them: `python -m visavox.training.features data={recipe.cohort}`.",
            )
        return cls.of(
            recipe.cohort,
            seen.table,
            [r.person for r in rows],
            [r.session for r in rows],
            characterizer=seen.characterizer_digest,
            population=seen.population,
        )

    @classmethod
    def of(
        cls,
        name: str,
        table: EmbeddingTable,
        people: Sequence[str],
        sessions: Sequence[str],
        *,
        characterizer: str,
        population: str,
    ) -> "Cohort":
        """A cohort that is at hand."""
        sha256 = _sha256(table, people, sessions, characterizer)
        return cls(name, table, people, sessions, sha256, characterizer, population)

    def of_people(self, wanted: Iterable[str]) -> "Cohort":
        """Only these people."""
        known = set(wanted)
        rows = [i for i, p in enumerate(self.people) if p in known]
        return replace(
            self,
            table=self.table.take(np.array(rows, np.intp)),
            people=[self.people[i] for i in rows],
            sessions=[self.sessions[i] for i in rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Strangers:
    """Captures that only ever search: `table` and who each is of, in names no member has."""

    table: EmbeddingTable
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """All that a fridge is trained and proved with, but for its members. Serves any number."""

    background: Background
    strangers: Strangers
    seed: int
    characterizer: str
    population: str
    cohort: str
    cohort_sha256: str

    @property
    def family(self) -> str:
        return self.background.settings.family


def parted(people: Sequence[str], *, aside: float, seed: int) -> tuple[list[str], list[str]]:
    """Who teaches, and who is set aside: the same people as long as the cohort has them.

    Each is drawn by their own name, so that a cohort that grows takes nobody's part from them.
    """

    def drawn(person: str) -> str:
        return hashlib.sha256(f"{seed}|{person}".encode()).hexdigest()

    names = list(dict.fromkeys(people))
    count = round(aside * len(names))
    if count < LEAST_ASIDE:
        raise NotEnoughData(
            f"A share of {aside:g} of {len(names)} cohort people leaves {count} strangers"
            " to prove a model with.",
            next_step="Add people to the cohort, or set more of them aside.",
        )
    proving = set(sorted(names, key=drawn)[:count])
    return [p for p in names if p not in proving], [p for p in names if p in proving]


def ground(cohort: Cohort, recipe: Recipe, family: str, *, cache: Path | None = None) -> Ground:
    """What the cohort teaches about a family; taken from `cache` where it lies there.

    Fresh or cached, the numbers are the same to the last bit: both are read from the same bytes.
    """
    teaching, proving = parted(cohort.people, aside=recipe.aside, seed=recipe.seed)
    settings = recipe.of_family(family)
    taught, apart = cohort.of_people(teaching), cohort.of_people(proving)
    held = apart.table
    strangers = Strangers(
        EmbeddingTable(tuple(f"cohort:{c}" for c in held.captures), held.face, held.voice),
        tuple(f"cohort:{p}" for p in apart.people),
    )

    return Ground(
        _background(taught, settings, recipe, key(cohort, recipe, settings), cache),
        strangers,
        recipe.seed,
        cohort.characterizer,
        cohort.population,
        cohort.name,
        cohort.sha256,
    )


def _background(
    taught: Cohort, settings: DiscriminatorSettings, recipe: Recipe, name: str, cache: Path | None
) -> Background:
    who = (taught.table, taught.people)

    def made() -> Background:
        return prepare(*who, settings, seed=recipe.seed, sessions=taught.sessions)

    if not background_file.keeps(settings):
        return made()
    path = None if cache is None else cache / f"{name}.background"
    content = None if path is None else _found(path)
    if content is not None:
        try:
            return background_file.unpacked(
                content, settings, *who, taught.sessions, seed=recipe.seed
            )
        except DataError as error:
            log.warning("a background is made anew: %s", error.problem)
    content = background_file.packed(made())
    if path is not None:
        _keep(path, content)
    return background_file.unpacked(content, settings, *who, taught.sessions, seed=recipe.seed)


def key(cohort: Cohort, recipe: Recipe, settings: DiscriminatorSettings) -> str:
    """The name of a background: another for other people, settings, seed or code."""
    return digest(
        {
            "cohort": cohort.sha256,
            "settings": asdict(settings),
            "aside": recipe.aside,
            "seed": recipe.seed,
            "code": background_file.code(),
        }
    )


def _found(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        half.write_bytes(content)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _sha256(
    table: EmbeddingTable, people: Sequence[str], sessions: Sequence[str], characterizer: str
) -> str:
    said = hashlib.sha256(digest({"c": table.captures, "p": people, "s": sessions}).encode())
    said.update(characterizer.encode())
    for column in (table.face, table.voice):
        for array in (column.vectors, column.present, column.quality):
            said.update(np.ascontiguousarray(array).data)
        said.update("\n".join(column.reasons).encode())
    return said.hexdigest()
