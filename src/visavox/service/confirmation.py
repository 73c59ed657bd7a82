"""A probe becomes a capture only where somebody confirms whose it is: never by itself.

    a decision with its probe → vouched for? → like the enrolment? → capture, retraining

Who may vouch: an admin; or the member's own PIN, typed at the same kiosk within a minute after the
probe was not enough, and then only for that member.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from visavox.errors import Conflict, Finding, Forbidden, NotFound, Refused, Unavailable
from visavox.service import adaptation, labels, values
from visavox.service.adaptation import Known
from visavox.service.house import Actor, House
from visavox.store import Unit
from visavox.store.records import (
    CaptureRecord,
    DecisionOutcome,
    DecisionRecord,
    Fridge,
    Label,
    Member,
    Method,
    Role,
)
from visavox.table import EmbeddingTable

CONFIRMED = "confirmed"
"""The source of captures that were probes once."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be made of a decision's probe."""

    decision: str
    member: str | None
    """Whose capture it would be; None: an admin must say."""
    by: str | None
    """Who vouches: `admin` or `pin`; None while nobody does."""
    capture: str | None
    """What it was made already."""
    objections: tuple[Finding, ...]
    """Why it may not be, whoever vouches."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A capture that was a probe."""

    capture: CaptureRecord
    decision: str
    member: Member
    by: str


def offer(house: House, who: Actor, decision: str, *, member: str | None = None) -> Offer:
    """Whether the probe may become a capture, of whom, and what speaks against it."""
    with house.store.read() as unit:
        record = _asked(unit, who, decision)
        whose, by = _vouched(house, unit, who, record, member)
        if whose is None:
            return Offer(decision, None, by, None, ())
        made = _made_of(unit, record, whose)
        if made is not None:
            return Offer(decision, whose, by, made.id, ())
        fridge = unit.fridges.get(record.fridge)
        return Offer(decision, whose, by, None, tuple(_against(house, unit, fridge, record, whose)))


def confirm(house: House, who: Actor, decision: str, *, member: str | None = None) -> Confirmed:
    """Make the probe a capture of the member, and have the fridge retrained.

    Forbidden where nobody vouches for it; Conflict where it is one already; Refused, with what
    speaks against it, where it is too unlike the enrolment or too much was confirmed already.
    """
    with house.store.read() as unit:
        fridge = _asked(unit, who, decision).fridge
    with house.store.begin() as unit:
        now = unit.fridges.lock(fridge)
        record = _asked(unit, who, decision)
        whose, by = _vouched(house, unit, who, record, member)
        if by is None:
            raise Forbidden(
                "Nobody has vouched for this probe.",
                next_step="Ask an admin, or type the member's number and PIN at the same kiosk"
                f" within {house.settings.confirm_within:.0f} seconds.",
            )
        if whose is None:
            values.refuse("member", "It is not said whose probe it was.", "Name the member.")
        if _made_of(unit, record, whose) is not None:
            raise Conflict(
                "This probe is a capture already.", next_step="Nothing: it is learned from."
            )
        if against := _against(house, unit, now, record, whose):
            raise Refused(
                "The probe cannot become a capture. Nothing was kept.",
                next_step=against[0].next_step,
                findings=against,
            )
        at = house.clock()
        capture = unit.captures.add(
            fridge,
            whose,
            embeddings=unit.decisions.probe(decision),
            raw={},  # of a probe nothing raw is ever kept
            at=at,
            characterizer=record.characterizer,
            source=CONFIRMED,
            id=_named(decision),
        )
        unit.decisions.reseal(decision, whose)
        kept = unit.members.update(unit.members.get(fridge, whose))
        # A PIN says who it was where nobody has said so; an admin's word stands.
        say = unit.labels.put if by == labels.ADMIN else unit.labels.suggest
        say(Label(decision, fridge, whose, by, who.key_id, at))
        unit.retraining.request(fridge, reason="capture_confirmed", at=at)
        detail = {"member": whose, "decision": decision, "by": by}
        unit.events.add(
            at=at, fridge=fridge, kiosk=record.kiosk, kind="capture_confirmed", detail=detail
        )
        who.note(unit, at, "capture.confirm", f"{fridge}/{whose}", decision=decision, by=by)
    return Confirmed(capture, decision, kept, by)


def _asked(unit: Unit, who: Actor, decision: str) -> DecisionRecord:
    who.need(Role.ADMIN, Role.KIOSK)
    record = unit.decisions.get(decision)
    who.reach(record.fridge)
    if who.role is Role.KIOSK and record.kiosk != who.key_id:
        raise Forbidden(
            "This was asked at another kiosk.", next_step="Confirm it there, or ask an admin."
        )
    if record.method is not Method.BIOMETRIC:
        raise Conflict(
            "This was decided without face and voice.", next_step="Name another decision."
        )
    return record


def _vouched(
    house: House, unit: Unit, who: Actor, record: DecisionRecord, member: str | None
) -> tuple[str | None, str | None]:
    """For whom, and by what."""
    if who.role is Role.ADMIN:
        return member or record.member, labels.ADMIN
    typed = _typed(unit, record, house.clock(), timedelta(seconds=house.settings.confirm_within))
    if typed is None or member not in {None, typed}:
        return member, None
    return typed, labels.PIN


def _typed(unit: Unit, record: DecisionRecord, now: datetime, within: timedelta) -> str | None:
    """Whose PIN was typed at that kiosk right after; None where there is none, or several's."""
    if now > record.at + 2 * within:
        return None  # nobody stands there any more
    found = unit.decisions.page(
        fridges=(record.fridge,),
        kiosk=record.kiosk,
        method=Method.PIN,
        outcome=DecisionOutcome.GRANTED,
        since=record.at,
        until=record.at + within,
    )
    members = {d.member for d in found.items}
    return members.pop() if len(members) == 1 else None


def _made_of(unit: Unit, record: DecisionRecord, member: str) -> CaptureRecord | None:
    try:
        return unit.captures.get(record.fridge, member, _named(record.id))
    except NotFound:
        return None


def _named(decision: str) -> str:
    """One capture per decision: the same name, so that nothing counts twice."""
    return f"cap_{decision.removeprefix('dec_')}"


def _against(
    house: House, unit: Unit, fridge: Fridge, record: DecisionRecord, member: str
) -> list[Finding]:
    """All that speaks against it, with the nets and the base of now."""
    one = unit.members.get(fridge.id, member)
    if one.created_at > record.at:
        raise Conflict(
            "The member joined after this was decided.", next_step="Name who stood there then."
        )
    nets = house.models.characterizer.digest
    if record.characterizer != nets:
        raise Conflict(
            "The probe was seen by other nets than those in use.",
            next_step="Confirm one that was seen by these.",
        )
    base = house.models.base()
    if base is None:
        raise Unavailable(
            "No base is installed that could compare them.",
            next_step="Install one: `python -m api model base <bundle>`.",
        )
    captures = unit.captures.of_fridge(fridge.id)
    mine = captures.get(member, ())
    confirmed = sum(c.source == CONFIRMED for c in mine)
    probe = house.models.table([record.id], [unit.decisions.probe(record.id)])
    found = adaptation.objections(
        base,
        fridge.risk,
        _enrolment(house, captures),
        member,
        probe,
        Known(enrolled=len(mine) - confirmed, confirmed=confirmed),
        share=house.settings.confirmed_share,
    )
    if len(mine) >= house.settings.captures_of_a_member:
        found.append(
            Finding(
                "too_many_captures",
                f"The member has {len(mine)} captures, which are enough for anybody.",
                "Delete the member and enrol them again, if they have changed.",
            )
        )
    return found


def _enrolment(
    house: House, captures: Mapping[str, tuple[CaptureRecord, ...]]
) -> dict[str, EmbeddingTable]:
    """What everybody was enrolled with, as the nets of now see it."""
    tables = {}
    for member, own in captures.items():
        first = [c for c in own if c.source != CONFIRMED and house.models.sees(c)]
        if first:
            tables[member] = house.models.table(
                [c.id for c in first], [c.embeddings for c in first]
            )
    return tables
