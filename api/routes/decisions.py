"""What was decided."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.deps import Caller, Home
from api.problems import may
from api.schemas.decisions import Decision
from api.schemas.fields import ID
from api.schemas.moments import Moment
from api.schemas.pages import Page, Paging, paged
from visavox.service import decisions
from visavox.store.records import DecisionOutcome, Method

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])
_Id = Annotated[str | None, Query(pattern=ID, max_length=64)]


@router.get("")
def list_all(
    house: Home,
    who: Caller,
    wanted: Paging,
    fridge: _Id = None,
    member: _Id = None,
    outcome: DecisionOutcome | None = None,
    kiosk: _Id = None,
    method: Method | None = None,
    since: Annotated[Moment | None, Query(description="From this moment on.")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment.")] = None,
) -> Page[Decision]:
    """Decisions, the newest first; the filters narrow them together."""
    found = decisions.page(
        house,
        who,
        fridge=fridge,
        member=member,
        outcome=outcome,
        kiosk=kiosk,
        method=method,
        since=since,
        until=until,
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    return paged(found, lambda answer: Decision.of(answer, who))


@router.get("/{decision}", responses=may(404))
def read(
    house: Home,
    who: Caller,
    decision: Annotated[
        str, Path(pattern=ID, max_length=64, examples=["dec_01j9zq3v8k0000000000000000"])
    ],
) -> Decision:
    """One decision, as it was given. Its ticket is not shown again."""
    return Decision.of(decisions.read(house, who, decision), who)
