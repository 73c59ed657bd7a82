"""Who asks, and how often: settled before a byte of the body is read."""

import time
from functools import partial

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.paths import needs_key
from visavox.errors import RateLimited, Unauthenticated
from visavox.service import keys


class Doorkeeper:
    """Lets in whoever has a valid key and asks no faster than it may."""

    def __init__(self, app: ASGIApp, *, rate: float, burst: int) -> None:
        self._app = app
        self._buckets = Buckets(rate, burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and needs_key(scope["path"]):
            state = scope["state"]
            identify = partial(
                keys.identify,
                scope["app"].state.house,
                _bearer(scope),
                request_id=state["request_id"],
            )
            actor = await to_thread.run_sync(identify)
            state["actor"] = actor
            wait = self._buckets.take(actor.key_id, time.monotonic())
            if wait > 0:
                raise RateLimited(
                    "This key asks more often than it may.",
                    next_step="Wait as long as Retry-After says.",
                    retry_after_s=wait,
                )
        await self._app(scope, receive, send)


class Buckets:
    """Tokens per key: `rate` come back each second, up to `burst`. Kept in this process."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str, now: float) -> float:
        """0 if there was a token; otherwise the seconds until there is one."""
        left, at = self._left.get(key, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._rate)
        if left < 1:
            self._left[key] = (left, now)
            return (1 - left) / self._rate
        self._left[key] = (left - 1, now)
        return 0.0


def _bearer(scope: Scope) -> str:
    kind, _, shown = Headers(scope=scope).get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not shown.strip():
        raise Unauthenticated(
            "There is no key.", next_step="Send `Authorization: Bearer vx_<key id>_<secret>`."
        )
    return shown.strip()
