"""Bodies: their kind, their size and their time, judged while they arrive."""

import asyncio
from email.message import Message as Header
from typing import NoReturn

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.paths import takes_captures, takes_probe
from api.settings import Limits
from visavox.errors import Overloaded


class Gone(Exception):
    """The client has left; there is nobody to answer."""


class Body:
    """Reads the whole body under its limits, and hands it on as one piece.

    All bodies of this process together stay under a budget, so that many large ones at once are
    refused before they fill the memory.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size = self._expected(scope)
        if size == 0:
            await self._app(scope, receive, send)
            return
        taken = [0]
        try:
            try:
                async with asyncio.timeout(self._limits.upload_s):
                    body = await self._read(receive, self._most(scope), taken)
            except TimeoutError:
                raise HTTPException(
                    408,
                    f"The body had not arrived after {self._limits.upload_s:g} s.",
                    {"Connection": "close"},
                ) from None
            except Gone:
                return
            if body:
                _check_kind(scope)
            again = _replayed(body, receive)
            del body  # it is large, and parsed into another copy
            await self._app(scope, again, send)
        finally:
            self._held -= taken[0]

    def _expected(self, scope: Scope) -> int | None:
        """The length that the client promises; None when it does not. Too long: refused now."""
        headers = Headers(scope=scope)
        text = headers.get("content-length")
        if text is None:
            return None if "transfer-encoding" in headers else 0
        size = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1
        if size < 0:
            raise HTTPException(400, "The Content-Length is no number.")
        if size > self._most(scope):
            _too_large(self._most(scope))
        return size

    def _most(self, scope: Scope) -> int:
        method, path = scope["method"], scope["path"]
        if takes_probe(method, path):
            return self._limits.probe_bytes
        if takes_captures(method, path):
            return self._limits.enrolment_bytes
        return self._limits.json_bytes

    async def _read(self, receive: Receive, most: int, taken: list[int]) -> bytes:
        pieces: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            piece: bytes = message.get("body", b"")
            taken[0] += len(piece)
            self._held += len(piece)
            if taken[0] > most:
                _too_large(most)
            if self._held > self._limits.buffered_bytes:
                raise Overloaded(
                    "Too much is being sent at once.",
                    next_step="Come back in a second.",
                    retry_after_s=1.0,
                )
            pieces.append(piece)
            if not message.get("more_body", False):
                return b"".join(pieces)


def _check_kind(scope: Scope) -> None:
    header = Header()
    header["content-type"] = Headers(scope=scope).get("content-type", "")
    kind = header.get_content_type() if header["content-type"] else ""
    if takes_captures(scope["method"], scope["path"]):
        if kind != "multipart/form-data" or not header.get_param("boundary"):
            raise HTTPException(415, "Captures come as multipart/form-data, with a boundary.")
    elif kind != "application/json":
        raise HTTPException(415, "The body must be application/json.")


def _replayed(body: bytes, receive: Receive) -> Receive:
    left: list[bytes] = [body]

    async def again() -> Message:
        if left:  # handed over once, and not kept here meanwhile
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _too_large(most: int) -> NoReturn:
    raise HTTPException(
        413, f"The body may have {most} bytes at this address.", {"Connection": "close"}
    )
