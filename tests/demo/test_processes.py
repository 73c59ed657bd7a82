"""Real processes, started and ended; and a stranger's, which is left alone."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.problems import DemoProblem
from demo.processes import Program, ask_for_port

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True);"
    " time.sleep(600)",
]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program("sleeper", tmp_path)
    yield made
    made.stop()


def said(program: Program) -> bool:
    return program.log.exists() and "here" in program.log.read_text()


def test_a_program_is_started_remembered_and_ended(program: Program) -> None:
    assert program.running() is None
    program.start(SLEEP, {}, 12345)
    program.wait(lambda: said(program), 30)
    assert Program("sleeper", program.folder).running() == 12345
    assert program.stop()
    assert program.running() is None
    assert not program.file.exists()
    assert not program.stop()


def test_one_that_does_not_listen_is_ended_all_the_same(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.processes._PATIENCE_S", 0.5)
    program.start(STUBBORN, {}, 1)
    program.wait(lambda: said(program), 30)
    assert program.stop()
    assert program.running() is None


def test_a_pid_that_somebody_else_has_now_is_left_alone(program: Program) -> None:
    stranger = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    try:
        program.file.write_text(json.dumps({"pid": stranger.pid, "began": "1", "port": 1}))
        assert program.running() is None
        assert not program.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "began": 1}'])
def test_a_damaged_pid_file_means_nothing_runs(program: Program, content: str) -> None:
    program.file.write_text(content)
    assert program.running() is None
    assert not program.stop()


def test_what_ends_at_once_shows_its_last_words(program: Program) -> None:
    program.start([sys.executable, "-c", "raise SystemExit('no database')"], {}, 1)
    with pytest.raises(DemoProblem, match="no database") as caught:
        program.wait(lambda: False, 30)
    assert str(program.log) in caught.value.next_step


def test_what_is_never_ready_is_ended(program: Program) -> None:
    program.start(SLEEP, {}, 1)
    with pytest.raises(DemoProblem, match="not ready"):
        program.wait(lambda: False, 0.5)
    assert program.running() is None


def test_the_environment_is_passed_on(program: Program) -> None:
    show = [sys.executable, "-c", "import os; print('here', os.environ['VX_TEST'], flush=True)"]
    program.start(show, {"VX_TEST": "given"}, 1)
    # It ends by itself: what it said is in the log.
    while program.running():
        os.sched_yield()
    assert "given" in program.log.read_text()


def test_a_busy_port_names_the_setting_that_changes_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DemoProblem, match=f"make demo API_PORT={port + 100}"):
            ask_for_port(port, "API_PORT")
    ask_for_port(port, "API_PORT")
