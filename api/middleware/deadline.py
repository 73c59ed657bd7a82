"""An answer in time. A thread cannot be stopped, so what it does ends unheard."""

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems

_log = logging.getLogger("visavox.api")


class Deadline:
    """504 for what has not begun to answer after `seconds`."""

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app, self._seconds = app, seconds
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, ended = False, False

        async def answered(message: Message) -> None:
            nonlocal began
            if ended:
                return
            began = True
            await send(message)

        task = asyncio.ensure_future(_run(self._app, scope, receive, answered))
        try:
            await asyncio.wait({task}, timeout=self._seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done() or began:
            await task
            return
        ended = True
        # Kept until it is done: it may hold a turn at the gate, or be writing.
        self._late.add(task)
        task.add_done_callback(self._forgotten)
        response = problems.problem(
            504,
            detail=f"There was no answer within {self._seconds:g} s; it may still take effect.",
            next_step="Look whether it did, or send it again with the same Idempotency-Key.",
            instance=scope["path"],
            request_id=scope["state"]["request_id"],
        )
        await response(scope, receive, send)

    def _forgotten(self, task: asyncio.Task[None]) -> None:
        self._late.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("a late request ended with %s", type(error).__name__)


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
