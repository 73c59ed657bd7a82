"""A challenger beside the champion: how it stands, how it is tried, what becomes of it."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.deps import Caller, Home
from api.etags import TAGGED, IfMatch, tag
from api.problems import may
from api.schemas.experiments import (
    Conclusion,
    Disagreement,
    Ending,
    Experiment,
    Label,
    Truth,
    Way,
    labelled,
)
from api.schemas.fields import ID, FridgeId
from api.schemas.pages import Page, Paging, paged
from visavox.service import experiment, labels

router = APIRouter(prefix="/v1", tags=["experiments"])

_Decision = Annotated[
    str, Path(pattern=ID, max_length=64, examples=["dec_01j9zq3v8k0000000000000000"])
]


@router.get("/fridges/{fridge}/experiment", responses={**TAGGED, **may(404)})
def read(house: Home, who: Caller, fridge: FridgeId, response: Response) -> Experiment:
    """How the challenger stands, and what the policy says; 404 while nothing is tried.

    It may be looked at as often as one likes: the stated error rates hold all the same.
    """
    found = experiment.read(house, who, fridge)
    tag(response, found.version)
    return Experiment.of(found)


@router.put("/fridges/{fridge}/experiment", responses={**TAGGED, **may(404, 409, 412)})
def change(
    house: Home, who: Caller, fridge: FridgeId, to: Way, version: IfMatch, response: Response
) -> Experiment:
    """Try the challenger in the shadow, or let it decide a share; what was compared counts on."""
    found = experiment.change(
        house, who, fridge, mode=to.mode, share=to.share, expected_version=version
    )
    tag(response, found.version)
    return Experiment.of(found)


@router.post("/fridges/{fridge}/experiment/conclude", responses=may(404, 409, 412))
def conclude(
    house: Home, who: Caller, fridge: FridgeId, how: Ending, version: IfMatch
) -> Conclusion:
    """Promote the challenger, reject it, or do what the policy says."""
    done = experiment.conclude(house, who, fridge, how.verdict, expected_version=version)
    return Conclusion.of(done)


@router.get("/fridges/{fridge}/experiment/disagreements", responses=may(404))
def disagreements(house: Home, who: Caller, fridge: FridgeId, wanted: Paging) -> Page[Disagreement]:
    """Requests in which the two would not let in the same, the newest first.

    Each that is labelled (`PUT /v1/decisions/{decision}/label`) makes the comparison sharper.
    """
    found = experiment.disagreements(house, who, fridge, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, Disagreement.of)


@router.put("/decisions/{decision}/label", responses=may(404, 409))
def label(house: Home, who: Caller, decision: _Decision, of: Truth) -> Label:
    """Say who really stood at the kiosk; it takes the place of what was said before."""
    return labelled(labels.put(house, who, decision, of.member))
