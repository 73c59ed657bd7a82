"""Deploy what passed, see that it is served as it was trained, and go back where it is not."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from visavox.errors import Conflict, Sealed, VisavoxError
from visavox.pipeline import Judge
from visavox.service import models, rollout
from visavox.service.house import Actor, House
from visavox.service.rollout import Place
from visavox.service.snapshot import Snapshot
from visavox.service.standing import Mode, Standing
from visavox.table import Scores
from visavox.training.evaluate_searches import embeddings_at
from visavox.training.production import fridge_fit
from visavox.training.production.fridge_canaries import Canaries
from visavox.training.production.settings import Rollout
from visavox.types import Outcome

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """How a candidate that passed comes to serve."""

    place: Place
    mode: Mode = Mode.SHADOW
    share: float = 0.0


class State(StrEnum):
    """What a verification came to."""

    PASSED = "passed"
    FAILED = "failed"
    """It was rolled back."""
    SUPERSEDED = "superseded"
    """Something else took its place meanwhile, or somebody was erased: it is not for us to judge."""


@dataclass(frozen=True, slots=True)
class Verified:
    state: State
    reasons: tuple[str, ...] = ()
    """Free of anything personal."""


def way(policy: Rollout, standing: Standing | None) -> Way:
    """By the recipe's policy; where nothing is live, there is nothing to try it beside."""
    if policy.mode == "promote" or standing is None:
        return Way(Place.CHAMPION)
    mode = Mode(policy.mode)
    return Way(Place.CHALLENGER, mode, policy.share if mode is Mode.SPLIT else 0.0)


def deploy(house: House, who: Actor, folder: Path, policy: Rollout) -> Way:
    """Put the candidate that was kept in `folder` into place; again changes nothing.

    Conflict where what is live was trained on newer data; BundleError where somebody was erased
    since it was trained.
    """
    said = fridge_fit.read(folder)
    fridge, digest = str(said.about["fridge"]), said.digest
    standing = house.models.slot(fridge).now()
    if standing is not None and standing.champion == digest:
        return Way(Place.CHAMPION)
    chosen = way(policy, standing)
    rollout.deploy(
        house,
        who,
        fridge,
        (folder / fridge_fit.PARCEL).read_bytes(),
        digest,
        place=chosen.place,
        mode=chosen.mode,
        share=chosen.share,
    )
    return chosen


def verify(house: House, who: Actor, folder: Path) -> Verified:
    """Ask what is served about the candidate's canaries, the way a kiosk does.

    Every score must be what it was in training, to the last bit, and no stranger may be granted
    whom the candidate refused then. Where that fails, the former champion is back when this
    returns.
    """
    said = fridge_fit.read(folder)
    fridge, digest = str(said.about["fridge"]), said.digest
    with house.store.read() as unit:
        snapshot = house.models.snapshot(unit, unit.fridges.get(fridge))
        standing = house.models.slot(fridge).now()
        problem = house.models.describe(unit, unit.fridges.get(fridge)).problem
        try:
            canaries = fridge_fit.open_canaries(unit, folder)
        except Sealed:
            return Verified(State.SUPERSEDED, ("Somebody was erased since it was trained.",))
    place = _place(standing, digest)
    if place is None:
        return Verified(State.SUPERSEDED, ("Something else has taken its place.",))
    serving = snapshot if place is Place.CHAMPION else snapshot.challenged
    wrong = _wrong(serving, digest, canaries, problem)
    if not wrong:
        return Verified(State.PASSED)
    undo(house, who, fridge, digest, place, wrong)
    return Verified(State.FAILED, wrong)


def undo(
    house: House, who: Actor, fridge: str, digest: str, place: Place, why: Sequence[str]
) -> None:
    """Let what served before serve again: the champion before, or without one the base."""
    told = " ".join(why)[:200]
    log.warning("%s: %s… is taken back: %s", fridge, digest[:12], told)
    try:
        if place is Place.CHALLENGER:
            rollout.withdraw_challenger(house, who, fridge, digest=digest, why=told)
        else:
            _back(house, who, fridge, digest, told)
    except Conflict as error:  # somebody else has changed it meanwhile
        log.warning("%s: it was not taken back: %s", fridge, error.problem)


def _back(house: House, who: Actor, fridge: str, digest: str, why: str) -> None:
    standing = house.models.slot(fridge).now()
    if standing is None or standing.champion != digest:
        return
    if standing.previous is not None:
        try:
            rollout.rollback(house, who, fridge, leave=digest, why=why)
        except Conflict as error:
            log.warning("%s: the former champion does not serve: %s", fridge, error.problem)
        else:
            return
    models.remove(house, who, fridge)


def _place(standing: Standing | None, digest: str) -> Place | None:
    if standing is None:
        return None
    if standing.champion == digest:
        return Place.CHAMPION
    tried = standing.challenger
    return Place.CHALLENGER if tried is not None and tried.digest == digest else None


def _wrong(
    serving: Snapshot | None, digest: str, canaries: Canaries, problem: str | None
) -> tuple[str, ...]:
    """Why what is served is not what was trained; none where it is."""
    found = None if serving is None or serving.bundle is None else serving.bundle.digest
    if serving is None or found != digest:
        instead = "nothing" if found is None else f"{found[:12]}…"
        return (f"{instead} is served instead of {digest[:12]}…: {problem or 'nobody knows why'}",)
    wrong = []
    if differing := canaries.wrong(serving.score):
        wrong.append(f"{len(differing)} of {len(canaries.people)} canaries have other scores.")
    try:
        if granted := _let_in(serving, canaries):
            wrong.append(f"{granted} strangers are granted who were refused in training.")
    except VisavoxError as error:
        wrong.append(f"It gives no decision: {error.problem}")
    return tuple(wrong)


def _let_in(serving: Snapshot, canaries: Canaries) -> int:
    """Strangers who are granted now, and were not by the candidate alone."""
    strangers = [i for i, person in enumerate(canaries.people) if not person]
    return sum(
        _granted(serving, canaries, i, None) and not _granted(serving, canaries, i, canaries.scores)
        for i in strangers
    )


def _granted(judge: Judge, canaries: Canaries, row: int, said: Scores | None) -> bool:
    one = canaries.table.take(np.array([row], np.intp))
    scores = judge.score(one) if said is None else _row(said, row)
    return judge.decide(embeddings_at(canaries.table, row), scores).outcome is Outcome.GRANTED


def _row(scores: Scores, row: int) -> Scores:
    part = slice(row, row + 1)
    return Scores(scores.members, scores.face[part], scores.voice[part], scores.fused[part])
