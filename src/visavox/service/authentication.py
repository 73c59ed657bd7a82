"""Face and voice as the way in."""

from dataclasses import replace
from datetime import datetime

from visavox import pipeline
from visavox.service import challenges, duel
from visavox.service.answer import Answer, Sample
from visavox.service.conclusion import Verdict, conclude, locked, standing_lock
from visavox.service.house import Actor, House
from visavox.service.snapshot import Snapshot
from visavox.store.records import DecisionOutcome, Method, Role
from visavox.types import Decision, Embeddings, Reason


def authenticate(
    house: House,
    who: Actor,
    *,
    fridge: str,
    sample: Sample,
    challenge: str | None = None,
    arrived: datetime | None = None,
) -> Answer:
    """Who is at the kiosk, and what opens to them.

    CaptureError where the bytes are unusable; ChallengeRefused where the challenge is. `arrived`
    is when the request came in: an answer that took too long opens nothing.
    """
    who.need(Role.KIOSK)
    who.reach(fridge)
    arrived = arrived or house.clock()
    with house.store.read() as unit:
        found = unit.fridges.get(fridge)
        lock = standing_lock(unit, who, fridge, house.clock())
        if challenge is not None:
            challenges.check(unit, who, challenge, fridge, arrived)
        if not lock.locked:
            snapshot = house.models.snapshot(unit, found)
    if lock.locked:
        return conclude(house, who, locked(Method.BIOMETRIC, fridge, lock), arrived=arrived)
    _ = snapshot.policy  # that nothing is installed is said before the nets are put to work
    capture = house.perception.take(images=sample.images, audio=sample.audio, clip=sample.clip)
    seen = house.perception.perceive(capture)
    judged = duel.fought(
        snapshot, lambda models: judge(house, models, seen), kiosk=who.key_id, at=arrived
    )
    verdict = replace(judged, challenge=challenge)
    return conclude(house, who, verdict, arrived=arrived)


def judge(house: House, snapshot: Snapshot, seen: Embeddings) -> Verdict:
    """What the fridge's models say of a probe; nothing is kept."""
    decided = one_person(pipeline.decide(house.perception, snapshot, seen))
    asked = decided.member or (decided.candidates[0].member if decided.candidates else None)
    return Verdict(
        method=Method.BIOMETRIC,
        fridge=snapshot.fridge,
        outcome=DecisionOutcome(decided.outcome.value),
        member=decided.member,
        since=None if decided.member is None else snapshot.members[decided.member],
        reasons=decided.reasons,
        next_step=decided.next_step,
        candidates=decided.candidates,
        threshold=decided.threshold,
        rejected=decided.rejected,
        provisional=asked in snapshot.provisional,
        characterizer=house.models.characterizer.digest,
        bundle=None if snapshot.bundle is None else snapshot.bundle.digest,
        base=None if snapshot.base is None else snapshot.base.digest,
        probe=seen,
        judged=snapshot.composition.to_json(),
    )


def one_person(decided: Decision) -> Decision:
    """A decision belongs to one person in frame, so a voice alone must not open for a group."""
    group = [r for r in decided.rejected if r.reason is Reason.SEVERAL_FACES]
    if not group or decided.member is None:
        return decided
    return Decision(
        outcome=type(decided.outcome).RETRY,
        member=None,
        reasons=(Reason.SEVERAL_FACES.value,),
        next_step=group[0].next_step,
        candidates=decided.candidates,
        threshold=decided.threshold,
        rejected=decided.rejected,
    )
