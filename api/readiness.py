"""Whether the service can decide, asked of its parts no more than once a second."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from visavox.errors import VisavoxError
from visavox.service.house import House

_log = logging.getLogger("visavox.api")

_FRESH_S: Final = 1.0


class Readiness:
    """What each part said last. Anybody may ask, so asking costs nothing between two looks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._said: tuple[float, Mapping[str, str]] | None = None

    def parts(self, house: House) -> Mapping[str, str]:
        """`ok`, or what is missing, for database, models and keys; at most a second old."""
        said = self._said
        if said is not None and self._clock() - said[0] < _FRESH_S:
            return said[1]
        # While one looks, which may take long, the others are told what was known before.
        if not self._lock.acquire(blocking=said is None):
            assert said is not None
            return said[1]
        try:
            if self._said is said:  # nobody looked while this waited
                found = {
                    "database": _database(house), "models": _models(house), "keys": _keys(house),
                }  # fmt: skip
                self._said = said = self._clock(), found
            else:
                said = self._said
            assert said is not None
            return said[1]
        finally:
            self._lock.release()


def _database(house: House) -> str:
    try:
        house.store.check()
    except VisavoxError as error:
        _log.warning("not ready: %s", error)
        return error.code
    return "ok"


def _models(house: House) -> str:
    try:
        return "ok" if house.models.base() is not None else "no_base"
    except VisavoxError as error:
        _log.warning("not ready: %s", error)
        return error.code


def _keys(house: House) -> str:
    return "ok" if house.signer.public_keys else "no_ticket_key"
