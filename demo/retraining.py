"""Follow a retraining from the change that asked for it to the model that serves."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from demo.client import Client, Json

STEPS = (
    ("snapshot", "Data pinned", "sealed captures, one version in git and DVC"),
    ("features", "Captures seen", "embeddings of what is new"),
    ("train", "Families trained", "each on members and a cohort of strangers"),
    ("judge", "Gate", "no worse than the champion, within its limits"),
    ("register", "Registered", "a version in MLflow, with its lineage"),
    ("deploy", "Live", "swapped in while the fridge answers"),
    ("verify", "Verified", "canaries score to the last digit as in training"),
)
"""What a run tells of, in its order: its name there, and in words."""

PATIENCE_S = 240.0
_BETWEEN_S = 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `run` is None until a worker takes it on, `ended` until it has ended."""

    run: str | None = None
    lines: tuple[Json, ...] = ()
    ended: Json | None = None
    given_up: bool = False
    """Nobody took it on, or it took too long to be waited for."""

    def state(self, step: str) -> tuple[str, Json]:
        """The latest that was told of a step, and its detail."""
        of_it = [line for line in self.lines if line.get("step") == step]
        done = [line for line in of_it if line.get("state") != "begun"]
        latest = (done or of_it or [{}])[-1]
        return str(latest.get("state") or ""), dict(latest.get("detail") or {})

    @property
    def passed(self) -> bool:
        return self.ended is not None and self.ended.get("state") == "done"


def follow(
    admin: Client,
    fridge: str,
    *,
    patience: float = PATIENCE_S,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Progress]:
    """Each step as it is told, until no change of the fridge waits for a model any more."""
    until = clock() + patience
    now = Progress()
    yield now
    seen: str | None = None
    while clock() < until:
        waiting = admin.changes_waiting(fridge)
        run = next((str(r["run"]) for r in reversed(waiting) if r.get("run")), None)
        if not waiting and seen is not None:
            return
        if not waiting:
            run = _latest(admin, fridge)
            if run is None:
                return
        if run is None or run == seen:
            pause(_BETWEEN_S)
            continue
        for now in _through(admin, fridge, run):
            yield now
            if clock() > until:
                break
        seen = run
    yield replace(now, given_up=True)


def _through(admin: Client, fridge: str, run: str) -> Iterator[Progress]:
    now = Progress(run=run)
    yield now
    for event, told in admin.retraining_events(run):
        if event == "end":
            yield Progress(run, now.lines, told)
            return
        if told.get("fridge") in (None, fridge):
            now = Progress(run, (*now.lines, told))
            yield now


def _latest(admin: Client, fridge: str) -> str | None:
    runs = admin.retrainings(fridge, limit=1)
    return str(runs[0]["id"]) if runs else None
