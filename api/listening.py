"""Server-sent events: listeners are many and long, so none of them holds a thread or a transaction.

All listeners of a process share one look at the database, twice a second; only who has news reads.
"""

import asyncio
import json
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, Final

from anyio import to_thread
from starlette.responses import StreamingResponse

from visavox.errors import Overloaded, VisavoxError
from visavox.service import retrainings
from visavox.service.house import Actor, House
from visavox.service.retrainings import News

MEDIA_TYPE: Final = "text/event-stream"
_LOOK_S: Final = 0.5
_HEARTBEAT_S: Final = 10.0
_LIFE_S: Final = 600.0
"""After so long a listener must come back, and show a key that is still valid."""
_MOST: Final = 200

Ask = Callable[[int], News]
"""What there is after a line; called in a thread."""
Shown = Callable[[Any], Mapping[str, Any]]


@dataclass(slots=True)
class Listeners:
    """Those of one process."""

    closing: bool = False
    """The service is told to end: nobody must wait for a stream."""
    count: int = 0
    _newest: int = 0
    _looked: float = -1e9
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def newest(self, house: House) -> int:
        """The number of the last line of all, as of a moment ago."""
        async with self._turn:
            if time.monotonic() - self._looked >= _LOOK_S:
                self._newest = await to_thread.run_sync(retrainings.newest, house)
                self._looked = time.monotonic()
        return self._newest

    def end_with_the_service(self) -> None:
        """When the service is told to end, streams end at once: it waits for all answers."""
        if threading.current_thread() is not threading.main_thread():
            return  # where nobody tells it by a signal
        before = signal.getsignal(signal.SIGTERM)

        def told(number: int, frame: FrameType | None) -> None:
            self.closing = True
            if callable(before):
                before(number, frame)

        if callable(before):
            signal.signal(signal.SIGTERM, told)


def stream(
    listeners: Listeners,
    house: House,
    who: Actor,
    first: News,
    after: int,
    ask: Ask,
    *,
    line: Shown,
    end: Shown,
) -> StreamingResponse:
    """An answer that goes on: `first`, what comes after that line, and what `ask` gives later."""
    if listeners.count >= _MOST:
        raise Overloaded(
            "Too many listen already.", next_step="Ask again in a while.", retry_after_s=5.0
        )
    told = _told(listeners, house, who, first, after, ask, line, end)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold it back
    return StreamingResponse(told, media_type=MEDIA_TYPE, headers=headers)


async def _told(
    listeners: Listeners,
    house: House,
    who: Actor,
    news: News,
    after: int,
    ask: Ask,
    line: Shown,
    end: Shown,
) -> AsyncIterator[bytes]:
    listeners.count += 1
    try:
        began = spoke = time.monotonic()
        looked = after
        yield b"retry: 2000\n\n"
        while True:
            for each in news.lines:
                after = each.seq
                yield _event("progress", line(each), after)
            if news.lines:
                spoke = time.monotonic()
            if news.ended is not None:
                yield _event("end", end(news.ended), after)
                return
            full = bool(news.lines)
            news = News(())
            if not full:
                await asyncio.sleep(_LOOK_S)
            if listeners.closing or time.monotonic() - began > _LIFE_S or _expired(house, who):
                return
            try:
                newest = await listeners.newest(house)
                if full or newest > looked:
                    looked = newest  # lines of others are not to be looked through again
                    news = await to_thread.run_sync(partial(ask, after))
            except VisavoxError:
                return  # the listener comes back, and is told then
            if time.monotonic() - spoke > _HEARTBEAT_S:
                spoke = time.monotonic()
                yield b": still here\n\n"
    finally:
        listeners.count -= 1


def _expired(house: House, who: Actor) -> bool:
    return who.expires_at is not None and who.expires_at <= house.clock()


def _event(kind: str, said: Mapping[str, Any], number: int) -> bytes:
    # JSON has no line breaks of its own, so one line of data is the whole of it.
    data = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return f"id: {number}\nevent: {kind}\ndata: {data}\n\n".encode()
