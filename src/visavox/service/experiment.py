"""The trial of a challenger beside the champion: how it stands, and what follows from it.

`rollout` begins and ends it; here it is looked at, changed and concluded.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from visavox.errors import BundleError, Conflict, NotFound
from visavox.service import rollout, values
from visavox.service.comparison import Compared, Comparison, compare
from visavox.service.experiment_policy import ExperimentPolicy, Outcome, Ruling, rule
from visavox.service.house import Actor, House
from visavox.service.live import Live
from visavox.service.standing import Challenge, Mode, Standing
from visavox.store import Unit
from visavox.store.fridges import stale
from visavox.store.records import Page, Role


@dataclass(frozen=True, slots=True)
class Experiment:
    """How a challenger stands."""

    fridge: str
    champion: str
    challenge: Challenge
    at: datetime
    comparison: Comparison
    ruling: Ruling
    policy: ExperimentPolicy

    @property
    def version(self) -> int:
        """Another one whenever the models or the way of their trial are."""
        return _version(self.champion, self.challenge)


class Wish(StrEnum):
    """How an experiment is to end."""

    PROMOTE = "promote"
    REJECT = "reject"
    AUTO = "auto"
    """As the policy says; it may be that it goes on."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """What became of a challenger."""

    fridge: str
    challenger: str
    verdict: Outcome
    reasons: tuple[str, ...]
    live: Live
    """What decides now."""


def read(house: House, who: Actor, fridge: str) -> Experiment:
    """How it stands; NotFound while nothing is tried there."""
    who.need(Role.ADMIN, Role.AUDITOR)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)  # before its id names a folder
        return _experiment(house, unit, fridge, _standing(house, fridge))


def disagreements(
    house: House, who: Actor, fridge: str, *, limit: int = 50, cursor: str | None = None
) -> Page[Compared]:
    """Requests in which the two would not let in the same, newest first, with their labels."""
    who.need(Role.ADMIN, Role.AUDITOR)
    who.reach(fridge)
    with house.store.read() as unit:
        unit.fridges.get(fridge)
        _, champion, challenge = _standing(house, fridge)
        return unit.trials.disagreements(
            fridge,
            champion,
            challenge.digest,
            since=challenge.since,
            cursor=cursor,
            limit=limit,
        )


def change(
    house: House,
    who: Actor,
    fridge: str,
    *,
    mode: Mode,
    share: float = 0.0,
    expected_version: int | None = None,
) -> Experiment:
    """Try the challenger another way; what was compared already counts on.

    Conflict where there is no challenger.
    """
    who.need(Role.ADMIN)
    who.reach(fridge)
    if not (0.0 < share <= 1.0 if mode is Mode.SPLIT else share == 0.0):
        values.refuse(
            "share",
            f"In the mode {mode.value} the challenger cannot decide that share.",
            "Give a share above 0 and up to 1 for split; leave it out for shadow.",
        )
    at = house.clock()
    with house.store.begin() as unit:
        unit.fridges.lock(fridge)
        try:
            before, champion, challenge = _standing(house, fridge)
        except NotFound as error:
            raise Conflict(error.problem, next_step=error.next_step) from None
        if expected_version not in {None, _version(champion, challenge)}:
            raise stale(f"The experiment at {fridge!r}")
        wanted = replace(challenge, mode=mode, share=share)
        found = _experiment(house, unit, fridge, (before, champion, wanted))
        if wanted != challenge:
            detail = {"bundle": wanted.digest, "mode": mode.value, "share": share}
            unit.events.add(at=at, fridge=fridge, kind="experiment_changed", detail=detail)
            who.note(unit, at, "experiment.change", fridge, **detail)
            house.models.slot(fridge).change(unit, before.challenged(wanted))
    return found


def conclude(
    house: House,
    who: Actor,
    fridge: str,
    wish: Wish,
    *,
    expected_version: int | None = None,
) -> Concluded:
    """Promote or reject the challenger, whatever was compared; or as the policy says.

    Conflict where there is no challenger, or where it is another one by the time.
    """
    who.need(Role.ADMIN)
    try:
        found = read(house, who, fridge)
    except NotFound as error:
        with house.store.read() as unit:
            unit.fridges.get(fridge)
        raise Conflict(error.problem, next_step=error.next_step) from None
    if expected_version not in {None, found.version}:
        raise stale(f"The experiment at {fridge!r}")
    verdict, reasons = found.ruling.verdict, found.ruling.reasons
    if wish is not Wish.AUTO:
        verdict = Outcome(wish.value)
        reasons = ("An admin decided so.", f"The policy said: {found.ruling.verdict.value}.")
    digest = found.challenge.digest
    if verdict is Outcome.PROMOTE:
        live = rollout.promote_challenger(house, who, fridge, digest=digest)
    elif verdict is Outcome.REJECT:
        live = rollout.withdraw_challenger(house, who, fridge, digest=digest, why=" ".join(reasons))
    else:
        with house.store.read() as unit:
            live = house.models.describe(unit, unit.fridges.get(fridge))
    if verdict is not Outcome.EXTEND:
        _told(house, who, found, verdict, reasons)
    return Concluded(fridge, digest, verdict, reasons, live)


def settle(house: House, fridge: str) -> Outcome | None:
    """Apply the policy, as the worker does now and then; None where nothing is tried.

    Where somebody else is quicker, what they did stands.
    """
    policy = Actor("policy", Role.ADMIN, None, "", "policy")
    try:
        return conclude(house, policy, fridge, Wish.AUTO).verdict
    except (Conflict, NotFound):
        return None


def _told(
    house: House, who: Actor, found: Experiment, verdict: Outcome, reasons: tuple[str, ...]
) -> None:
    """What it was concluded on; an erasure takes rows away, and the counts say what they were."""
    at, compared = house.clock(), found.comparison
    with house.store.begin() as unit:
        detail = {
            "verdict": verdict.value,
            "reasons": list(reasons),
            "champion": found.champion,
            "challenger": found.challenge.digest,
            "trials": compared.trials,
            "labelled": compared.labelled,
            "disagreements": len(compared.disagreements),
        }
        unit.events.add(at=at, fridge=found.fridge, kind="experiment_concluded", detail=detail)
        who.note(unit, at, "experiment.conclude", found.fridge, **detail)


def _standing(house: House, fridge: str) -> tuple[Standing, str, Challenge]:
    """What stands, the champion and the challenge; NotFound without one."""
    try:
        standing = house.models.slot(fridge).standing()
    except BundleError:
        standing = None
    if standing is None or standing.challenger is None:
        raise NotFound(
            f"No challenger is tried at {fridge!r}.",
            next_step="Let a retraining make one, which is deployed as a challenger.",
        )
    return standing, standing.champion, standing.challenger


def _experiment(
    house: House, unit: Unit, fridge: str, now: tuple[Standing, str, Challenge]
) -> Experiment:
    _, champion, challenge = now
    rows = unit.trials.of(fridge, champion, challenge.digest, since=challenge.since)
    found, at = compare(rows), house.clock()
    policy = house.settings.experiment
    ruling = rule(policy, found, at - challenge.since)
    return Experiment(fridge, champion, challenge, at, found, ruling, policy)


def _version(champion: str, challenge: Challenge) -> int:
    said = "|".join([champion, *map(str, challenge.to_json().values())])
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big") % 10**9
