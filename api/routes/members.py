"""Members: enrolled from captures, changed, and erased."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response, status

from api.captures import FORM_LIMITS, MultipartOf, Takes
from api.deps import Caller, Home
from api.etags import MADE, TAGGED, IfMatch, tag
from api.problems import may
from api.schemas.fields import ChosenId, FridgeId, Locale, MemberId, Name
from api.schemas.members import (
    PIN,
    Capture,
    Enrolled,
    Erased,
    Erasure,
    Likeness,
    Member,
    MemberChange,
    Pin,
)
from api.schemas.pages import Page, Paging, paged
from visavox.service import enrolment, members, pins
from visavox.service.answer import Enrolled as Taken

router = APIRouter(prefix="/v1/fridges/{fridge}/members", tags=["members"])
_ENROLMENT = MultipartOf(
    "id", "name", "consent", "locale", "pin", "accept_warnings", "compartments"
)
_MORE = MultipartOf("accept_warnings")

AcceptWarnings = Annotated[
    bool, Form(description="Enrol although the fridge seems to know this person already.")
]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(_ENROLMENT)],
    form_limits=FORM_LIMITS,
    responses={**MADE, **may(404, 409)},
)
def enrol(
    house: Home,
    who: Caller,
    fridge: FridgeId,
    takes: Takes,
    name: Annotated[Name, Form()],
    consent: Annotated[bool, Form(description="That the person agreed; must be true.")],
    response: Response,
    id: Annotated[ChosenId | None, Form()] = None,  # noqa: A002
    locale: Annotated[Locale | None, Form(description="The fridge's if left out.")] = None,
    pin: Annotated[str | None, Form(pattern=PIN, max_length=12)] = None,
    accept_warnings: AcceptWarnings = False,
    compartments: Annotated[
        list[ChosenId] | None, Form(description="Compartments that they may open; repeated.")
    ] = None,
) -> Enrolled:
    """Enrol somebody from their captures; they can open the fridge as soon as this answers.

    Captures that are not good enough refuse the enrolment, each with its reason, and nothing of
    them is kept. The n-th `image` goes with the n-th `audio`; each `clip` is a capture by itself.
    """
    taken = enrolment.enrol(
        house,
        who,
        fridge,
        name=name,
        consent=consent,
        samples=takes,
        id=id,
        locale=locale,
        pin=pin,
        compartments=tuple(compartments or ()),
        accept_warnings=accept_warnings,
    )
    response.headers["Location"] = f"/v1/fridges/{fridge}/members/{taken.member.id}"
    return _enrolled(taken, response)


@router.get("", responses=may(404))
def list_all(house: Home, who: Caller, fridge: FridgeId, wanted: Paging) -> Page[Member]:
    """The fridge's members, by id."""
    found = members.page(house, who, fridge, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, Member.model_validate)


@router.get("/{member}", responses={**TAGGED, **may(404)})
def read(
    house: Home, who: Caller, fridge: FridgeId, member: MemberId, response: Response
) -> Member:
    """One member."""
    record = members.read(house, who, fridge, member)
    tag(response, record.version)
    return Member.model_validate(record)


@router.patch("/{member}", responses={**TAGGED, **may(404, 412)})
def change(
    house: Home,
    who: Caller,
    fridge: FridgeId,
    member: MemberId,
    to: MemberChange,
    version: IfMatch,
    response: Response,
) -> Member:
    """Change their name or language."""
    record = members.change(
        house, who, fridge, member, name=to.name, locale=to.locale, expected_version=version
    )
    tag(response, record.version)
    return Member.model_validate(record)


@router.delete("/{member}", responses=may(404, 412))
def erase(house: Home, who: Caller, fridge: FridgeId, member: MemberId, version: IfMatch) -> Erased:
    """Erase them: key, captures, name and PIN.

    Copies of what their key sealed stay closed. A backup of the database from before holds that
    key too, under the master key: `visavox keys rotate --retire` closes those as well.
    """
    gone = members.remove(house, who, fridge, member, expected_version=version)
    return Erased(
        erased=Erasure(
            captures=gone.erased.captures,
            blobs=gone.erased.blobs,
            key_destroyed=gone.erased.key_destroyed,
            audit_seq=gone.audit_seq,
            receipt=gone.receipt,
        )
    )


@router.post(
    "/{member}/captures",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(_MORE)],
    form_limits=FORM_LIMITS,
    responses={**MADE, **may(404, 409)},
)
def add_captures(
    house: Home,
    who: Caller,
    fridge: FridgeId,
    member: MemberId,
    takes: Takes,
    response: Response,
    accept_warnings: AcceptWarnings = False,
) -> Enrolled:
    """Take in more captures of a member; refused where they show somebody else."""
    taken = enrolment.add(house, who, fridge, member, takes, accept_warnings=accept_warnings)
    response.headers["Location"] = f"/v1/fridges/{fridge}/members/{member}/captures"
    return _enrolled(taken, response)


@router.get("/{member}/captures", responses=may(404))
def list_captures(
    house: Home, who: Caller, fridge: FridgeId, member: MemberId, wanted: Paging
) -> Page[Capture]:
    """What is kept of them, without what is in it."""
    found = members.captures(house, who, fridge, member, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, Capture.model_validate)


@router.put("/{member}/pin", responses={**TAGGED, **may(404, 412)})
def replace_pin(
    house: Home,
    who: Caller,
    fridge: FridgeId,
    member: MemberId,
    to: Pin,
    version: IfMatch,
    response: Response,
) -> Member:
    """Give the member a PIN, or another one."""
    record = pins.replace(house, who, fridge, member, to.pin, expected_version=version)
    tag(response, record.version)
    return Member.model_validate(record)


@router.delete("/{member}/pin", responses={**TAGGED, **may(404, 412)})
def remove_pin(
    house: Home,
    who: Caller,
    fridge: FridgeId,
    member: MemberId,
    version: IfMatch,
    response: Response,
) -> Member:
    """Take the member's PIN away; face and voice still open."""
    record = pins.remove(house, who, fridge, member, expected_version=version)
    tag(response, record.version)
    return Member.model_validate(record)


def _enrolled(taken: Taken, response: Response) -> Enrolled:
    tag(response, taken.member.version)
    member = Member.model_validate(taken.member)
    return Enrolled(
        **member.model_dump(),
        taken=taken.captures,
        warnings=tuple(Likeness.model_validate(warning) for warning in taken.warnings),
        provisional=taken.provisional,
        usable_at_once=taken.usable_at_once,
    )
