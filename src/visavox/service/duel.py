"""One request, answered by both models of a trial; one of the answers is given.

    the champion answers → the challenger answers, or fails → whose turn is it? → a verdict

The challenger can only lose by failing: the champion's answer is there already, and is given.
"""

import hashlib
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from visavox.errors import BundleError, NotFound
from visavox.service.snapshot import Snapshot
from visavox.service.standing import Challenge, Mode
from visavox.store import Unit
from visavox.store.records import DecisionRecord, Trial, TrialAnswer

if TYPE_CHECKING:
    from visavox.service.conclusion import Verdict

log = logging.getLogger(__name__)

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True, slots=True)
class Duel:
    """What both said, until the decision is kept that it belongs to."""

    mode: Mode
    arm: str
    champion: str
    challenger: str
    answers: tuple[TrialAnswer, TrialAnswer]
    members: Mapping[str, datetime]
    """Who is named in the answers, and since when they are members."""

    def of(self, record: DecisionRecord) -> Trial:
        """As it is kept."""
        return Trial(
            decision=record.id,
            fridge=record.fridge,
            at=record.at,
            mode=self.mode.value,
            arm=self.arm,
            champion=self.champion,
            challenger=self.challenger,
            answers=self.answers,
        )


def fought(
    snapshot: Snapshot,
    judge: "Callable[[Snapshot], Verdict]",
    *,
    kiosk: str,
    at: datetime,
) -> "Verdict":
    """The verdict that is given, with what both models said; the champion's alone without a trial.

    A capture without any evidence is no trial: no model has a say in what becomes of it.
    """
    own = judge(snapshot)
    rival, trial = snapshot.challenged, snapshot.trial
    if rival is None or trial is None or len(own.rejected) == 2 or not snapshot.members:
        return own
    other: Verdict | None = None
    try:
        other = _sound(judge(rival), own)
        answer = _answer(other)
    except Exception as error:  # noqa: BLE001 - the door opens as if there were no challenger
        kind = type(error).__name__
        log.warning("the challenger %s… of %r failed: %s", trial.digest[:12], rival.fridge, kind)
        answer = TrialAnswer("error", kind[:64])
    best = own.candidates[0].member if own.candidates else kiosk
    given = other if other is not None and decides(trial, best, at) else own
    named = {v.member for v in (own, other) if v is not None and v.member is not None}
    champion = snapshot.bundle or snapshot.base
    duel = Duel(
        mode=trial.mode,
        arm=CHAMPION if given is own else CHALLENGER,
        champion="none" if champion is None else champion.digest,
        challenger=trial.digest,
        answers=(_answer(own), answer),
        members={member: snapshot.members[member] for member in named},
    )
    return replace(given, duel=duel)


def decides(trial: Challenge, best: str, at: datetime) -> bool:
    """Whether the challenger decides this request.

    The same person, as the champion takes them to be, meets the same model all day: so nobody who
    tries again has two models to be taken for somebody by, and over the days each meets both.
    """
    if trial.mode is not Mode.SPLIT:
        return False
    said = f"{trial.digest}|{best}|{at.date().isoformat()}"
    drawn = int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big")
    return drawn < trial.share * 2.0**64


def still(unit: Unit, verdict: "Verdict") -> "Verdict":
    """Without the duel where it names somebody who has been erased since; they are kept until the
    transaction ends."""
    if verdict.duel is None:
        return verdict
    for member, since in sorted(verdict.duel.members.items()):
        try:
            found = unit.members.get(verdict.fridge, member, lock=True)
        except NotFound:
            return replace(verdict, duel=None)
        if found.created_at != since:
            return replace(verdict, duel=None)
    return verdict


def _answer(verdict: "Verdict") -> TrialAnswer:
    best = next(iter(verdict.candidates), None)
    return TrialAnswer(
        outcome=verdict.outcome.value,
        reason=verdict.reasons[0],
        member=verdict.member,
        llr=None if best is None else best.fused,
        threshold=verdict.threshold,
        judged=verdict.judged,
    )


def _sound(verdict: "Verdict", champions: "Verdict") -> "Verdict":
    """The challenger's verdict, unless it rests on what is no number.

    Whoever scores NaN is left out, as if they had given no such modality; a threshold that is NaN
    lets everybody in. Neither may pass for an answer.
    """
    given = [verdict.threshold, *(c.fused for c in verdict.candidates)]
    finite = all(value is None or math.isfinite(value) for value in given)
    if not finite or (champions.candidates and not verdict.candidates):
        raise BundleError(
            f"The bundle {str(verdict.bundle)[:12]}… gives scores that are no numbers.",
            next_step="Withdraw it, and train the fridge again.",
        )
    return verdict
