"""Snapshots that are killed at the n-th thing they do to the disk, for every n that is asked for.

python -m tests.training.production.killed FOLDER STRIDE

Prints how many were killed. A child of this process is killed, so that imports cost once.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import dvc.repo  # noqa: F401 - before the first child

from tests.store.people import enrol, furnish
from visavox import store as stores
from visavox.store import Store, blobs
from visavox.store.keyring import Keyring, MasterKey
from visavox.training.production.ledger import Ledger, Version
from visavox.training.production.ledger_dvc import key

_TOUCHES = {
    "open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.chmod",
    "subprocess.Popen", "sqlite3.connect",
}  # fmt: skip
KILLED = 9


def main(folder: Path, stride: int) -> int:
    """How many were killed, until one came through."""
    store = _store(folder)
    ledger = Ledger.open(folder / "ledger")
    furnish(store, "f0")
    enrol(store, fridge="f0")
    runs = [_taken(folder, store, ["f0"], "run_0")]
    kills, at = 0, 1
    while True:
        name = f"f{kills + 1}"
        furnish(store, name)
        enrol(store, fridge=name)
        enrol(store, f"new{kills}", fridge="f0")
        store.close()
        if not _killed(partial(_taken, folder, store, [name, "f0"], f"run_{kills}k"), at):
            return kills
        kills += 1
        if kills % 3 == 0:  # sometimes the erasure of a member comes first
            with store.begin() as unit:
                unit.members.delete("f0", f"new{kills - 1}")
            ledger.forget("f0", f"new{kills - 1}", datetime.now(UTC))
        runs.append(_taken(folder, store, [name, "f0"], f"run_{kills}"))
        _check(ledger, store, runs)
        at += stride


def _taken(folder: Path, store: Store, fridges: list[str], run: str) -> Version:
    return Ledger.open(folder / "ledger").snapshot(store, fridges, run=run, at=datetime.now(UTC))


def _killed(act: Callable[[], object], at: int) -> bool:
    """Whether the child died of it."""
    child = os.fork()
    if child == 0:
        left = at

        def hook(event: str, _arguments: object) -> None:
            nonlocal left
            if event in _TOUCHES:
                left -= 1
                if left == 0:
                    os._exit(KILLED)

        sys.addaudithook(hook)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, KILLED}, code
    return code == KILLED


def _check(ledger: Ledger, store: Store, runs: list[Version]) -> None:
    with store.read() as unit:
        for fridge, data in runs[-1].fridges.items():
            rows = unit.captures.sealed(fridge)
            assert data.captures == tuple(row.id for row in rows)
            files = ledger.data.files(data.dvc)
            assert len(files) == 1 + 3 * len(rows), "a manifest, and three parts of each"
    for made in runs:
        assert ledger.version(made.tag) == made
    far = Path(ledger.data.remote.url)
    for path in far.rglob("*"):
        if path.is_file() and path.parent.parent.name == "md5":
            name = path.parent.name + path.name.removesuffix(".dir")
            if len(name) == 32:  # DVC's own half copies have longer ones
                assert hashlib.md5(path.read_bytes()).hexdigest() == name
    for data in runs[-1].fridges.values():
        for md5 in (data.dvc, *ledger.data.files(data.dvc).values()):
            assert (far / key(md5)).is_file()
    said = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ledger.root, capture_output=True, check=True
    )
    assert said.stdout == b""


def _store(folder: Path) -> Store:
    store = stores.open(
        f"sqlite:///{folder / 'visavox.db'}",
        keyring=Keyring.of(MasterKey.made()),
        blobs=blobs.connect(str(folder / "captures")),
    )
    store.migrate()
    return store


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]), int(sys.argv[2]))}\n")
