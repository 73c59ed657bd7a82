"""Refusals that come thick and fast at one kiosk: somebody is trying, or it sees nobody well."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from visavox.monitoring.visits import Seen

MORE_THAN = 3
WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Burst:
    """Refusals at one kiosk: the most that fell into any five minutes of it, from its first on."""

    kiosk: str
    refusals: int
    since: datetime

    @property
    def alarming(self) -> bool:
        return self.refusals > MORE_THAN


def bursts(seen: Iterable[Seen]) -> tuple[Burst, ...]:
    """All alarming bursts, and of each kiosk without one its worst five minutes; the worst first.

    A poor capture is no refusal: the person is told what to do, and tries again.
    """
    times: dict[str, list[datetime]] = {}
    for one in sorted(seen, key=lambda s: s.at):
        if one.failed:
            times.setdefault(one.kiosk, []).append(one.at)
    found = [burst for kiosk, at in times.items() for burst in _of(kiosk, at)]
    return tuple(sorted(found, key=lambda b: (-b.refusals, b.kiosk, b.since)))


def _of(kiosk: str, at: list[datetime]) -> list[Burst]:
    alarming: list[Burst] = []
    worst, start, going = Burst(kiosk, 0, at[0]), 0, False
    for end, now in enumerate(at):
        while now - at[start] > WITHIN:
            start += 1
        burst = Burst(kiosk, end - start + 1, at[start])
        worst = burst if burst.refusals > worst.refusals else worst
        if not burst.alarming:
            going = False
        elif going:
            last = alarming[-1]
            alarming[-1] = Burst(kiosk, max(last.refusals, burst.refusals), last.since)
        else:
            alarming.append(burst)
            going = True
    return alarming or [worst]
