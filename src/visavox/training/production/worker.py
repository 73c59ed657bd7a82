"""The worker: takes on what waits, keeps a flow at work on it, and goes on with what others left.

Everything that it knows is in the database and in the files of a run. It may be killed at any
time, with or without its flow, and two may work at once.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from visavox.config import settings
from visavox.errors import VisavoxError
from visavox.service.house import Clock, utc_now
from visavox.store import Store
from visavox.store.records import Run, RunState
from visavox.store.retraining import Patience
from visavox.training.production import outbox
from visavox.training.production.engine import Engine
from visavox.training.production.processes import Process

log = logging.getLogger(__name__)


@settings
class WorkerSettings:
    poll_s: float = 1.0
    heartbeat_s: float = 3.0
    silent_s: float = 60.0
    """A run of another machine that was not heard of for so long is gone on with here."""
    resumptions: int = 20
    """Of one run, at the most: what breaks off more often fails, and is tried anew later."""
    fridges: int = 1000
    """Of one run, at the most."""


@dataclass(frozen=True, slots=True)
class Chore:
    """What the worker does besides, now and then. What it raises is logged, and no more."""

    name: str
    every_s: float
    do: Callable[[], object]
    after_s: float = 0.0
    """After the worker's start; then every so often."""
    first: bool = False
    """Also just before a run is begun."""


@dataclass(slots=True)
class Worker:
    """One retraining at a time; its flow spreads over the cores, or over a cluster."""

    store: Store
    engine: Engine
    settings: WorkerSettings = field(default_factory=WorkerSettings)
    patience: Patience = field(default_factory=Patience)
    chores: Sequence[Chore] = ()
    track: Callable[[str], str] | None = None
    """Gives a run its name on the tracking server; this process has imported MLflow already."""
    clock: Clock = utc_now
    run: str = ""
    """The one that this worker works on."""
    _beat: float = 0.0
    _due: dict[str, float] = field(default_factory=dict)

    def work(self, stop: threading.Event) -> None:
        """Until told to stop; a run at work is broken off then, and whoever comes next resumes it."""
        try:
            while not stop.is_set():
                try:
                    busy = self.turn()
                except VisavoxError as error:
                    log.warning("the database or a folder is away: %s", error.problem)
                    busy = False
                except Exception:
                    log.exception("a turn of the worker broke")  # nobody is there to start it again
                    busy = False
                if not busy:
                    stop.wait(self.settings.poll_s)
        finally:
            if self.run:
                self.engine.stop(self.run)

    def turn(self) -> bool:
        """Look once at everything; whether there is more to do at once."""
        if self.run:
            busy = self._attend()
            self._chores()
            return busy
        if self._take_over():  # first: chores may take seconds, and what is left waits already
            return True
        self._chores()
        return self._take_on()

    def _take_on(self) -> bool:
        """Begin a run over all fridges that wait."""
        with self.store.read() as unit:
            if not unit.retraining.waiting(at=self.clock(), patience=self.patience, limit=1):
                return False
        for chore in self.chores:
            if chore.first:
                self._do(chore)
        with self.store.begin() as unit:
            run = outbox.begin(
                unit,
                at=self.clock(),
                patience=self.patience,
                owner=self._owner(),
                limit=self.settings.fridges,
            )
        if run is None:
            return False
        log.info("%s: %d fridges (%s)", run.id, len(run.fridges), run.reason)
        self.run = run.id
        self._track(run)
        self.engine.start(run.id)
        return True

    def _track(self, run: Run) -> None:
        if self.track is None:
            return
        try:
            detail = {**run.detail, "mlflow": self.track(run.id)}
        except Exception:  # whatever a server's client raises: the flow asks once more
            log.exception("%s: it is not known to the tracking server", run.id)
            return
        with self.store.begin() as unit:
            unit.runs.note(run.id, at=self.clock(), detail=detail)

    def _take_over(self) -> bool:
        """Go on with a run whose worker is gone."""
        with self.store.read() as unit:
            left = [run for run in unit.runs.at_work(outbox.RETRAIN) if self._is_left(run)]
        for run in left:
            with self.store.begin() as unit:
                mine = unit.runs.take_over(run, at=self.clock(), detail=self._owner())
            if mine:
                log.info("%s: going on with what another worker left", run.id)
                self.run = run.id
                return True
        return False

    def _attend(self) -> bool:
        """See how the flow is: at work, ended, or broken off."""
        if self.engine.alive(self.run):
            self._heartbeat()
            return False
        with self.store.read() as unit:
            run = unit.runs.get(self.run)
        if run.state is not RunState.RUNNING:
            log.info("%s: %s", run.id, run.state)
            self.engine.stop(run.id)  # tasks that outlived it
            self.run = ""
            return True
        code = self.engine.code(run.id)
        if code is not None and code >= 0:  # it ended by itself, so it would again
            return self._failed(run, f"The flow ended with code {code}.")
        if self.engine.resumed(run.id) >= self.settings.resumptions:
            return self._failed(run, "The flow was broken off too often.")
        log.info("%s: the flow was broken off", run.id)
        if not self.engine.resume(run.id):
            self.engine.start(run.id)
        return False

    def _heartbeat(self) -> None:
        now = time.monotonic()
        if now - self._beat < self.settings.heartbeat_s:
            return
        self._beat = now
        with self.store.begin() as unit:
            unit.runs.note(self.run, at=self.clock())

    def _failed(self, run: Run, why: str) -> bool:
        with self.store.begin() as unit:
            said = unit.progress.last_error(run.id) or why
            outbox.fail(unit, run, said, at=self.clock(), attempts=self.patience.attempts)
        log.warning("%s: failed: %s", run.id, said)
        self.engine.stop(run.id)
        self.run = ""
        return True

    def _owner(self) -> dict[str, object]:
        return {"worker": dict(Process.of().to_json())}

    def _is_left(self, run: Run) -> bool:
        owner = Process.told(run.detail.get("worker"))
        if owner is not None and owner.here:
            return not owner.alive
        return run.updated_at < self.clock() - timedelta(seconds=self.settings.silent_s)

    def _chores(self) -> None:
        for chore in self.chores:
            due = self._due.setdefault(chore.name, time.monotonic() + chore.after_s)
            if time.monotonic() < due:
                continue
            self._do(chore)
            self._due[chore.name] = time.monotonic() + chore.every_s

    @staticmethod
    def _do(chore: Chore) -> None:
        try:
            chore.do()
        except VisavoxError as error:
            log.warning("%s: %s", chore.name, error.problem)
        except Exception:
            log.exception("%s", chore.name)
