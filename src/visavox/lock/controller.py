"""The loop: a ticket opens compartments, time locks them again."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from visavox.errors import LockError, VisavoxError
from visavox.lock.actuators import Actuator
from visavox.tickets import Ticket, Verifier

_log = logging.getLogger("visavox.lock")

_RETRY_S = 1.0
"""Seconds until a compartment that would not lock is told again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a ticket opened, and for how long."""

    ticket: Ticket
    seconds: float


class Controller:
    """Opens what valid tickets name for `seconds`, and locks everything at start and at end.

    `verifier` is asked for each ticket, so that keys may be changed while this runs. A second
    ticket for an open compartment keeps it open for longer; it is never locked too early.
    """

    def __init__(
        self,
        verifier: Callable[[], Verifier],
        actuator: Actuator,
        *,
        seconds: float = 8.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verifier, self._actuator, self._seconds = verifier, actuator, seconds
        self._clock = clock
        self._open: dict[str, float] = {}  # compartment → when it is locked again
        self._turn = threading.Condition()
        self._ended = False
        self._timer = threading.Thread(target=self._lock_in_time, name="lock", daemon=True)

    def __enter__(self) -> Self:
        self._actuator.close(())  # whatever an earlier life of this process left open
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with self._turn:
            self._ended = True
            self._turn.notify_all()
        self._timer.join()
        self._actuator.close(())

    def handle(self, text: str) -> Opened:
        """Open what the ticket names; TicketError or LockError where nothing is opened."""
        try:
            ticket = self._verifier().redeem(text)
        except VisavoxError as refused:
            _log.warning("refused %s: %s", refused.code, refused.problem)
            raise
        with self._turn:
            if self._ended:
                raise LockError("The lock is being shut down.", next_step="Wait and ask again.")
            # Planned before it is done: half an opening is locked again like a whole one.
            until = self._clock() + self._seconds
            self._open.update(dict.fromkeys(ticket.compartments, until))
            self._turn.notify_all()
            if ticket.compartments:
                self._actuator.open(ticket.compartments)
        _log.info("opened %s by %s", ",".join(ticket.compartments), ticket.decision)
        return Opened(ticket, self._seconds)

    @property
    def open_now(self) -> frozenset[str]:
        with self._turn:
            return frozenset(self._open)

    def _lock_in_time(self) -> None:
        with self._turn:
            while not self._ended:
                now = self._clock()
                due = tuple(name for name, until in self._open.items() if until <= now)
                if due:
                    self._lock(due, now)
                nearest = min(self._open.values(), default=None)
                self._turn.wait(None if nearest is None else max(nearest - self._clock(), 0.0))

    def _lock(self, due: tuple[str, ...], now: float) -> None:
        try:
            self._actuator.close(due)
        except Exception:  # noqa: BLE001 - an actuator is anybody's code; the loop must go on
            _log.exception("could not lock %s; trying again", ",".join(due))
            self._open.update(dict.fromkeys(due, now + _RETRY_S))
        else:
            for name in due:
                del self._open[name]
