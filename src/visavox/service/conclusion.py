"""From a verdict to an answer, in one transaction, whatever was asked by: face and voice, or PIN.

    lock? → too late? → still a member? → may open anything? → count → record → audit → ticket

What was decided before the transaction is only a proposal: while it was computed, the kiosk may
have been locked, the challenge used, the member erased.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from visavox.errors import NotFound
from visavox.monitoring import features
from visavox.service import attempts, challenges, labels
from visavox.service.answer import Answer, code_of, verdicts_of
from visavox.service.attempts import Lock, fridge_scope, kiosk_scope, pin_scope
from visavox.service.duel import Duel, still
from visavox.service.house import Actor, House
from visavox.store import Unit
from visavox.store.figures import is_failure
from visavox.store.records import (
    Attempts,
    Compartment,
    DecisionOutcome,
    DecisionRecord,
    Member,
    Method,
)
from visavox.types import Candidate, Embeddings, Rejected


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a way in proposes."""

    method: Method
    fridge: str
    outcome: DecisionOutcome
    member: str | None
    reasons: tuple[str, ...]
    next_step: str
    candidates: tuple[Candidate, ...] = ()
    threshold: float | None = None
    rejected: tuple[Rejected, ...] = ()
    provisional: bool = False
    characterizer: str | None = None
    bundle: str | None = None
    base: str | None = None
    challenge: str | None = None
    probe: Embeddings | None = None
    pin_hash: str | None = None  # what the PIN was compared with
    tried: Member | None = None  # whose PIN that was, right or wrong
    since: datetime | None = None  # when the member joined who was recognised
    judged: Mapping[str, Any] | None = None  # what judged, besides the digests
    duel: Duel | None = None  # what both models of a trial said


LOCKED_STEP = "Too many failed attempts. Wait, then try again."
CAPPED_STEP = "Too many failed attempts. Ask the fridge's admin to unlock it."
_STEPS = {
    "too_slow": "That took too long. Please try again.",
    "member_removed": "You were not recognised. If you are a member, ask the admin to enrol you.",
    "no_compartment": "You were recognised, but nothing here is yours to open: ask the admin.",
    "wrong_pin": "The number or the PIN is wrong.",
}


def locked(method: Method, fridge: str, lock: Lock) -> Verdict:
    """Nothing was looked at."""
    step = CAPPED_STEP if lock.capped else LOCKED_STEP
    reasons = ("locked_until_lifted",) if lock.capped else ("locked",)
    return Verdict(method, fridge, DecisionOutcome.LOCKED, None, reasons, step)


def standing_lock(unit: Unit, who: Actor, fridge: str, at: datetime) -> Lock:
    """Whether this kiosk may ask this fridge anything now."""
    scopes = kiosk_scope(who.key_id), fridge_scope(fridge)
    return attempts.strictest([attempts.lock_of(unit.attempts.get(s), at) for s in scopes])


def conclude(house: House, who: Actor, verdict: Verdict, *, arrived: datetime) -> Answer:
    """Count, record and answer. A ticket leaves here only once all of it is kept."""
    with house.store.begin() as unit:
        if verdict.challenge is not None and not unit.challenges.consume(
            verdict.challenge, at=arrived
        ):
            raise challenges.refused()
        verdict, member, compartments = _confirmed(unit, verdict)
        verdict = still(unit, verdict)
        counted = unit.attempts.claim(*_scopes(who, verdict))
        at = house.clock()  # after waiting for whoever held these
        lock = attempts.strictest([attempts.lock_of(c, at) for c in counted])
        if lock.locked:
            shut = locked(verdict.method, verdict.fridge, lock)
            verdict = replace(shut, challenge=verdict.challenge)
            compartments = ()
        elif granted_late(verdict, at - arrived, house):
            verdict = _instead(verdict, DecisionOutcome.RETRY, "too_slow")
            compartments = ()
        if not lock.locked:
            lock = _count(unit, house, who, verdict, counted, at)
        granted = verdict.outcome is DecisionOutcome.GRANTED
        expires_at = at + timedelta(seconds=house.settings.ticket_life) if granted else None
        record = unit.decisions.add(
            _record(who, verdict, at, compartments, expires_at), probe=verdict.probe
        )
        if verdict.duel is not None:
            unit.trials.add(verdict.duel.of(record))
        if granted and member is not None and record.method is Method.PIN:
            labels.vouched(unit, record, member, within=house.settings.confirm_within)
        who.note(
            unit,
            at,
            "decision",
            f"{record.fridge}/{record.id}",
            outcome=record.outcome.value,
            method=record.method.value,
            member=record.member,
            bundle=record.bundle,
            base=record.base,
        )
    ticket = None
    if granted and expires_at is not None:
        ticket = house.signer.issue(
            fridge=record.fridge,
            compartments=record.compartments,
            decision=record.id,
            at=at,
            expires_at=expires_at,
            member=record.member,
        )
    return Answer(
        decision=record,
        member=member if granted else None,
        compartments=compartments,
        next_step_code=code_of(record),
        verdicts=verdicts_of(record),
        ticket=ticket,
        retry_after=lock.retry_after if record.outcome is DecisionOutcome.LOCKED else None,
        measured={} if verdict.probe is None else features.measured(verdict.probe),
    )


def _scopes(who: Actor, verdict: Verdict) -> list[str]:
    """Whose failures count: the kiosk's, the fridge's, and those at the PIN that was tried."""
    scopes = [kiosk_scope(who.key_id), fridge_scope(verdict.fridge)]
    if (owner := verdict.tried) is not None:
        scopes.append(pin_scope(owner.fridge, owner.id, owner.created_at))
    return scopes


def granted_late(verdict: Verdict, took: timedelta, house: House) -> bool:
    """Whether the person it would open to may have left already. A refusal stays one."""
    late = took.total_seconds() > house.settings.stale_after
    return late and verdict.outcome is DecisionOutcome.GRANTED


def _confirmed(
    unit: Unit, verdict: Verdict
) -> tuple[Verdict, Member | None, tuple[Compartment, ...]]:
    """Whether whom it grants is a member still, with that PIN still, and may open anything."""
    if verdict.outcome is not DecisionOutcome.GRANTED or verdict.member is None:
        return verdict, None, ()
    try:
        member = unit.members.get(verdict.fridge, verdict.member, lock=True)
    except NotFound:
        member = None
    # An id can be given again: whoever has it now need not be who was recognised.
    if member is None or verdict.since not in {None, member.created_at}:
        gone = _instead(verdict, DecisionOutcome.REFUSED, "member_removed")
        # Not even the probe: under the fridge's key it would outlive whom it is of.
        return replace(gone, member=None, probe=None), None, ()
    if verdict.pin_hash is not None:
        kept = unit.members.pin_hash(verdict.fridge, verdict.member)
        if kept != verdict.pin_hash:
            changed = _instead(verdict, DecisionOutcome.REFUSED, "wrong_pin")
            return replace(changed, member=None), None, ()
    compartments = unit.grants.compartments(verdict.fridge, verdict.member)
    if not compartments:
        return _instead(verdict, DecisionOutcome.REFUSED, "no_compartment"), member, ()
    return verdict, member, compartments


def _instead(verdict: Verdict, outcome: DecisionOutcome, reason: str) -> Verdict:
    return replace(verdict, outcome=outcome, reasons=(reason,), next_step=_STEPS[reason])


def _count(
    unit: Unit,
    house: House,
    who: Actor,
    verdict: Verdict,
    counted: tuple[Attempts, ...],
    at: datetime,
) -> Lock:
    """Failures add up, a success forgets them, anything else leaves them as they are."""
    known = verdict.outcome is DecisionOutcome.GRANTED or "no_compartment" in verdict.reasons
    if known:
        if remembered := [c.scope for c in counted if c != Attempts(c.scope)]:
            unit.attempts.clear(*remembered)
        return attempts.lock_of(Attempts(""), at)
    if is_failure(verdict.outcome, verdict.reasons):
        counted = tuple(attempts.failed(c, at, house.settings) for c in counted)
        for now in counted:
            unit.attempts.put(now)
            lock = attempts.lock_of(now, at)
            if lock.locked:
                unit.events.add(
                    at=at,
                    fridge=verdict.fridge,
                    kiosk=who.key_id,
                    kind="capped" if lock.capped else "locked",
                    detail={
                        "scope": now.scope,
                        "member": None if verdict.tried is None else verdict.tried.id,
                        "failures": now.consecutive,
                        "seconds": lock.retry_after,
                    },
                )
    return attempts.strictest([attempts.lock_of(c, at) for c in counted])


def _record(
    who: Actor,
    verdict: Verdict,
    at: datetime,
    compartments: tuple[Compartment, ...],
    expires_at: datetime | None,
) -> DecisionRecord:
    return DecisionRecord(
        id="",  # the store makes it
        fridge=verdict.fridge,
        kiosk=who.key_id,
        at=at,
        method=verdict.method,
        outcome=verdict.outcome,
        member=verdict.member,
        compartments=tuple(c.id for c in compartments),
        reasons=verdict.reasons,
        next_step=verdict.next_step,
        candidates=verdict.candidates,
        threshold=verdict.threshold,
        rejected=verdict.rejected,
        provisional=verdict.provisional,
        characterizer=verdict.characterizer,
        bundle=verdict.bundle,
        base=verdict.base,
        challenge=verdict.challenge,
        request_id=who.request_id,
        expires_at=expires_at,
        judged=verdict.judged,
    )
