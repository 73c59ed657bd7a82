"""One family for one fridge: fit the bundle that would serve, prove its recipe, seal what came of it.

    ground, enrolled → train → Candidate → keep → <run>/<fridge>/<family>/
        parcel.sealed         the bundle, whole
        canaries.sealed       captures, with the scores that it must give them
        trials.safetensors    the searches of the proof: ids and scores
        figures.json          what they come to, and all that is known of the candidate
        champion/             trials and figures of the champion's recipe, where this is its family

What is sealed lies under the key of the fridge's models, which is another one after an erasure.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from visavox import __version__, bundle
from visavox.decision import Policy
from visavox.errors import DataError, Stale
from visavox.service.parcel import Parcel
from visavox.service.shelf import replace
from visavox.store import Unit
from visavox.training import provenance
from visavox.training import trials as trials_file
from visavox.training.fit import Fitted
from visavox.training.production.backgrounds import Cohort, Ground
from visavox.training.production.fridge_canaries import Canaries, sealed_as
from visavox.training.production.fridge_proof import (
    Champion,
    Enrolled,
    HoldOut,
    Proved,
    fit_rows,
    hold_out,
    joined,
    prove,
    prove_champion,
    some_strangers,
)
from visavox.training.production.settings import Recipe
from visavox.training.reference import reference
from visavox.training.trials import Index

PARCEL = "parcel.sealed"
CANARIES = "canaries.sealed"
FIGURES = "figures.json"
CHAMPION = "champion"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """What one family became for one fridge."""

    fridge: str
    family: str
    risk: str
    policy: Policy
    parcel: Parcel
    proved: Proved
    split: HoldOut
    unsound: tuple[str, ...]
    """Why it cannot serve at all, whatever its figures; none if it can."""
    canaries: Canaries
    lineage: Mapping[str, Any]
    members: tuple[str, ...]
    champion: Proved | None
    """The champion's recipe under the same hold-out, where it is of this family."""


def train(
    ground: Ground,
    enrolled: Enrolled,
    recipe: Recipe,
    lineage: Mapping[str, Any],
    *,
    champion: Champion | None = None,
) -> Candidate:
    """Fit and prove. The same data, recipe, seed and lineage give the same bundle, bit for bit."""
    split = hold_out(enrolled.people, enrolled.sessions)
    everything = np.arange(len(enrolled.people), dtype=np.intp)
    fitted = fit_rows(ground, enrolled, everything)
    held_out = fit_rows(ground, enrolled, split.kept) if split.held.size else fitted
    proved = prove(held_out, ground, enrolled, split.held, recipe.proof)
    files = bundle.contents(
        fridge=enrolled.fridge,
        discriminator=fitted.discriminator,
        policy=fitted.policy,
        characterizer_digest=ground.characterizer,
        population=ground.population,
        lineage=lineage,
        reference=_drift(fitted, held_out, ground, enrolled, split),
    )
    parcel = Parcel(bundle.digest_of(files), files, {})
    served = Parcel.unpack(parcel.digest, parcel.pack()).bundle(ground.characterizer)
    against = None
    if champion is not None and champion.family == ground.family:
        against = prove_champion(champion, ground, enrolled, split, recipe.proof)
    return Candidate(
        fridge=enrolled.fridge,
        family=ground.family,
        risk=enrolled.risk,
        policy=fitted.policy,
        parcel=parcel,
        proved=proved,
        split=split,
        unsound=unsound(fitted, enrolled),
        canaries=_canaries(served, ground, enrolled, split, recipe),
        lineage=lineage,
        members=enrolled.members,
        champion=against,
    )


def lineage(
    enrolled: Enrolled, cohort: Cohort, recipe: Recipe, family: str, **more: Any
) -> dict[str, Any]:
    """All that is needed to make the bundle again; `more` is what only the run knows.

    That is the ledger's commit and tag, data_dvc, as_of, and the ids of the runs.
    """
    code = provenance.commit()
    return {
        "visavox": __version__,
        "commit": code.sha,
        "dirty": code.dirty,
        "cohort": cohort.name,
        "cohort_sha256": cohort.sha256,
        "config_sha256": recipe.digest(family),
        "family": family,
        "seed": recipe.seed,
        "characterizer": cohort.characterizer,
        "members": len(enrolled.members),
        "captures": list(enrolled.table.captures),
        **more,
    }


def unsound(fitted: Fitted, enrolled: Enrolled) -> tuple[str, ...]:
    """What no model that serves may be: incomplete, or without finite numbers."""
    wrong = []
    known = set(fitted.discriminator.members)
    if absent := [m for m in enrolled.members if m not in known]:
        wrong.append(f"It does not know {len(absent)} of {len(enrolled.members)} members.")
    if foreign := known - set(enrolled.members):
        wrong.append(f"It knows {len(foreign)} who are no members.")
    _, tensors = fitted.discriminator.to_parts()
    bad = sorted(name for name, array in tensors.items() if not np.isfinite(array).all())
    if bad:
        wrong.append(f"Its weights are not finite: {', '.join(bad)}.")
    for risk, level in fitted.policy.levels.items():
        asked = (level.threshold, level.face_threshold, level.voice_threshold, level.margin)
        if not np.isfinite(asked).all():
            wrong.append(f"What it asks at the risk {risk!r} is not finite.")
    if enrolled.risk not in fitted.policy.levels:
        wrong.append(f"It has no thresholds for the fridge's risk {enrolled.risk!r}.")
    return tuple(wrong)


def keep(candidate: Candidate, unit: Unit, folder: Path, *, as_of: datetime) -> None:
    """Seal it into `folder`, within a transaction that writes.

    Stale where somebody of its members was deleted since `as_of`: nothing of them is written, and
    the deletion has asked for a training of its own.
    """
    unit.fridges.lock(candidate.fridge)
    roster = unit.members.roster(candidate.fridge)
    gone = [m for m in candidate.members if m not in roster or roster[m][0] > as_of]
    if gone:
        raise Stale(
            f"{len(gone)} of the members that {candidate.fridge!r} was trained on were deleted"
            " meanwhile.",
            next_step="Nothing: their deletion has asked for another training.",
        )
    digest = candidate.parcel.digest
    folder.mkdir(parents=True, exist_ok=True)
    sealed = {
        PARCEL: (digest, candidate.parcel.pack()),
        CANARIES: (sealed_as(digest), candidate.canaries.pack()),
    }
    for name, (what, content) in sealed.items():
        replace(folder / name, unit.bundles.seal(candidate.fridge, what, content))
    _write(candidate.proved, folder, about(candidate))
    if candidate.champion is not None:
        _write(candidate.champion, folder / CHAMPION, {})


def about(candidate: Candidate) -> dict[str, Any]:
    """All that is said of a candidate in the clear: ids, digests, counts and scores' figures."""
    split = candidate.split
    return {
        "fridge": candidate.fridge,
        "family": candidate.family,
        "risk": candidate.risk,
        "policy": candidate.policy.to_json(),
        "digest": candidate.parcel.digest,
        "members": list(candidate.members),
        "unproved_members": list(split.unproved),
        "same_session_members": list(split.same_session),
        "unsound": list(candidate.unsound),
        "canaries": list(candidate.canaries.table.captures),
        "lineage": dict(candidate.lineage),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What lies in a candidate's folder, but for what is sealed."""

    about: Mapping[str, Any]
    proved: Proved
    champion: Proved | None

    @property
    def family(self) -> str:
        return str(self.about["family"])

    @property
    def digest(self) -> str:
        return str(self.about["digest"])


def read(folder: Path) -> Kept:
    """A candidate as it was kept; DataError where there is none."""
    said, proved = _read(folder)
    beside = folder / CHAMPION
    return Kept(said, proved, _read(beside)[1] if beside.is_dir() else None)


def open_parcel(unit: Unit, folder: Path) -> Parcel:
    """The candidate's bundle, verified; Sealed where a member was erased since."""
    said, _ = _read(folder)
    packed = unit.bundles.open(said["fridge"], said["digest"], (folder / PARCEL).read_bytes())
    return Parcel.unpack(said["digest"], packed)


def open_canaries(unit: Unit, folder: Path) -> Canaries:
    """The candidate's canaries; Sealed where a member was erased since."""
    said, _ = _read(folder)
    sealed = (folder / CANARIES).read_bytes()
    return Canaries.unpack(unit.bundles.open(said["fridge"], sealed_as(said["digest"]), sealed))


def _write(proved: Proved, folder: Path, said: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    trials_file.write(proved.trials, folder / trials_file.NAME)
    text = json.dumps({"candidate": said, "figures": proved.figures}, indent=1, allow_nan=False)
    # Last: a folder with figures is whole.
    replace(folder / FIGURES, (text + "\n").encode())


def _read(folder: Path) -> tuple[dict[str, Any], Proved]:
    try:
        said = json.loads((folder / FIGURES).read_bytes())
        return said["candidate"], Proved(
            trials_file.read(folder / trials_file.NAME), said["figures"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"There is no candidate in {folder.name!r}: {type(error).__name__}.",
            next_step="Train the fridge again.",
        ) from None


def _drift(
    fitted: Fitted, held_out: Fitted, ground: Ground, enrolled: Enrolled, split: HoldOut
) -> dict[str, Any]:
    return reference(
        fitted.discriminator,
        held_out.discriminator,
        enrolled.table.take(split.held),
        [enrolled.people[i] for i in split.held],
        ground.background.roles.strangers.table,
        enrolled.table,
        [f"{p}/{s}" for p, s in zip(enrolled.people, enrolled.sessions, strict=True)],
    )


def _canaries(
    served: bundle.Bundle, ground: Ground, enrolled: Enrolled, split: HoldOut, recipe: Recipe
) -> Canaries:
    rows = split.held if split.held.size else np.arange(len(enrolled.people), dtype=np.intp)
    members = _one_each(enrolled, rows)
    strangers = np.array(list(some_strangers(ground.strangers, recipe.canaries.strangers)), np.intp)
    chosen = np.array(members[: recipe.canaries.members], np.intp)
    table = joined(enrolled.table.take(chosen), ground.strangers.table.take(strangers))
    people = [*(enrolled.people[i] for i in chosen), *[""] * len(strangers)]
    return Canaries.of(served, table, people)


def _one_each(enrolled: Enrolled, rows: Index) -> list[int]:
    """The last of these rows of each person, the newest member's first."""
    last = {enrolled.people[i]: int(i) for i in rows}
    order = {member: i for i, member in enumerate(enrolled.members)}
    return sorted(last.values(), key=lambda i: -order[enrolled.people[i]])
