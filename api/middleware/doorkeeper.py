"""Who asks, and how often: settled before a byte of the body is read."""

import asyncio
import hashlib
import ipaddress
import time
from collections import OrderedDict
from functools import partial
from typing import Final

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.paths import needs_key
from api.settings import Limits
from visavox.errors import RateLimited, Unauthenticated
from visavox.service import keys
from visavox.service.house import Actor

_MOST: Final = 10_000
"""Addresses, and keys, that are remembered at once; the longest unseen are forgotten first."""


class Doorkeeper:
    """Lets in whoever has a valid key and asks no faster than it may.

    Who keeps showing wrong keys is told to wait without a look into the database. A key that was
    right here before is looked up all the same: others may come from the same address.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        self._app = app
        self._buckets = Buckets(limits.rate, limits.burst)
        self._wrong = Buckets(limits.wrong_keys_rate, limits.wrong_keys)
        # Looked up at once: fewer than may be wrong, so that right keys that nobody has seen yet,
        # many at once behind one address, wait for their turn and are not taken for wrong ones.
        self._turns = asyncio.Semaphore(max(1, limits.wrong_keys // 2))
        self._right: OrderedDict[bytes, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and needs_key(scope["path"]):
            actor = await self._identified(scope)
            scope["state"]["actor"] = actor
            wait = self._buckets.take(actor.key_id, time.monotonic())
            if wait > 0:
                raise RateLimited(
                    "This key asks more often than it may.",
                    next_step="Wait as long as Retry-After says.",
                    retry_after_s=wait,
                )
        await self._app(scope, receive, send)

    async def _identified(self, scope: Scope) -> Actor:
        bearer, address = _bearer(scope), _address(scope)
        shown = hashlib.sha256(bearer.encode()).digest()
        if shown in self._right:
            return await self._looked_up(scope, bearer, shown, address, known=True)
        async with self._turns:
            known = shown in self._right  # by the request before it, which had the same key
            return await self._looked_up(scope, bearer, shown, address, known=known)

    async def _looked_up(
        self, scope: Scope, bearer: str, shown: bytes, address: str, *, known: bool
    ) -> Actor:
        # Taken first and given back, so that many at once are counted too.
        wait = 0.0 if known else self._wrong.take(address, time.monotonic())
        if wait > 0:
            raise RateLimited(
                "Too many wrong keys came from this address.",
                next_step="Wait as long as Retry-After says, and send a key that is valid.",
                retry_after_s=wait,
            )
        house, request_id = scope["app"].state.house, scope["state"]["request_id"]
        identify = partial(keys.identify, house, bearer, request_id=request_id)
        try:
            actor = await to_thread.run_sync(identify)
        except Unauthenticated:
            self._right.pop(shown, None)
            raise
        if not known:
            self._wrong.give(address)
        self._right[shown] = None
        self._right.move_to_end(shown)
        if len(self._right) > _MOST:
            self._right.popitem(last=False)
        return actor


class Buckets:
    """Tokens for each of many: `rate` come back each second, up to `burst`. In this process alone,
    and for the `most` that came last."""

    def __init__(self, rate: float, burst: int, *, most: int = _MOST) -> None:
        self._rate, self._burst, self._most = rate, burst, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, key: str, now: float) -> float:
        """0 if there was a token; otherwise the seconds until there is one."""
        left, at = self._left.pop(key, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._left[key] = (left if wait else left - 1, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return wait

    def give(self, key: str) -> None:
        """Put back one that was taken for nothing."""
        if key in self._left:
            left, at = self._left[key]
            self._left[key] = (min(self._burst, left + 1), at)


def _address(scope: Scope) -> str:
    """Where it comes from; of IPv6 the network, as whoever has one address has all of it."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def _bearer(scope: Scope) -> str:
    kind, _, shown = Headers(scope=scope).get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not shown.strip():
        raise Unauthenticated(
            "There is no key.", next_step="Send `Authorization: Bearer vx_<key id>_<secret>`."
        )
    return shown.strip()
