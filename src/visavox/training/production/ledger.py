"""The ledger: every state of the data that a fridge was ever retrained on, as sealed captures.

    <root>/fridges/<xx>/<fridge>.dvc                 the pointer, in git
    <root>/fridges/<xx>/<fridge>/manifest.csv        a row per capture, in DVC
    <root>/fridges/<xx>/<fridge>/captures/<capture>/ its parts and embeddings, sealed, in DVC

A git and DVC repository of its own. A snapshot is a commit with the tag `snapshot/<run>`; it costs
what the fridges cost that it is for, however many others there are.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from visavox.errors import BlobError, LedgerError, NotFound
from visavox.store import Store
from visavox.store.records import SealedCapture
from visavox.training.production import (
    ledger_folder,
    ledger_manifest,
    ledger_pointer,
    ledger_version,
)
from visavox.training.production.ledger_dvc import Data, Remote
from visavox.training.production.ledger_folder import MANIFEST, Drawn
from visavox.training.production.ledger_git import MAIN
from visavox.training.production.ledger_manifest import Entry
from visavox.training.production.ledger_pointer import Pointer
from visavox.training.production.ledger_repository import Repository
from visavox.training.production.ledger_version import TAGS, Change, FridgeData, Version

__all__ = ["Forgotten", "FridgeData", "Ledger", "Remote", "Removed", "Version", "Whereabouts"]

_AGAIN = 5
_SLOWEST = timedelta(hours=1)
"""Between the moment that a snapshot is said to be of, and its last look at the store."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A file of somebody who was erased."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What an erasure took out of the current version; `commit` is the one without it."""

    commit: str
    removed: tuple[Removed, ...]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a fridge's data of one version is to be found."""

    repository: str
    commit: str
    tag: str
    pointer: str
    """The file in git that names the data."""
    dvc: str
    manifest: str
    """A file that opens: the version's list of captures."""
    remote: str
    """The list of the folder's files, where the version was pushed to."""


@dataclass(frozen=True, slots=True)
class _Current:
    """A fridge as the store has it."""

    risk: str
    rows: tuple[SealedCapture, ...]


class Ledger:
    """One ledger. Processes and threads may share it: whoever writes waits for the others."""

    def __init__(self, root: Path, data: Data) -> None:
        self.root, self.data = root, data
        self._repository = Repository(root, data)
        self._git = self._repository.git

    @classmethod
    def open(cls, root: Path, *, remote: str | Remote | None = None) -> "Ledger":
        """The ledger in `root`, which is made where there is none.

        Without a `remote` it is the folder beside it, `<root>-remote`.
        """
        root = root.absolute()
        given = f"{root}-remote" if remote is None else remote
        ledger = cls(root, Data(root, Remote(given) if isinstance(given, str) else given))
        ledger._repository.set_up()
        return ledger

    def snapshot(self, store: Store, fridges: Sequence[str], *, run: str, at: datetime) -> Version:
        """Keep these fridges' captures as they are now, in the remote too, under the run's name.

        Asked again for the same run it gives the same version, unless the data have changed: then
        one more. Fridges that are no more leave the ledger, and are not in the version.
        """
        wanted = sorted(set(fridges))
        with self._repository.turn() as git:
            before = self._repository.pointers(MAIN, wanted)
            changes: list[Change] = []
            new: list[tuple[Path, Mapping[str, object]]] = []
            gone: list[str] = []
            for fridge in wanted:
                pointer = before.get(fridge)
                was = self._known(fridge, pointer)
                made = self._drawn(store, fridge, was)
                if made is None:
                    if pointer is not None:
                        gone.append(fridge)
                        self._drop(fridge)
                    continue
                now, risk = made
                about = ledger_pointer.about(fridge, now, risk)
                changed = pointer is None or about != pointer.about
                if changed:
                    new.append((self._folder(fridge), about))
                was = was or self._before(pointer)
                changes.append(_change(fridge, was, now, changed=changed))
            self.data.add(new)
            record = ledger_version.of_snapshot(run, at, changes, gone)
            if not new and not gone and (same := self._again(run, record.fridges)):
                return same
            paths = [ledger_pointer.path(f) for f in gone]
            paths += [ledger_pointer.path(c.fridge) for c in changes if c.changed]
            commit = git.commit(paths, record.text(), at)
            git.tag(self._repository.free(run), commit, record.text())
        return self.version(commit)

    def version(self, name: str) -> Version:
        """The version of a commit, a tag, or the beginning of a commit's hash."""
        commit = self._git.resolve(name)
        if commit is None:
            raise LedgerError(
                f"The ledger has no version {name[:80]!r}.",
                next_step="See which it has: `git tag` and `git log --oneline` in its folder.",
            )
        record = ledger_version.parsed(self._git.message(commit))
        pointers = self._repository.pointers(commit, record.fridges)
        tags = self._git.tags(TAGS, on=commit)
        found = {f: self._data_of(f, pointers[f]) for f in record.fridges if f in pointers}
        return Version(commit, tags[0] if tags else "", record.as_of, found)

    def current(self, fridges: Sequence[str]) -> Mapping[str, FridgeData]:
        """What the newest commit holds of these fridges; those it has not are left out."""
        found = self._repository.pointers(MAIN, fridges)
        return {f: self._data_of(f, pointer) for f, pointer in found.items()}

    def entries(self, data: FridgeData) -> tuple[Entry, ...]:
        """What a version says of each of a fridge's captures."""
        return self._entries(data.dvc)

    def forget(self, fridge: str, member: str, at: datetime) -> Forgotten:
        """Take an erased member's captures up to that moment out of the current version.

        Older versions keep them as ciphertext that no key opens. Where a snapshot was quicker, or an
        earlier call, it is told what left with that one.
        """
        with self._repository.turn() as git:
            seen = self._forget_seen(fridge, member)
            pointer = self._repository.pointers(MAIN, [fridge]).get(fridge)
            entries = () if pointer is None else self._entries(pointer.dvc)
            theirs = _of(member, entries, at)
            if pointer is None or not theirs:
                # What a killed snapshot had of them is here all the same.
                ledger_folder.prune(self._folder(fridge), [e.capture for e in entries])
                commit, theirs = self._left(fridge, member, at)
                return Forgotten(commit, (*seen, *_removed(fridge, theirs)))
            left = [e for e in entries if e not in theirs]
            ledger_folder.restore(self._folder(fridge), left, lambda: self._contents(pointer.dvc))
            now = ledger_folder.write(self._folder(fridge), left)
            about = ledger_pointer.about(fridge, now, pointer.risk)
            self.data.add([(self._folder(fridge), about)])
            record = ledger_version.of_erasure(at, _change(fridge, entries, now, changed=True))
            commit = git.commit([ledger_pointer.path(fridge)], record.text(), at)
        return Forgotten(commit, (*seen, *_removed(fridge, theirs)))

    def where(self, version: Version | str, fridge: str) -> Whereabouts:
        """Where a version's data of a fridge is, for people and programs that follow a trace."""
        found = self.version(version) if isinstance(version, str) else version
        data = found.of(fridge)
        manifest = self.data.files(data.dvc)[MANIFEST]
        self.data.read(manifest)  # so that it is in the cache, and opens
        return Whereabouts(
            repository=str(self.root),
            commit=found.commit,
            tag=found.tag,
            pointer=ledger_pointer.path(fridge),
            dvc=data.dvc,
            manifest=str(self.data.path(manifest)),
            remote=self.data.url(data.dvc),
        )

    def history(self, fridge: str) -> Iterator[FridgeData]:
        """What each version that changed a fridge has of it, the newest first."""
        for commit in self._git.history(ledger_pointer.path(fridge)):
            pointer = self._repository.pointers(commit, [fridge]).get(fridge)
            if pointer is not None:
                yield self._data_of(fridge, pointer)

    def seen_at(self, characterizer: str, fridge: str, member: str) -> Path:
        """Where embeddings that a Characterizer made anew are kept, sealed."""
        return self.root / ".seen" / characterizer[:32] / fridge / member

    def _left(self, fridge: str, member: str, at: datetime) -> tuple[str, list[Entry]]:
        """The version that somebody's captures are no longer in, and those; none, if they never
        were in one."""
        newest = self._git.head() or ""
        after = newest
        for commit in self._git.history(ledger_pointer.path(fridge)):
            pointer = self._repository.pointers(commit, [fridge]).get(fridge)
            theirs = [] if pointer is None else _of(member, self._entries(pointer.dvc), at)
            if theirs:
                return after, theirs
            record = ledger_version.parsed(self._git.message(commit))
            if record.as_of < at - _SLOWEST:
                break
            after = commit
        return newest, []

    def _known(self, fridge: str, pointer: Pointer | None) -> tuple[Entry, ...]:
        """What the fridge's folder is known to hold; nothing, where it is not as git says."""
        if pointer is None:
            return ()
        return ledger_folder.known(self._folder(fridge), pointer.manifest_sha256)

    def _before(self, pointer: Pointer | None) -> tuple[Entry, ...]:
        """What the newest version has, for the history's sake: none of it need be there still."""
        if pointer is not None:
            with contextlib.suppress(LedgerError):
                return self._entries(pointer.dvc)
        return ()

    def _drawn(self, store: Store, fridge: str, was: Sequence[Entry]) -> tuple[Drawn, str] | None:
        """Bring the fridge's folder up to date; None where there is no such fridge."""
        current: _Current | None = None
        for _ in range(_AGAIN):
            before, current = current, _current(store, fridge)
            if current is None:
                return None
            try:
                made = ledger_folder.draw(self._folder(fridge), current.rows, store.blobs, was)
            except BlobError:
                if before == current:  # nobody was erased meanwhile: the capture store lacks it
                    raise
            else:
                return made, current.risk
        raise LedgerError(
            f"The captures of {fridge!r} change faster than they can be read.",
            next_step="Try again.",
        )

    def _entries(self, dvc: str) -> tuple[Entry, ...]:
        return ledger_manifest.read(self.data.read(self.data.files(dvc)[MANIFEST]))

    def _contents(self, dvc: str) -> ledger_folder.Read:
        files = self.data.files(dvc)
        return lambda name: self.data.read(files[name])

    def _data_of(self, fridge: str, pointer: Pointer) -> FridgeData:
        entries = self._entries(pointer.dvc)
        members = tuple(sorted({e.member for e in entries}))
        captures = tuple(e.capture for e in entries)
        told = pointer.dvc, pointer.manifest_sha256, pointer.risk
        return FridgeData(fridge, *told, members, captures)

    def _folder(self, fridge: str) -> Path:
        return self.root / ledger_pointer.folder(fridge)

    def _drop(self, fridge: str) -> None:
        """A fridge that is no more."""
        shutil.rmtree(self._folder(fridge), ignore_errors=True)
        (self.root / ledger_pointer.path(fridge)).unlink(missing_ok=True)
        for seen in (self.root / ".seen").glob(f"*/{fridge}"):
            shutil.rmtree(seen)

    def _forget_seen(self, fridge: str, member: str) -> list[Removed]:
        removed = []
        for path in sorted((self.root / ".seen").glob(f"*/{fridge}/{member}/*")):
            name = path.relative_to(self.root).as_posix()
            removed.append(Removed(name, hashlib.sha256(path.read_bytes()).hexdigest()))
            path.unlink()
        return removed

    def _again(self, run: str, fridges: Sequence[str]) -> Version | None:
        """The version that this run has already, if these fridges are still as they were then."""
        tags = self._repository.tags(run)
        if not tags:
            return None
        found = self.version(tags[-1])
        return found if found.fridges == self.current(fridges) else None


def _current(store: Store, fridge: str) -> _Current | None:
    with store.read() as unit:
        try:
            found = unit.fridges.get(fridge)
        except NotFound:
            return None
        return _Current(found.risk, unit.captures.sealed(fridge))


def _of(member: str, entries: Sequence[Entry], at: datetime) -> list[Entry]:
    return [e for e in entries if e.member == member and e.taken <= at]


def _removed(fridge: str, entries: Sequence[Entry]) -> list[Removed]:
    home = ledger_pointer.folder(fridge)
    return [
        Removed(f"{home}/{ledger_manifest.folder(e.capture)}/{name}", sha256)
        for e in entries
        for name, sha256 in sorted(e.parts.items())
    ]


def _change(fridge: str, was: Sequence[Entry], now: Drawn, *, changed: bool) -> Change:
    old, new = {e.capture for e in was}, set(now.captures)
    counts = len(now.members), len(new), len(new - old), len(old - new)
    return Change(fridge, *counts, changed=changed)
