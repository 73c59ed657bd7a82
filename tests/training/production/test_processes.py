"""Processes are known by more than their number, and only what is ours is ended."""

import os
import subprocess
import sys
from dataclasses import replace

from visavox.training.production.processes import Process, began

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # marked"])
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, other.pid, flush=True)
time.sleep(600)  # marked
"""


def test_a_process_is_told_apart_from_one_that_has_its_number_later() -> None:
    this = Process.of()
    assert this.pid == os.getpid()
    assert this.alive
    assert not replace(this, began="1").alive
    assert not replace(this, host="elsewhere").alive
    assert not replace(this, host="elsewhere").here
    assert Process.told(this.to_json()) == this
    assert Process.told({"pid": "x"}) is None
    assert Process.told(None) is None


def test_a_group_is_ended_as_far_as_it_is_ours_even_when_its_leader_is_gone() -> None:
    leader = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert leader.stdout is not None
    child, other = map(int, leader.stdout.readline().split())
    process = Process.of(leader.pid)
    try:
        leader.kill()
        leader.wait()
        assert not process.alive
        assert began(child)
        process.end_group("marked")
        assert not began(child)
        assert began(other)
    finally:
        process.end_group("time.sleep")
        leader.stdout.close()
    assert not began(other)
