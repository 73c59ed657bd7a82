"""The ledger's repository: made where there is none, and written by one process at a time."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from visavox.errors import LedgerError
from visavox.training.production import ledger_pointer, ledger_version
from visavox.training.production.ledger_dvc import Data
from visavox.training.production.ledger_git import MAIN, Git
from visavox.training.production.ledger_lock import locked
from visavox.training.production.ledger_pointer import Pointer
from visavox.training.production.ledger_version import TAGS

_FILES = {
    ".gitignore": "/.lock\n/.unfinished\n/.seen/\n/fridges/*/*/\n",
    "README.md": """\
# Data versions

Every commit is a state of the data that fridges were retrained on: sealed captures of members.
`git log` says what changed, `git tag` names the runs, and `dvc checkout fridges/<xx>/<fridge>.dvc`
brings a fridge's folder back as the checked-out commit has it. Nothing here opens without the
members' keys. Written by a program that holds `.lock` meanwhile: read here, and change nothing.
""",
}


class Repository:
    """Git with DVC in one folder."""

    def __init__(self, root: Path, data: Data) -> None:
        self.root, self.data, self.git = root, data, Git(root)

    def set_up(self) -> None:
        """Make it, or bring its settings up to date. Nobody waits where there is nothing to do."""
        if self._is_set_up():
            return
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.turn() as git:
            self._set_up(git)

    def pointers(self, commit: str, fridges: Sequence[str]) -> dict[str, Pointer]:
        found = self.git.read(commit, [ledger_pointer.path(f) for f in fridges])
        pairs = zip(fridges, found, strict=True)
        return {f: ledger_pointer.read(content) for f, content in pairs if content is not None}

    def tags(self, run: str) -> list[str]:
        """Those that the run has so far, oldest first."""
        found = self.git.tags(f"{TAGS}{run}") + self.git.tags(f"{TAGS}{run}.*")
        return sorted(found, key=lambda name: (len(name), name))

    def free(self, run: str) -> str:
        """The run's tag; with a number, where it has one already."""
        count = len(self.tags(run))
        return f"{TAGS}{run}.{count + 1}" if count else f"{TAGS}{run}"

    @contextlib.contextmanager
    def turn(self) -> Iterator[Git]:
        """Alone in the ledger, and after whatever a killed process left was put right."""
        with locked(self.root / ".lock") as held:
            git = Git(self.root, held=held)
            unfinished = self.root / ".unfinished"
            if git.exists and (unfinished.exists() or git.strayed):
                git.repair()
                self.data.repair()
                self._tag_newest(git)
            unfinished.touch()
            yield git
            unfinished.unlink()

    def _tag_newest(self, git: Git) -> None:
        """A process may have been killed between its commit and the tag."""
        head = git.head()
        if head is None or git.tags(TAGS, on=head):
            return
        with contextlib.suppress(LedgerError):
            record = ledger_version.parsed(git.message(head))
            if record.run:
                git.tag(self.free(record.run), head, record.text())

    def _is_set_up(self) -> bool:
        if not self.git.exists or self.git.head() is None:
            return False
        return all(_has(self.root / name, text) for name, text in self._setting().items())

    def _setting(self) -> dict[str, str]:
        return _FILES | self.data.config()

    def _set_up(self, git: Git) -> None:
        if git.head() is None:
            git.init()  # also where it was killed before: it does what is left to do
        for name, text in self._setting().items():
            if not _has(self.root / name, text):
                (self.root / name).parent.mkdir(exist_ok=True)
                (self.root / name).write_text(text, encoding="utf-8")
        names = [name for name in self._setting() if name not in self.data.local]
        there = [(self.root / name).read_bytes() for name in names]
        if git.head() is None or git.read(MAIN, names) != there:
            git.commit(names, "Set up the ledger\n", datetime.now(UTC))


def _has(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
