"""Retrainings: what runs, how far it is, and one asked for by hand."""

from functools import partial
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Query
from starlette.requests import Request as Asked
from starlette.responses import StreamingResponse

from api import listening
from api.deps import Caller, Home
from api.problems import may
from api.schemas.fields import ID, FridgeId
from api.schemas.pages import Page, Paging, paged
from api.schemas.retrainings import RUN, Line, Request, Retraining, Run
from visavox.errors import Invalid
from visavox.service import retrainings
from visavox.store.records import RunState

router = APIRouter(prefix="/v1", tags=["retrainings"])

RunId = Annotated[str, Path(pattern=ID, max_length=64, examples=[RUN])]
_Id = Annotated[str | None, Query(pattern=ID, max_length=64)]
_LAST = 2**53
_Last = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=20,
        description="The `id` of the last event that came: the stream goes on after it.",
    ),
]
_EXAMPLE: Final = (
    'id: 17\nevent: progress\ndata: {"seq":17,"run":"run_…","fridge":"kitchen","step":"judge",'
    '"state":"done","at":"2026-03-01T12:00:00Z","detail":{"passed":true}}\n\n'
)
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Server-sent events: `progress` with a line each, `end` with the run.",
        "content": {
            listening.MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE},
        },
    },
    **may(404),
}


@router.get("/retrainings")
def list_all(
    house: Home,
    who: Caller,
    wanted: Paging,
    fridge: _Id = None,
    flow: _Id = None,
    state: RunState | None = None,
) -> Page[Run]:
    """Runs over fridges that the key is for; the newest first."""
    found = retrainings.page(
        house,
        who,
        fridge=fridge,
        flow=flow,
        state=state,
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    return paged(found, Run.model_validate)


@router.get("/retrainings/{run}", responses=may(404))
def read(house: Home, who: Caller, run: RunId) -> Retraining:
    """One run, and the changes that it took on."""
    return Retraining.of(retrainings.read(house, who, run))


@router.get("/retrainings/{run}/events", responses=_STREAM, response_class=StreamingResponse)
async def watch_run(
    asked: Asked, house: Home, who: Caller, run: RunId, last: _Last = None
) -> StreamingResponse:
    """All that a run tells, from its beginning or from where a listener left; ends with it."""
    after = _number(last) or 0
    ask = partial(retrainings.of_run, house, who, run)
    first = await to_thread.run_sync(lambda: ask(after=after))
    return listening.stream(
        asked.app.state.listeners,
        house,
        who,
        first,
        after,
        lambda seen: ask(after=seen),
        line=_line,
        end=_end,
    )


@router.get("/fridges/{fridge}/retrainings", responses=may(404))
def list_waiting(house: Home, who: Caller, fridge: FridgeId) -> tuple[Request, ...]:
    """The changes of a fridge that no model that serves has learned from yet, oldest first."""
    found = retrainings.waiting(house, who, fridge)
    return tuple(Request.model_validate(request) for request in found)


@router.post("/fridges/{fridge}/retrainings", status_code=202, responses=may(404))
def ask(house: Home, who: Caller, fridge: FridgeId) -> Request:
    """Retrain a fridge though nothing has changed; a worker takes it on."""
    return Request.model_validate(retrainings.ask(house, who, fridge))


@router.get(
    "/fridges/{fridge}/retrainings/events", responses=_STREAM, response_class=StreamingResponse
)
async def watch_fridge(
    asked: Asked, house: Home, who: Caller, fridge: FridgeId, last: _Last = None
) -> StreamingResponse:
    """What is told of one fridge, in the run at work and those to come.

    It goes on until the listener leaves, or is to come back with its `Last-Event-ID`.
    """
    given = _number(last)
    ask = partial(retrainings.of_fridge, house, who, fridge)
    start = partial(retrainings.start_of, house, who, fridge)
    after = await to_thread.run_sync(start) if given is None else given
    first = await to_thread.run_sync(lambda: ask(after=after))
    return listening.stream(
        asked.app.state.listeners,
        house,
        who,
        first,
        after,
        lambda seen: ask(after=seen),
        line=_line,
        end=_end,
    )


def _line(found: Any) -> dict[str, Any]:
    return Line.model_validate(found).model_dump(mode="json")


def _end(found: Any) -> dict[str, Any]:
    return Run.model_validate(found).model_dump(mode="json")


def _number(last: str | None) -> int | None:
    if last is None:
        return None
    if not (last.isascii() and last.isdecimal() and int(last) < _LAST):
        raise Invalid(
            "The Last-Event-ID is no number of an event.", next_step="Send an event's `id`."
        )
    return int(last)
