"""Kiosks that ask again as soon as they are answered, and what they saw.

Bodies are encoded beforehand and each kiosk keeps its connection: the client must not be what is
measured, on the cores that it shares with the service.
"""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.load.wire import Answer, Body, Line

Right = Callable[[Answer], bool]
"""Whether an answer is the one that the probe deserves."""


@dataclass(frozen=True, slots=True)
class Probe:
    body: Body
    right: Right


@dataclass(frozen=True, slots=True)
class Target:
    """Where to ask, as whom, what."""

    host: str
    path: str
    keys: Sequence[str | None]
    probes: Sequence[Probe]


@dataclass(slots=True)
class Seen:
    """What the kiosks of one run saw."""

    seconds: list[float] = field(default_factory=list)  # of right answers
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rps(self) -> float:
        """Right answers a second."""
        return len(self.seconds) / self.elapsed

    def ms(self, percentile: int) -> float:
        return 1000 * statistics.quantiles(self.seconds, n=100)[percentile - 1]

    def add(self, other: "Seen") -> None:
        self.seconds += other.seconds
        self.statuses += other.statuses
        self.wrong += other.wrong
        self.elapsed += other.elapsed


def hammer(
    target: Target,
    *,
    kiosks: int,
    seconds: float = float("inf"),
    answers: float = float("inf"),
    busy_is_wrong: bool = True,
    meanwhile: Callable[[int], None] | None = None,
) -> Seen:
    """Ask for so long, or until so many answers; `meanwhile` is told their number twice a second.

    A 503 that says when to come again is obeyed where it is not counted as wrong.
    """
    seen, lock, over = Seen(), threading.Lock(), threading.Event()

    def kiosk(turn: int) -> None:
        with Line(target.host, target.keys[turn % len(target.keys)]) as line:
            while not over.is_set():
                probe = target.probes[turn % len(target.probes)]
                turn += 1
                try:
                    answer = line.ask("POST", target.path, probe.body)
                except OSError as error:
                    with lock:
                        seen.wrong.append(repr(error))
                    continue
                busy = answer.status == 503 and "retry-after" in answer.headers
                with lock:
                    seen.statuses[answer.status] += 1
                    if answer.status == 200 and probe.right(answer):
                        seen.seconds.append(answer.seconds)
                    elif not busy or busy_is_wrong:
                        seen.wrong.append(f"{answer.status} {answer.content[:300]!r}")
                    if sum(seen.statuses.values()) >= answers:
                        over.set()
                if busy:
                    over.wait(min(float(answer.headers["retry-after"]), 1.0))

    threads = [threading.Thread(target=kiosk, args=(i,)) for i in range(kiosks)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    while not over.wait(min(0.5, max(0.0, began + seconds - time.perf_counter()))):
        if meanwhile is not None:
            meanwhile(len(seen.seconds))
        if time.perf_counter() - began >= seconds:
            over.set()
    for thread in threads:
        thread.join()
    seen.elapsed = time.perf_counter() - began
    return seen
