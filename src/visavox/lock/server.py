"""The lock's door to the kiosk beside it: HTTP on loopback, one route.

    POST /open    the ticket, plain or as {"ticket": "…"} → 200 {"opened": […], "seconds": 8.0},
                  or a problem
    GET  /healthz → 200

A kiosk page in a browser may speak to it when its origin is allowed; no other page may.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from visavox.errors import TicketError, VisavoxError
from visavox.lock.controller import Opened
from visavox.tickets import LONGEST


def serve(
    handle: Callable[[str], Opened], *, host: str, port: int, origins: frozenset[str] = frozenset()
) -> ThreadingHTTPServer:
    """A server that is bound and not running yet: call `serve_forever`, then `shutdown`."""

    return _Server((host, port), handle, origins)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handle: Callable[[str], Opened], origins: frozenset[str]
    ) -> None:
        self.handle, self.origins = handle, origins
        super().__init__(address, _Requests)


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5  # seconds that a client may take over its request
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"status": "ok"})
        else:
            self._problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here.", "")

    def do_OPTIONS(self) -> None:
        """A browser asks before it sends a ticket from another origin."""
        self._answer(HTTPStatus.NO_CONTENT, None)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/open":
            self.close_connection = True
            self._problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here.", "")
        elif (origin := self.headers.get("Origin")) and origin not in self.server.origins:
            self.close_connection = True
            said = "Pages of this origin may not open the fridge."
            self._problem(HTTPStatus.FORBIDDEN, "origin", said, "Start the lock with --origin.")
        elif not length.isdecimal() or int(length) > LONGEST:
            self.close_connection = True
            said = f"A ticket has up to {LONGEST} characters, and says how many."
            self._problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "ticket_malformed", said, "")
        else:
            self._open(_ticket(self.rfile.read(int(length)).decode("utf-8", errors="replace")))

    def _open(self, text: str) -> None:
        try:
            opened = self.server.handle(text)
        except TicketError as error:
            self._refuse(HTTPStatus.FORBIDDEN, error)
        except VisavoxError as error:  # a fault of the lock or of its keys, not of the ticket
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, error)
        else:
            names = list(opened.ticket.compartments)
            self._answer(HTTPStatus.OK, {"opened": names, "seconds": opened.seconds})

    def _refuse(self, status: HTTPStatus, error: VisavoxError) -> None:
        self._problem(status, error.code, error.problem, error.next_step)

    def _problem(self, status: HTTPStatus, code: str, detail: str, next_step: str) -> None:
        self._answer(
            status,
            {
                "type": "about:blank",
                "title": status.phrase,
                "status": int(status),
                "detail": detail,
                "code": code,
                "next_step": next_step,
            },
            media_type="application/problem+json",
        )

    def _answer(
        self,
        status: HTTPStatus,
        body: Mapping[str, Any] | None,
        media_type: str = "application/json",
    ) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        if (origin := self.headers.get("Origin")) in self.server.origins:
            self.send_header("Access-Control-Allow-Origin", str(origin))
            self.send_header("Access-Control-Allow-Methods", "POST")
            self.send_header("Access-Control-Allow-Headers", "Content-Type")
            self.send_header("Access-Control-Allow-Private-Network", "true")
            self.send_header("Vary", "Origin")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """The controller logs what matters; requests hold tickets."""


def _ticket(body: str) -> str:
    """The ticket in a body; what is no JSON is taken as it stands, and judged as that."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return str(said["ticket"]) if isinstance(said, dict) and "ticket" in said else body
