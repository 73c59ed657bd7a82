"""What routes ask for: the house, who calls, when the request came."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.metrics import Metrics
from api.readiness import Readiness
from visavox.service.house import Actor, House

_bearer = HTTPBearer(
    scheme_name="key",
    bearerFormat="vx_<key id>_<secret>",
    description="An API key of the role kiosk, admin or auditor.",
    auto_error=False,  # the doorkeeper has looked at it already
)


async def home(request: Request) -> House:
    house: House = request.app.state.house
    return house


async def caller(
    request: Request,
    shown: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],  # noqa: ARG001
) -> Actor:
    """Whoever the doorkeeper let in, before the body was read."""
    actor: Actor = request.state.actor
    return actor


async def arrived(request: Request) -> datetime:
    moment: datetime = request.state.arrived
    return moment


async def counts(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


async def readiness(request: Request) -> Readiness:
    found: Readiness = request.app.state.readiness
    return found


Home = Annotated[House, Depends(home)]
Caller = Annotated[Actor, Depends(caller)]
Arrived = Annotated[datetime, Depends(arrived)]
Counts = Annotated[Metrics, Depends(counts)]
State = Annotated[Readiness, Depends(readiness)]
