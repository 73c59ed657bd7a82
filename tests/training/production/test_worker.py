"""The worker with a real program for its flow: whatever is killed, each run is gone on with once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.training.production import flow
from visavox.errors import NotFound
from visavox.service.house import utc_now
from visavox.store import Store
from visavox.store.records import Run, RunState
from visavox.store.retraining import Patience
from visavox.store.settings import StoreSettings
from visavox.training.production import outbox
from visavox.training.production.engine import Engine
from visavox.training.production.places import Addresses, Places
from visavox.training.production.processes import Process
from visavox.training.production.worker import Chore, Worker, WorkerSettings

_NONE = timedelta()
NOW = Patience(settle=_NONE, longest=_NONE, first=_NONE, attempts=2)
"""Nothing is waited for."""
SETTINGS = WorkerSettings(poll_s=0.02, heartbeat_s=0.0, silent_s=60.0, resumptions=3)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places.of(StoreSettings(state=tmp_path / "state"), Addresses())


@pytest.fixture
def engine(places: Places) -> Engine:
    return Engine(Path(flow.__file__), Path.cwd(), places)


@pytest.fixture
def worker(store: Store, engine: Engine) -> Iterator[Worker]:
    made = Worker(store, engine, SETTINGS, NOW)
    yield made
    if made.run:
        engine.stop(made.run)


def ask(store: Store, *fridges: str) -> None:
    with store.begin() as unit:
        for fridge in fridges:
            unit.retraining.request(fridge, reason="member_enrolled", at=utc_now())


def run_of(store: Store) -> Run:
    with store.read() as unit:
        return unit.runs.page(limit=1).items[0]


def order(places: Places, run: str, what: str) -> None:
    (places.run(run) / "orders").write_text(what)


def told(places: Places, run: str) -> list[str]:
    path = places.run(run) / "told"
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def turns(worker: Worker, until_: Callable[[], object]) -> None:
    def turned() -> object:
        worker.turn()
        return until_()

    until(turned)


def finish(store: Store, run: Run, **errors: str) -> None:
    """What the flow's last step does."""
    with store.begin() as unit:
        outbox.finish(unit, run, errors, at=utc_now(), attempts=NOW.attempts)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestOneWorker:
    def test_all_that_wait_are_taken_on_by_one_run(
        self, store: Store, worker: Worker, places: Places
    ) -> None:
        ask(store, "kitchen", "hall", "kitchen")
        assert worker.turn()
        run = run_of(store)
        assert run.fridges == ("kitchen", "hall")
        assert run.reason == "member_enrolled"
        turns(worker, lambda: told(places, run.id) == ["run"])
        ask(store, "attic")
        worker.turn()
        assert run_of(store).id == run.id  # one at a time
        finish(store, run)
        order(places, run.id, "end")
        turns(worker, lambda: run_of(store).id != run.id)
        assert run_of(store).fridges == ("attic",)

    def test_a_heartbeat_shows_that_it_is_at_work(self, store: Store, worker: Worker) -> None:
        ask(store, "kitchen")
        worker.turn()
        began = run_of(store).updated_at
        turns(worker, lambda: run_of(store).updated_at > began)

    def test_a_flow_that_is_killed_is_resumed_from_where_it_was(
        self, store: Store, worker: Worker, places: Places
    ) -> None:
        ask(store, "kitchen")
        worker.turn()
        run = run_of(store)
        for times in range(1, 3):
            turns(worker, lambda n=times: len(told(places, run.id)) == n)  # type: ignore[misc]
            kill(places, run.id)
        turns(worker, lambda: told(places, run.id) == ["run", "resume", "resume"])
        with store.read() as unit:
            (request,) = unit.retraining.of(run.id)
        assert (request.attempts, request.done_at) == (1, None)

    def test_one_that_is_killed_again_and_again_fails_and_is_tried_anew(
        self, store: Store, worker: Worker, places: Places
    ) -> None:
        ask(store, "kitchen")
        worker.turn()
        run = run_of(store)
        for times in range(1, SETTINGS.resumptions + 2):
            turns(worker, lambda n=times: len(told(places, run.id)) == n)  # type: ignore[misc]
            kill(places, run.id)
        turns(worker, lambda: run_of(store).id != run.id)
        with store.read() as unit:
            assert unit.runs.get(run.id).state is RunState.FAILED
            (request,) = unit.retraining.pending("kitchen")
        assert request.attempts == 2

    def test_a_flow_that_fails_by_itself_is_not_resumed_and_given_up_after_some_times(
        self, store: Store, worker: Worker, places: Places
    ) -> None:
        ask(store, "kitchen")
        seen: set[str] = set()

        def settled() -> bool:
            if worker.run and worker.run not in seen:
                seen.add(worker.run)
                with store.begin() as unit:
                    unit.progress.add(
                        worker.run, None, "train", "failed", {"error": "No data."}, at=utc_now()
                    )
                order(places, worker.run, "fail")
            with store.read() as unit:
                return not unit.retraining.pending() and not worker.run

        turns(worker, settled)
        assert len(seen) == NOW.attempts
        assert all(told(places, run) == ["run"] for run in seen)
        last = run_of(store)
        assert (last.state, last.error) == (RunState.GIVEN_UP, "No data.")
        with store.read() as unit:
            (event,) = unit.events.page(kind="retraining_given_up").items
        assert event.detail["run"] == last.id

    def test_a_fridge_that_fails_is_tried_again_without_the_others(
        self, store: Store, worker: Worker, places: Places
    ) -> None:
        ask(store, "kitchen", "hall")
        worker.turn()
        run = run_of(store)
        finish(store, run, hall="It has no captures.")
        order(places, run.id, "end")
        until(lambda: worker.engine.code(run.id) is not None)
        turns(worker, lambda: run_of(store).id != run.id)
        assert run_of(store).fridges == ("hall",)
        with store.read() as unit:
            assert unit.retraining.pending("kitchen") == ()

    def test_told_to_stop_it_ends_its_flow_and_the_next_one_resumes_it(
        self, store: Store, engine: Engine, places: Places
    ) -> None:
        ask(store, "kitchen")
        stop = threading.Event()
        first = Worker(store, engine, SETTINGS, NOW)
        at_work = threading.Thread(target=first.work, args=(stop,))
        at_work.start()
        until(lambda: first.run and told(places, first.run) == ["run"])
        run = run_of(store)
        stop.set()
        at_work.join(30)
        assert not engine.alive(run.id)
        assert run_of(store).state is RunState.RUNNING
        disown(store, run)
        second = Worker(store, engine, SETTINGS, NOW)
        turns(second, lambda: told(places, run.id) == ["run", "resume"])
        engine.stop(run.id)

    def test_a_flow_that_outlived_its_worker_is_left_at_work(
        self, store: Store, places: Places, engine: Engine
    ) -> None:
        ask(store, "kitchen")
        lost = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL
        )
        first = Worker(store, engine, SETTINGS, NOW)
        first.turn()
        run = run_of(store)
        until(lambda: told(places, run.id) == ["run"])
        disown(store, run, Process.of(lost.pid))
        second = Worker(store, replace(engine, _children={}), SETTINGS, NOW)
        assert not second.turn()  # its worker lives
        assert second.run == ""
        lost.kill()
        lost.wait()
        turns(second, lambda: second.run == run.id)
        second.turn()
        assert told(places, run.id) == ["run"]
        finish(store, run)
        order(places, run.id, "end")
        until(lambda: engine.code(run.id) is not None)
        turns(second, lambda: not second.run)
        assert told(places, run.id) == ["run"]

    def test_a_run_that_was_taken_on_but_never_started_is_started(
        self, store: Store, worker: Worker, places: Places
    ) -> None:
        ask(store, "kitchen")
        with store.begin() as unit:
            run = outbox.begin(unit, at=utc_now(), patience=NOW, owner={}, limit=9)
        assert run is not None
        assert not worker.turn()  # whoever began it may be about to
        with store.begin() as unit:
            unit.runs.note(run.id, at=utc_now().replace(year=2020))
        turns(worker, lambda: told(places, run.id) == ["run"])

    def test_what_a_chore_raises_stops_nothing(self, store: Store, engine: Engine) -> None:
        done: list[str] = []

        def raises() -> None:
            done.append("raised")
            raise NotFound("There is none.", next_step="Nothing.")

        def breaks() -> None:
            done.append("broke")
            raise ZeroDivisionError

        chores = (Chore("a", 0.0, raises), Chore("b", 0.0, breaks), Chore("c", 60.0, done.clear))
        worker = Worker(store, engine, SETTINGS, NOW, chores=chores)
        worker.turn()
        worker.turn()
        assert done == ["raised", "broke"]


def test_of_two_workers_one_takes_on_what_waits_and_one_what_was_left(
    store: Store, engine: Engine, places: Places
) -> None:
    ask(store, "kitchen", "hall")
    two = [Worker(store, replace(engine, _children={}), SETTINGS, NOW) for _ in range(2)]
    together(two)
    assert sorted(bool(worker.run) for worker in two) == [False, True]
    (first,) = [worker for worker in two if worker.run]
    run = run_of(store)
    until(lambda: told(places, run.id) == ["run"])
    first.engine.stop(run.id)
    disown(store, run)
    others = [Worker(store, replace(engine, _children={}), SETTINGS, NOW) for _ in range(2)]
    together(others)
    (second,) = [worker for worker in others if worker.run]
    turns(second, lambda: told(places, run.id) == ["run", "resume"])
    second.engine.stop(run.id)


def together(workers: list[Worker]) -> None:
    threads = [threading.Thread(target=worker.turn) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def kill(places: Places, run: str) -> None:
    """The flow, from outside, as the machine does when memory is short."""
    process = Engine(Path("x"), Path(), places)._process(run)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not process.alive)


def disown(store: Store, run: Run, by: Process | None = None) -> None:
    """As if another process had worked on it, which is gone unless it is named."""
    owner = by or replace(Process.of(), began="1")
    with store.begin() as unit:
        unit.runs.note(run.id, at=utc_now(), detail={"worker": dict(owner.to_json())})
