"""Step `train`: one bundle per fridge, from its members' features and a cohort of strangers."""

import logging
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from visavox import __version__, bundle, manifest
from visavox.config import settings
from visavox.errors import DataError
from visavox.manifest import Manifest
from visavox.table import EmbeddingTable
from visavox.training import feature_table, leaks, progress, provenance
from visavox.training.dataset import Dataset
from visavox.training.feature_table import Features
from visavox.training.fit import (
    Background,
    DiscriminatorSettings,
    Fitted,
    fit_members,
    prepare,
)
from visavox.training.reference import reference
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.training.validation import Validation, validate

log = logging.getLogger(__name__)


@settings
class TrainSettings:
    data: Dataset
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    validation: Validation = Validation()
    seed: int = 1
    fridges: tuple[str, ...] = ()
    """Train these only; all of the dataset's when empty."""
    mode: Literal["RUN", "MULTIRUN"] = "RUN"
    """A sweep compares, and leaves the bundles under data/ alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """A dataset with its features, checked against one another."""

    manifest: Manifest
    seen: Features

    @property
    def people(self) -> list[str]:
        return [row.person for row in self.manifest]

    @property
    def sessions(self) -> list[str]:
        return [row.session for row in self.manifest]

    def enrolment(self, fridge: str) -> tuple[EmbeddingTable, list[str]]:
        """The captures that the fridge's members are enrolled with, and whose they are."""
        at = [i for i, r in enumerate(self.manifest) if r.split == "enrol" and r.fridge == fridge]
        rows = self.manifest.rows
        return self.seen.table.take(np.array(at, np.intp)), [rows[i].person for i in at]


@stage(TrainSettings)
def train(settings: TrainSettings, run: Run) -> float | None:
    """Fit every fridge; the objective is Cllr (bits) on cohort people that were held out."""
    data = settings.data
    members, cohort = (
        inputs(data.root, data.features),
        inputs(data.cohort_root, data.cohort_features),
    )
    leaks.check_apart(members.manifest, cohort.manifest)
    _check_same_eyes(members.seen, cohort.seen)
    fridges = _chosen(members.manifest, settings.fridges)

    began = time.perf_counter()
    objective: float | None = None
    if settings.validation.rounds:
        validated = validate(
            cohort.seen.table,
            cohort.people,
            cohort.sessions,
            settings.validation,
            settings.discriminator,
            seed=settings.seed,
        )
        objective = validated.objective
        run.metrics(validated.figures())
    prepared = time.perf_counter()
    background = prepare(
        cohort.seen.table,
        cohort.people,
        settings.discriminator,
        seed=settings.seed,
        sessions=cohort.sessions,
    )
    fitting = time.perf_counter()
    lineage = _lineage(settings, run)
    run.tags({k: str(v) for k, v in lineage.items()})
    with progress.bar(f"Training {data.name}", len(fridges)) as advance:
        for fridge in fridges:
            fitted, drift = fit_fridge(background, *members.enrolment(fridge), seed=settings.seed)
            if settings.mode == "RUN":
                made = write(data.bundles / fridge, fridge, fitted, members.seen, lineage, drift)
                run.artifact(made / bundle.MANIFEST, f"bundles/{fridge}")
            advance()
    ended = time.perf_counter()
    run.metrics(
        {
            "fridges": len(fridges),
            "seconds.validate": prepared - began,
            "seconds.prepare": fitting - prepared,
            "seconds.per_fridge": (ended - fitting) / len(fridges),
        }
    )
    log.info(
        "%s: %d fridges of family %s in %.1f s; Cllr on held-out cohort people: %s",
        data.name,
        len(fridges),
        settings.discriminator.family,
        ended - prepared,
        "not measured" if objective is None else f"{objective:.4f} bits",
    )
    return objective


def fit_fridge(
    background: Background,
    enrolment: EmbeddingTable,
    people: list[str],
    *,
    seed: int,
    sessions: list[str] | None = None,
) -> tuple[Fitted, dict[str, Any]]:
    """One fridge, and the distributions that its drift will be measured against.

    Without `sessions` all captures of a person count as one visit: few, rather than too many,
    independent witnesses.
    """
    visits = [f"{p}/{s}" for p, s in zip(people, sessions or [""] * len(people), strict=True)]
    fitted = fit_members(background, enrolment, people, seed=seed)
    last = _last_of_each(people)
    kept = np.setdiff1d(np.arange(len(people)), last).astype(np.intp)
    held_out = fitted.discriminator
    if len(last):
        # Once more without one capture of each member: scores of known captures say nothing.
        held_out = fit_members(
            background, enrolment.take(kept), [people[i] for i in kept], seed=seed
        ).discriminator
    strangers = background.roles.strangers.table
    return fitted, reference(
        fitted.discriminator,
        held_out,
        enrolment.take(last),
        [people[i] for i in last],
        strangers,
        enrolment,
        visits,
    )


def write(
    folder: Path,
    fridge: str,
    fitted: Fitted,
    seen: Features,
    lineage: dict[str, Any],
    drift: dict[str, Any],
) -> Path:
    """Write the fridge's bundle; the one that it replaces goes once the new one stands."""
    made = bundle.write(
        folder,
        fridge=fridge,
        discriminator=fitted.discriminator,
        policy=fitted.policy,
        characterizer_digest=seen.characterizer_digest,
        population=seen.population,
        lineage=lineage,
        reference=drift,
    )
    for other in folder.iterdir():
        if other != made:
            shutil.rmtree(other)
    return made


def inputs(root: Path, table: Path) -> Inputs:
    """A dataset and its features; DataError where these are of another state of it."""
    rows = manifest.read(root)
    leaks.check(rows)
    seen = feature_table.read(table)
    if seen.table.captures != tuple(r.capture for r in rows):
        raise DataError(
            f"The features in {table} are not of the captures that {root} has now.",
            next_step=f"Embed them: `python -m visavox.training.features data={root.name}`.",
        )
    return Inputs(rows, seen)


def _check_same_eyes(members: Features, cohort: Features) -> None:
    if members.characterizer_digest != cohort.characterizer_digest:
        raise DataError(
            f"The members were embedded with {members.characterizer!r}"
            f" ({members.characterizer_digest[:12]}…), the cohort with {cohort.characterizer!r}"
            f" ({cohort.characterizer_digest[:12]}…).",
            next_step="Embed both with the same Characterizer.",
        )


def _chosen(data: Manifest, wanted: Iterable[str]) -> tuple[str, ...]:
    known = tuple(sorted({r.fridge for r in data.of(split="enrol")}))
    chosen = tuple(wanted) or known
    if unknown := sorted(set(chosen) - set(known)):
        raise DataError(
            f"{data.root} has no members of {', '.join(unknown)}.",
            next_step=f"Its fridges are {', '.join(known)}.",
        )
    if not chosen:
        raise DataError(
            f"{data.root} has no fridge with members.", next_step="Enrol somebody: split 'enrol'."
        )
    return chosen


def _last_of_each(people: list[str]) -> NDArray[np.intp]:
    """One row of each person who has several."""
    last = {person: i for i, person in enumerate(people)}
    return np.array([i for p, i in last.items() if people.count(p) > 1], np.intp)


def _lineage(settings: TrainSettings, run: Run) -> dict[str, Any]:
    """All that is needed to make this bundle again."""
    code, data = provenance.commit(), settings.data
    config = asdict(replace(settings, fridges=(), mode="RUN"))
    return {
        "visavox": __version__,
        "commit": code.sha,
        "dirty": code.dirty,
        "dataset": data.name,
        "data_sha256": provenance.data_hash(data.root),
        "data_dvc": provenance.dvc_hash(data.root),
        "cohort": data.cohort,
        "cohort_sha256": provenance.data_hash(data.cohort_root),
        "cohort_dvc": provenance.dvc_hash(data.cohort_root),
        "config_sha256": provenance.digest(config),
        "seed": settings.seed,
        "run": run.id,
    }


if __name__ == "__main__":
    train.main()
