"""The steps of the flow `watch`, each a call that may be repeated."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from visavox.store import Store
from visavox.training.production import watching, workshop

GROUP = 100
"""Fridges of one task: a process costs more than to look at a few of them."""


def begin() -> list[list[str]]:
    """Walk the audit log. All fridges, some at a time; one group of none where there is none."""
    with workshop.opened() as shop:
        watching.verify(shop.store, at=shop.clock())
        return grouped(every(shop.store)) or [[]]


def look(fridges: Sequence[str], metaflow: str | None = None) -> dict[str, Mapping[str, Any]]:
    """Figures and causes per fridge, as they were kept."""
    with workshop.opened() as shop:
        found = watching.look(
            shop.store,
            shop.settings.models,
            fridges,
            watching.rules(),
            at=shop.clock(),
            metaflow=metaflow,
        )
    return {fridge: one.to_json() for fridge, one in found.items()}


def told(found: Sequence[Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """A line for each fridge of which there is something to say."""
    return [
        f"{fridge}: {said['why']}"
        + (f"; asked for {said['request']}" if said["request"] else "; asked for before")
        for some in found
        for fridge, said in sorted(some.items())
        if said["causes"]
    ]


class Aside:
    """`python -m flows watch` beside a worker: to look takes up to a second per fridge, and who
    waits to be retrained must not wait for that, nor for the cores."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> bool:
        """Start it; False where the former one is still at it. It ends by itself."""
        if self._child is not None and self._child.poll() is None:
            return False
        self._child = subprocess.Popen(
            ["nice", "-n", "10", sys.executable, "-m", "flows", "watch"],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        return True

    def wait(self, seconds: float) -> int | None:
        """What it ended with; None where there is none."""
        return None if self._child is None else self._child.wait(seconds)


def every(store: Store) -> list[str]:
    """The ids of all fridges."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        with store.read() as unit:
            page = unit.fridges.page(limit=200, cursor=cursor)
        found += [fridge.id for fridge in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


def grouped(fridges: Sequence[str], size: int = GROUP) -> list[list[str]]:
    """In order, `size` at a time."""
    return [list(fridges[i : i + size]) for i in range(0, len(fridges), size)]
