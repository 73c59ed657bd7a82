"""A week of 100,000 fridges, retrained as `flows/retrain.py` does it: how long a change waits.

    python research/2026-11-scale/simulate.py

Changes come at random, most of them in working hours. Whenever a worker is free it takes on every
fridge that waits, in one run; a run takes a fixed time, plus the work of its fridges shared out
over the cores. Two constants are measured, on two busy cores: reports/retraining.json. That of
registration was timed once by hand, at the same load, and stands in no report.
"""

import heapq
import json
import random
import statistics
from dataclasses import dataclass
from pathlib import Path

ALONE_S, MORE_S = 27.5, 4.45
"""A run of one fridge, and each further one in a run of 98."""
REGISTER_S = 0.149
"""Of one fridge, in the one task that joins the others."""
WORK_S = 2 * (MORE_S - REGISTER_S)
"""Core-seconds for one fridge beside that."""
FIXED_S = ALONE_S - WORK_S - REGISTER_S
"""Of a run, whatever it holds."""
CHANGES_A_MONTH = 2.0
"""Of one fridge: members who come, go or are enrolled again."""
DAY, WEEK = 86_400.0, 7 * 86_400.0


@dataclass(frozen=True)
class Told:
    """One week, at so many fridges and cores."""

    fridges: int
    cores: int
    changes: int
    runs: int
    largest_run: int
    median_s: float
    p99_s: float
    busy: float
    """Share of the week in which the worker was at work."""


def busyness(at: float) -> float:
    """How the rate of changes at this time compares with the mean: nine to six, Monday to Friday."""
    day, hour = int(at // DAY) % 7, (at % DAY) / 3600
    at_work = day < 5 and 9 <= hour < 18
    # 45 of 168 hours hold four of five changes.
    return 0.8 * 168 / 45 if at_work else 0.2 * 168 / 123


def arrivals(fridges: int, rng: random.Random) -> list[tuple[float, int]]:
    """(when, which fridge), by thinning."""
    most = 0.8 * 168 / 45
    rate = fridges * CHANGES_A_MONTH / (30 * DAY)
    found, at = [], 0.0
    while (at := at + rng.expovariate(rate * most)) < WEEK:
        if rng.random() < busyness(at) / most:
            found.append((at, rng.randrange(fridges)))
    return found


def week(fridges: int, cores: int, *, seed: int = 1) -> Told:
    """One worker, one run at a time."""
    changes = arrivals(fridges, random.Random(seed))
    heapq.heapify(changes)
    waiting: dict[int, list[float]] = {}
    free, worked, runs, largest = 0.0, 0.0, 0, 0
    waits: list[float] = []
    while changes or waiting:
        if not waiting:
            free = max(free, changes[0][0])
        while changes and changes[0][0] <= free:
            at, fridge = heapq.heappop(changes)
            waiting.setdefault(fridge, []).append(at)
        took = duration(len(waiting), cores)
        runs, largest, worked = runs + 1, max(largest, len(waiting)), worked + took
        free += took
        waits += [free - at for asked in waiting.values() for at in asked]
        waiting.clear()
    return Told(
        fridges, cores, len(waits), runs, largest,
        statistics.median(waits), statistics.quantiles(waits, n=100)[98], worked / WEEK,
    )  # fmt: skip


def duration(fridges: int, cores: int) -> float:
    """Of one run: no fridge is shared between cores; registration is one task's."""
    return FIXED_S + max(WORK_S, fridges * WORK_S / cores) + fridges * REGISTER_S


def main() -> None:
    told = [
        week(n, c) for n, c in ((100, 2), (1_000, 2), (10_000, 4), (100_000, 16), (100_000, 64))
    ]
    for one in told:
        print(
            f"| {one.fridges:,} | {one.cores} | {one.changes:,} | {one.runs:,} |"
            f" {one.largest_run} | {one.median_s:.0f} | {one.p99_s:.0f} | {one.busy:.0%} |"
        )
    sweep = {f"{c}": duration(100_000, c) / 3600 for c in (64, 256, 1024)}
    print("all 100,000 at once, hours by cores:", {k: round(v, 2) for k, v in sweep.items()})
    result = {"weeks": [vars(one) for one in told], "sweep_hours": sweep}
    Path(__file__).with_name("result.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
