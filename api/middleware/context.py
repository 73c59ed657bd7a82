"""Around everything: who this request is, and what is known of it afterwards."""

import logging
import re
import secrets
import time
import traceback
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.metrics import Metrics
from visavox.errors import VisavoxError
from visavox.service.house import utc_now

_log = logging.getLogger("visavox.request")
_faults = logging.getLogger("visavox.api")

_LEFT: Final = 499
"""Told in logs and counts, to nobody else: the client had left before it was answered."""

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_DOCS: Final = _NOTHING.replace("base-uri", "style-src 'self'; base-uri")
# A kiosk's page speaks to this service, and to the lock on its own machine.
_KIOSK: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
    " media-src 'self' blob:; font-src 'self'; manifest-src 'self'; worker-src 'self';"
    " connect-src 'self' http://127.0.0.1:* http://localhost:*;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
}


class Context:
    """Gives each request its id and each answer its headers; turns every error into a problem."""

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, secure: bool, routes: Sequence[BaseRoute] = ()
    ) -> None:
        self._app, self._metrics, self._secure = app, metrics, secure
        self._routes = [route for route in routes if isinstance(route, Route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope)
        state = scope.setdefault("state", {})
        house = getattr(scope["app"].state, "house", None)
        state["request_id"] = request_id
        state["arrived"] = house.clock() if house is not None else utc_now()
        status = 0

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(scope, message, request_id)
            await send(message)

        with self._metrics.in_flight.track_inprogress():
            try:
                await self._app(scope, receive, answered)
            except Exception as error:
                response = _answer(error, scope["path"], request_id)
                if status:  # it had begun to answer: the connection is cut, as the client must see
                    raise
                await response(scope, receive, answered)
            finally:
                seconds = time.perf_counter() - began
                route = self._template(scope)
                status = status or _LEFT
                self._metrics.request(scope["method"], route, status, seconds)
                actor = state.get("actor")
                _log.info(
                    "request",
                    extra={
                        "request_id": request_id,
                        "key": actor.key_id if actor is not None else None,
                        "method": scope["method"] if scope["method"].isalpha() else "?",
                        "route": route,
                        "status": status,
                        "ms": round(seconds * 1000, 1),
                    },
                )

    def _template(self, scope: Scope) -> str:
        """The route's template, so that no id stands in a label or a log line."""
        path = getattr(scope.get("route"), "path", None)
        if isinstance(path, str) and path:
            return path
        if scope["path"].startswith("/kiosk"):
            return "/kiosk"
        # Refused before it was routed: by whoever stands at the door.
        for route in self._routes:
            if scope["method"] in (route.methods or ()) and route.path_regex.match(scope["path"]):
                return str(route.path)
        return "unmatched"

    def _dress(self, scope: Scope, message: Message, request_id: str) -> None:
        headers = MutableHeaders(scope=message)
        headers["X-Request-ID"] = request_id
        for name, value in _HEADERS.items():
            headers[name] = value
        path = scope["path"]
        if path.startswith("/kiosk"):
            headers["Content-Security-Policy"] = _KIOSK
            headers.setdefault("Cache-Control", "no-cache")
        else:
            headers["Content-Security-Policy"] = _DOCS if path.startswith("/docs") else _NOTHING
            headers.setdefault("Cache-Control", "no-store")
        if self._secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value.decode("ascii"))
    return secrets.token_hex(8)


def _answer(error: Exception, path: str, request_id: str) -> ASGIApp:
    if isinstance(error, VisavoxError):
        return problems.answer(error, instance=path, request_id=request_id)
    if isinstance(error, HTTPException):
        return problems.http_answer(error, instance=path, request_id=request_id)
    # Messages of foreign errors may hold what was asked; where it happened is enough.
    where = "".join(traceback.format_tb(error.__traceback__))
    _faults.error("%s in request %s\n%s", type(error).__name__, request_id, where)
    return problems.problem(
        500,
        detail="Something failed inside the service.",
        instance=path,
        request_id=request_id,
    )
