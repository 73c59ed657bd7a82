"""For whoever keeps the service running."""

import hmac
import ipaddress
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response, status

from api.deps import Counts, Home, State
from api.problems import may
from api.schemas.health import Alive, Ready
from api.settings import Settings
from visavox.errors import Forbidden, Unauthenticated

router = APIRouter(tags=["health"])
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz", responses=may(500))
async def alive() -> Alive:
    """The process lives."""
    return Alive()


@router.get(
    "/readyz",
    responses={**may(500), 503: {"model": Ready, "description": "A part cannot work."}},
)
def ready(house: Home, state: State, response: Response) -> Ready:
    """Whether it can decide: database, models and keys, as they were less than a second ago."""
    parts = dict(state.parts(house))
    if any(said != "ok" for said in parts.values()):
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return Ready(status="not_ready", parts=parts)
    return Ready(status="ready", parts=parts)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        **may(401, 403, 422, 500, 503),
        200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "# HELP …"}}},
    },
)
def metrics(
    request: Request,
    house: Home,
    counts: Counts,
    authorization: Annotated[str | None, Header(max_length=500)] = None,
) -> Response:
    """Counts for Prometheus, with the metrics token.

    In development, where none is set, they are for this machine alone.
    """
    settings: Settings = request.app.state.settings
    if settings.metrics_token is not None:
        wanted = f"Bearer {settings.metrics_token.get_secret_value()}".encode()
        if not hmac.compare_digest(wanted, (authorization or "").encode("latin-1", "replace")):
            raise Unauthenticated(
                "The metrics token is missing or wrong.",
                next_step="Send `Authorization: Bearer` with VISAVOX_METRICS_TOKEN.",
            )
    elif not settings.development:
        # A proxy on this machine need not say for whom it speaks: loopback proves nothing.
        raise Forbidden(
            "In production metrics are for whoever has the metrics token, and none is set.",
            next_step="Set VISAVOX_METRICS_TOKEN, and send it as a bearer token.",
        )
    elif not _on_loopback(request):
        raise Forbidden(
            "Metrics are for this machine alone.",
            next_step="Set VISAVOX_METRICS_TOKEN, and send it as a bearer token.",
        )
    return Response(counts.text(house), media_type=_TEXT)


def _on_loopback(request: Request) -> bool:
    """Whether the other end is this machine, and no proxy that speaks for somebody else."""
    if {"x-forwarded-for", "forwarded", "x-real-ip"} & set(request.headers):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
