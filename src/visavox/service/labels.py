"""Who really stood at the kiosk: what the rates of a comparison, and of production, are counted on."""

from datetime import datetime, timedelta

from visavox.errors import Conflict, NotFound
from visavox.service import values
from visavox.service.house import Actor, House
from visavox.store import Unit
from visavox.store.records import DecisionOutcome, DecisionRecord, Label, Member, Method, Role

ADMIN, PIN = "admin", "pin"
_BACK = 20
"""Decisions that are looked back on; one kiosk makes fewer in a minute."""


def put(house: House, who: Actor, decision: str, member: str | None) -> Label:
    """Say who it was that was decided about; None: nobody who was a member then.

    It takes the place of what was said before. Conflict where nobody was looked at.
    """
    who.need(Role.ADMIN)
    with house.store.begin() as unit:
        record = unit.decisions.get(decision)
        who.reach(record.fridge)
        if record.method is not Method.BIOMETRIC or record.characterizer is None:
            raise Conflict(
                "Nobody was looked at for this decision: there is nothing to say who it was of.",
                next_step="Label a decision by face and voice.",
            )
        if member is not None and not _was_member(unit, record, member):
            values.refuse(
                "member",
                "Nobody of that id was a member of this fridge then.",
                "Give the id of somebody who was, or null for a stranger.",
            )
        at = house.clock()
        label = Label(decision, record.fridge, member, ADMIN, who.key_id, at)
        unit.labels.put(label)
        who.note(unit, at, "decision.label", f"{record.fridge}/{decision}", member=member)
    return label


def vouched(unit: Unit, record: DecisionRecord, member: Member, *, within: float) -> None:
    """A PIN that was right says whose probe it was that was not enough just before, at the kiosk.

    Only the last one, and none before another grant: that may have been somebody else's.
    """
    probe = _last_probe(unit, record, record.at - timedelta(seconds=within))
    if probe is None or member.created_at > probe.at:
        return
    unit.labels.suggest(Label(probe.id, record.fridge, member.id, PIN, record.kiosk, record.at))


def _last_probe(unit: Unit, record: DecisionRecord, since: datetime) -> DecisionRecord | None:
    before = unit.decisions.page(
        fridges=(record.fridge,), kiosk=record.kiosk, since=since, limit=_BACK
    )
    for earlier in before.items:
        if earlier.id == record.id:
            continue
        if earlier.method is Method.PIN and earlier.outcome is DecisionOutcome.REFUSED:
            continue  # mistyped
        asked_again = earlier.outcome in {DecisionOutcome.REFUSED, DecisionOutcome.RETRY}
        return earlier if earlier.method is Method.BIOMETRIC and asked_again else None
    return None


def _was_member(unit: Unit, record: DecisionRecord, member: str) -> bool:
    try:
        # Locked: somebody who is being erased is not written down once more.
        return unit.members.get(record.fridge, member, lock=True).created_at <= record.at
    except NotFound:
        return False
