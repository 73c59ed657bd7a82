"""The application. Importing this opens nothing: `create_app` makes one, its lifespan opens it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from starlette.formparsers import MultiPartParser
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from api import middleware, openapi, problems
from api.house import Standing
from api.listening import Listeners
from api.metrics import Metrics
from api.middleware.gate import Turns
from api.readiness import Readiness
from api.routes import (
    audit,
    authentications,
    challenges,
    compartments,
    confirmations,
    decisions,
    docs,
    events,
    experiments,
    fridges,
    grants,
    health,
    keys,
    me,
    members,
    models,
    monitoring,
    pins,
    receipts,
    retrainings,
    tickets,
    traces,
)
from api.settings import Settings
from visavox.errors import VisavoxError
from visavox.service.house import House

_log = logging.getLogger("visavox.api")

_KIOSK: Final = Path(__file__).with_name("kiosk")
_SWEEP_S: Final = 3600.0

KEYED: Final[tuple[APIRouter, ...]] = (
    authentications.router,
    pins.router,
    challenges.router,
    decisions.router,
    traces.router,
    receipts.router,
    confirmations.router,
    events.router,
    fridges.router,
    compartments.router,
    members.router,
    grants.router,
    models.router,
    monitoring.router,
    experiments.router,
    retrainings.router,
    keys.router,
    me.router,
    audit.router,
)
OPEN: Final[tuple[APIRouter, ...]] = (tickets.router, health.router, docs.router)


def create_app(settings: Settings | None = None, *, house: House | None = None) -> FastAPI:
    """The service. With a `house` it uses that one, and leaves it open at the end."""
    settings = settings or Settings.read()
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        standing: contextlib.AbstractContextManager[House]
        if house is not None:
            standing = contextlib.nullcontext(house)
        else:
            standing = Standing(settings, on_stage=metrics.stage)
        with standing as opened:
            app.state.house = opened
            # anyio's own 40 are 40 open connections under load: 150 MB for nothing.
            threads = settings.at_once + settings.limits.beside
            to_thread.current_default_thread_limiter().total_tokens = threads
            app.state.listeners.end_with_the_service()
            sweeper = asyncio.create_task(_swept(opened, settings))
            try:
                yield
            finally:
                sweeper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sweeper

    app = FastAPI(
        title="visavox",
        summary="Face and voice open a shared fridge.",
        version=openapi.VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.settings, app.state.metrics = settings, metrics
    app.state.readiness, app.state.listeners = Readiness(), Listeners()
    problems.install(app)
    _add_middleware(app, settings, metrics)
    for router in KEYED:
        app.include_router(router, responses=problems.may(400, 401, 403, 422, 429, 500, 503))
    for router in OPEN:
        app.include_router(router)
    app.add_api_route("/kiosk", _kiosk, include_in_schema=False)
    app.mount("/kiosk", StaticFiles(directory=_KIOSK, html=True), name="kiosk")
    openapi.install(app)
    return app


def _add_middleware(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """Innermost first, which is the other way round than a request meets them."""
    limits = settings.limits
    # Captures stay in memory: a spooled file would put a face on the disk in the clear.
    MultiPartParser.spool_max_size = limits.enrolment_bytes
    turns = Turns(at_once=settings.at_once, waiting=limits.waiting)
    app.add_middleware(middleware.Gate, turns=turns, metrics=metrics)
    app.add_middleware(middleware.Idempotency)
    app.add_middleware(middleware.Body, limits=limits)
    app.add_middleware(middleware.Lookout, turns=turns, metrics=metrics)
    app.add_middleware(middleware.Doorkeeper, limits=limits)
    app.add_middleware(middleware.Deadline, seconds=limits.request_s)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=(
                "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Request-ID",
            ),
            expose_headers=("ETag", "Location", "Retry-After", "X-Request-ID"),
        )  # fmt: skip
    routes = [route for router in (*KEYED, *OPEN) for route in router.routes]
    secure = not settings.development
    app.add_middleware(middleware.Context, metrics=metrics, secure=secure, routes=routes)


async def _kiosk() -> Response:
    return RedirectResponse("/kiosk/", 308)


async def _swept(house: House, settings: Settings) -> None:
    """Every hour, remove what nothing names any more."""
    while True:
        await asyncio.sleep(_SWEEP_S)
        try:
            await to_thread.run_sync(
                lambda: house.store.sweep(at=house.clock(), probes=settings.probes)
            )
            await to_thread.run_sync(lambda: house.models.sweep(house.store))
        except VisavoxError as error:
            _log.warning("the sweep did not end: %s", error.problem)
