"""Captures cost the processor; as many are looked at side by side as help, the rest wait in line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.paths import is_costly
from visavox.errors import Overloaded


class Turns:
    """`at_once` at work, `waiting` in line, in the order in which they came."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._most = at_once + waiting
        self._inside = 0
        self._free = asyncio.Semaphore(at_once)

    @property
    def full(self) -> bool:
        return self._inside >= self._most

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn; Overloaded at once where the line is full."""
        if self.full:
            raise overloaded()
        self._inside += 1
        try:
            async with self._free:
                yield
        finally:
            self._inside -= 1


class Gate:
    """Gives requests with captures their turn. Those whose client has left lose it."""

    def __init__(self, app: ASGIApp, *, turns: Turns, metrics: Metrics) -> None:
        self._app, self._turns, self._metrics = app, turns, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_costly(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        body = await receive()
        if body["type"] == "http.disconnect":
            return
        leaving = asyncio.ensure_future(_left(receive))
        again = _with(body, leaving)
        del body
        try:
            async with self._turns.turn():
                if leaving.done():
                    self._metrics.abandoned.inc()
                    return
                await self._app(scope, again, send)
        except Overloaded:
            self._metrics.overloads.inc()
            raise
        finally:
            leaving.cancel()


class Lookout:
    """Refuses before a body is read what would find the line full after it."""

    def __init__(self, app: ASGIApp, *, turns: Turns, metrics: Metrics) -> None:
        self._app, self._turns, self._metrics = app, turns, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and is_costly(scope["method"], scope["path"])
            and self._turns.full
        ):
            self._metrics.overloads.inc()
            raise overloaded()
        await self._app(scope, receive, send)


def overloaded() -> Overloaded:
    return Overloaded(
        "More people ask at once than this machine can look at.",
        next_step="Come back in a second.",
        retry_after_s=1.0,
    )


async def _left(receive: Receive) -> Message:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return message


def _with(body: Message, leaving: "asyncio.Future[Message]") -> Receive:
    first = [body]

    async def receive() -> Message:
        if first:
            return first.pop()
        return await asyncio.shield(leaving)

    return receive
