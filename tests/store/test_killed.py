"""Killed at any moment, the store keeps all that it acknowledged and nothing that is half."""

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.store.enrolling import CAPTURES
from tests.store.people import furnish, later, raw
from visavox.store import Store, rotation
from visavox.store import open as open_store
from visavox.store.keyring import Keyring, MasterKey, write

ROOT = Path(__file__).parents[2]


def run_and_kill(module: str, *arguments: str, lines: int, then_s: float = 0.0) -> list[str]:
    """All that it said until it was killed, which was a moment after that many lines."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = [process.stdout.readline() for _ in range(lines)]
        time.sleep(then_s)
    finally:
        process.send_signal(signal.SIGKILL)
        said += process.communicate()[0].splitlines(keepends=True)
    assert len(said) >= lines
    # What was cut off while being said counts as not said.
    return [line for line in said if line.endswith("\n")]


def test_a_member_is_enrolled_whole_or_not_at_all(
    store: Store, database_url: str, keyring: Keyring, tmp_path: Path
) -> None:
    furnish(store)
    write(tmp_path / "key", [keyring.newest])
    captures = str(tmp_path / "captures")
    moments = random.Random(7)
    acknowledged: set[str] = set()
    erased: set[str] = set()
    for _ in range(3):
        said = run_and_kill(
            "tests.store.enrolling", database_url, str(tmp_path / "key"), captures,
            lines=moments.randint(2, 9), then_s=moments.uniform(0.0, 0.1),
        )  # fmt: skip
        acknowledged |= {line[1:].strip() for line in said if line.startswith("+")}
        erased |= {line[1:].strip() for line in said if line.startswith("-")}
    assert acknowledged
    named: set[str] = set()
    with store.read() as unit:
        there = set(unit.members.ids("kitchen"))
        # Each run may have done one thing more than it could say.
        assert len(acknowledged - erased - there) <= 3
        assert all(m not in there for m in erased)
        assert len(there - (acknowledged - erased)) <= 3
        for member in there:
            kept = unit.captures.of("kitchen", member)
            assert [unit.captures.raw(c) for c in kept] == [raw(k) for k in range(CAPTURES)]
            named |= {name for c in kept for name in c.blob}
        assert unit.audit.verify().valid
        # A record for each thing done, and for nothing else.
        records = list(unit.audit.records())
        added = {r.subject for r in records if r.action == "member.added"}
        gone = {r.subject for r in records if r.action == "member.erased"}
        assert added - gone == there
    store.sweep(at=datetime.now(UTC) + timedelta(hours=2))
    assert {name for name, _ in store.blobs.names()} == named


def test_a_rotation_killed_half_way_goes_on_where_it_was(
    store: Store,
    database_url: str,
    keyring: Keyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    furnish(store)
    with store.begin() as unit:
        for i in range(40):
            unit.members.add(
                "kitchen", None, name=f"M{i}", locale="en", consent_at=later(i), at=later(i)
            )
    new = MasterKey.made()
    write(tmp_path / "key", [new, keyring.newest])
    run_and_kill("tests.store.rotating", database_url, str(tmp_path / "key"), lines=1)
    both = open_store(database_url, keyring=Keyring.file(tmp_path / "key"), blobs=store.blobs)
    left = both.wrapped()[keyring.newest.id]
    assert left == 37
    with both.read() as unit:
        assert {m.name for m in unit.members.page("kitchen").items} == {f"M{i}" for i in range(40)}
    monkeypatch.setattr(rotation, "STEP", 7)
    assert both.rotate(at=later(1)) == left
    assert both.wrapped() == {new.id: 42}
    both.close()
