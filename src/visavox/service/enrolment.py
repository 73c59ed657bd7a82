"""How somebody becomes a member: a few good captures, all of them, or nothing is kept.

    captures → perceive → good enough? → one person? → known already? → keep, in one transaction

Keeping it asks for a retraining, in the same transaction. Until that is live the base bundle
scores the newcomer, so the door opens to them from the next request on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from visavox.errors import AlreadyEnrolled, Conflict, Finding, SeveralPeople
from visavox.service import likeness, pins, values
from visavox.service.answer import Enrolled, Likeness, Sample
from visavox.service.house import Actor, House
from visavox.service.snapshot import Snapshot
from visavox.service.takes import Taken, perceived, table_of
from visavox.store import Unit
from visavox.store.records import Member, Role
from visavox.table import EmbeddingTable
from visavox.types import Modality


def enrol(
    house: House,
    who: Actor,
    fridge: str,
    *,
    name: str,
    consent: bool,
    samples: Sequence[Sample],
    id: str | None = None,  # noqa: A002
    locale: str | None = None,
    pin: str | None = None,
    compartments: Sequence[str] = (),
    accept_warnings: bool = False,
) -> Enrolled:
    """A new member, who may open `compartments` at once.

    Refused with a finding per poor capture; SeveralPeople where they are not of one person;
    AlreadyEnrolled, unless `accept_warnings`, where the kiosk would take the newcomer for a
    member. A likeness in face or voice alone is told in the answer.
    """
    who.need(Role.ADMIN)
    who.reach(fridge)
    if not consent:
        values.refuse(
            "consent",
            "Nobody is enrolled without their consent.",
            "Ask them, and say consent=true.",
        )
    name = values.name(name)
    pin_hash = None if pin is None else pins.hashed(pin)
    if locale is not None:
        values.locale(locale)
    _check_count(house, samples)
    with house.store.read() as unit:  # what is wrong is said before the nets are put to work
        found = unit.fridges.get(fridge)
        for compartment in compartments:
            unit.compartments.get(fridge, compartment)
        before = house.models.snapshot(unit, found)
    taken = perceived(house, samples)
    table = table_of(house, taken)
    _check_one_person(before, table)
    warnings = _known(before, table, accept_warnings=accept_warnings)
    at, by = house.clock(), house.perception.characterizer.digest
    with house.store.begin() as unit:
        now = unit.fridges.lock(fridge)
        if now.revision != before.revision:  # somebody was enrolled meanwhile: the same person?
            current = house.models.snapshot(unit, now)
            warnings = _known(current, table, accept_warnings=accept_warnings)
        made = unit.members.add(
            fridge,
            id,
            name=name,
            locale=locale or now.locale,
            consent_at=at,
            at=at,
            pin_hash=pin_hash,
        )
        for compartment in dict.fromkeys(compartments):
            unit.grants.put(fridge, made.id, compartment, at=at)
        _keep(unit, made, taken, at, by)
        kept = unit.members.get(fridge, made.id)
        _settle(unit, who, kept, len(taken), warnings, at, new=True)
    return _enrolled(house, kept, warnings, len(taken))


def add(
    house: House,
    who: Actor,
    fridge: str,
    member: str,
    samples: Sequence[Sample],
    *,
    accept_warnings: bool = False,
) -> Enrolled:
    """More captures of a member. SeveralPeople, unless `accept_warnings`, where they do not
    look and sound like the member: people change, but an admin should know."""
    who.need(Role.ADMIN)
    who.reach(fridge)
    _check_count(house, samples)
    with house.store.read() as unit:
        found = unit.fridges.get(fridge)
        known = unit.members.get(fridge, member)
        before = house.models.snapshot(unit, found)
    _check_room(house, known, samples)
    taken = perceived(house, samples)
    table = table_of(house, taken)
    _check_one_person(before, table)
    if not accept_warnings and (others := likeness.strangers_to(before, member, table)):
        raise SeveralPeople(
            f"{len(others)} of {len(taken)} captures do not resemble the member.",
            next_step="Take them again, or send accept_warnings=true if it is the same person.",
            findings=others,
        )
    warnings = _known(before, table, accept_warnings=accept_warnings, but=member)
    at, by = house.clock(), house.perception.characterizer.digest
    with house.store.begin() as unit:
        unit.fridges.lock(fridge)
        current = unit.members.get(fridge, member)
        if current.created_at != known.created_at:
            raise _replaced(fridge, member)
        _check_room(house, current, samples)
        _keep(unit, current, taken, at, by)
        # A new version of them, too: what is shown of a member counts their captures.
        kept = unit.members.update(unit.members.get(fridge, member))
        _settle(unit, who, kept, len(taken), warnings, at, new=False)
    return _enrolled(house, kept, warnings, len(taken))


def _check_count(house: House, samples: Sequence[Sample]) -> None:
    most = house.settings.captures
    if not 1 <= len(samples) <= most:
        values.refuse(
            "captures", f"An enrolment is of 1 to {most} captures.", f"Send 1 to {most} captures."
        )


def _check_room(house: House, member: Member, samples: Sequence[Sample]) -> None:
    most = house.settings.captures_of_a_member
    if member.captures + len(samples) > most:
        raise Conflict(
            f"The member has {member.captures} captures; {most} are enough for anybody.",
            next_step="Delete the member and enrol them again, if they have changed.",
        )


def _check_one_person(snapshot: Snapshot, table: EmbeddingTable) -> None:
    if snapshot.base is None:
        return
    if others := likeness.strangers_among(snapshot.base, table):
        raise SeveralPeople(
            "The captures are of several people. Nothing was kept.",
            next_step="Take every capture of the same person, alone.",
            findings=others,
        )


def _known(
    snapshot: Snapshot,
    table: EmbeddingTable,
    *,
    accept_warnings: bool,
    but: str | None = None,
) -> tuple[Likeness, ...]:
    """What an admin should know; AlreadyEnrolled where they should think again."""
    found = likeness.alike(snapshot, table, but=but)
    twice = [w for w in found if w.code == "already_enrolled"]
    if twice and not accept_warnings:
        raise AlreadyEnrolled(
            "The fridge knows this person already, under another name. Nothing was kept.",
            next_step="Add the captures to that member, or send accept_warnings=true.",
            findings=[
                Finding(w.code, w.detail, "See whether they are one person.", member=w.member)
                for w in twice
            ],
        )
    for modality, code in ((Modality.FACE, "voice_only"), (Modality.VOICE, "face_only")):
        if but is None and not table.column(modality).present.any():
            detail = f"No {modality.value} was captured: more is asked of the other alone."
            found.append(Likeness(code, None, detail))
    return tuple(found)


def _keep(unit: Unit, member: Member, taken: Sequence[Taken], at: datetime, by: str) -> None:
    for i, t in enumerate(taken):
        # Ids follow time: a microsecond apart, captures keep the order in which they came.
        moment = at + timedelta(microseconds=i)
        unit.captures.add(
            member.fridge,
            member.id,
            embeddings=t.seen,
            raw=t.sample.parts(),
            at=moment,
            characterizer=by,
        )
    unit.flush()  # before `_settle` takes the audit log, which every decision needs


def _settle(
    unit: Unit,
    who: Actor,
    member: Member,
    captures: int,
    warnings: tuple[Likeness, ...],
    at: datetime,
    *,
    new: bool,
) -> None:
    """What goes with every change of a member: the retraining, the event, the audit record."""
    kind = "member_enrolled" if new else "captures_added"
    unit.retraining.request(member.fridge, reason=kind, at=at)
    detail = {
        "member": member.id,
        "captures": captures,
        "warnings": [{"code": w.code, "member": w.member} for w in warnings],
    }
    unit.events.add(at=at, fridge=member.fridge, kind=kind, detail=detail)
    action = "member.enrol" if new else "member.captures"
    who.note(unit, at, action, f"{member.fridge}/{member.id}", **detail)


def _enrolled(
    house: House, member: Member, warnings: tuple[Likeness, ...], captures: int
) -> Enrolled:
    with house.store.read() as unit:  # also makes the next snapshot, before anybody waits for it
        now = house.models.snapshot(unit, unit.fridges.get(member.fridge))
    provisional = member.id in now.provisional
    return Enrolled(
        member, warnings, captures, provisional, provisional or member.id in now.trained
    )


def _replaced(fridge: str, member: str) -> Conflict:
    return Conflict(
        f"The member {member!r} of {fridge!r} was deleted meanwhile, and the id given again.",
        next_step="Read the member again.",
    )
