"""Refusals that come thick and fast at one kiosk: somebody is trying, or it sees nobody well."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from visavox.monitoring.visits import Seen

MORE_THAN = 3
WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Burst:
    """The most refusals that fell into any five minutes at one kiosk, and when those ended."""

    kiosk: str
    refusals: int
    until: datetime

    @property
    def alarming(self) -> bool:
        return self.refusals > MORE_THAN


def bursts(seen: Iterable[Seen]) -> tuple[Burst, ...]:
    """The worst burst of each kiosk that refused anybody, the worst first.

    A poor capture is no refusal: the person is told what to do, and tries again.
    """
    times: dict[str, list[datetime]] = {}
    for one in sorted(seen, key=lambda s: s.at):
        if one.failed:
            times.setdefault(one.kiosk, []).append(one.at)
    found = [_worst(kiosk, at) for kiosk, at in times.items()]
    return tuple(sorted(found, key=lambda b: (-b.refusals, b.kiosk)))


def _worst(kiosk: str, at: list[datetime]) -> Burst:
    worst, start = Burst(kiosk, 0, at[0]), 0
    for end, now in enumerate(at):
        while now - at[start] > WITHIN:
            start += 1
        if end - start + 1 > worst.refusals:
            worst = Burst(kiosk, end - start + 1, now)
    return worst
