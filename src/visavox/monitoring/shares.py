"""Members' shares of the grants: one that jumps is a guest with their key, or a model that errs.

The window is compared with the weeks before by Fisher's exact test, one-sided, for each member,
corrected for their number: where everybody comes as often as they did, at most `FALSE_ALARMS` of
looks find a jump.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

FALSE_ALARMS = 0.001
RISE = 0.2
"""By how much a share must have risen before anybody needs to know."""


@dataclass(frozen=True, slots=True)
class Shares:
    """One fridge's. `most` names a member: it stays in the report, and out of every label."""

    grants: int
    before: int
    largest: float
    gini: float
    """0: all alike. 1: all grants are one member's."""
    jumped: str | None
    rise: float
    p: float
    """Of the most striking rise, corrected for the number of members."""


def judged(before: Mapping[str, int], now: Mapping[str, int], members: int) -> Shares:
    """Visits by member, granted before and now; `members` is how many there are."""
    old, new = sum(before.values()), sum(now.values())
    jumped: tuple[float, str | None, float] = (1.0, None, 0.0)
    tests = max(len({*before, *now}), 1)
    if old and new:
        for who, k in sorted(now.items()):
            rise = k / new - before.get(who, 0) / old
            p = min(1.0, tests * at_least(k, new, before.get(who, 0), old))
            if rise >= RISE and p < jumped[0]:
                jumped = (p, who, rise)
    p, member, rise = jumped
    return Shares(
        grants=new,
        before=old,
        largest=max(now.values(), default=0) / max(new, 1),
        gini=gini([*now.values(), *[0] * max(0, members - len(now))]),
        jumped=member if p <= FALSE_ALARMS else None,
        rise=rise if p <= FALSE_ALARMS else 0.0,
        p=p,
    )


def at_least(k: int, n: int, before: int, of: int) -> float:
    """Chance that so many or more of all these visits fell into the window of n."""
    total, all_n = k + before, n + of
    log_all = _log_choose(all_n, n)
    tail = [
        math.exp(_log_choose(total, i) + _log_choose(all_n - total, n - i) - log_all)
        for i in range(k, min(total, n) + 1)
        if n - i <= all_n - total
    ]
    return min(1.0, math.fsum(tail))


def gini(counts: list[int]) -> float:
    """Half the mean difference of all pairs, over the mean."""
    total, n = sum(counts), len(counts)
    if total == 0:
        return 0.0
    ranked = sum((2 * rank - n - 1) * c for rank, c in enumerate(sorted(counts), start=1))
    return ranked / (n * total)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
