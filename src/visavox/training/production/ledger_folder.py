"""A fridge's folder in the ledger's workspace: as its rows say, and only what is new is copied.

A capture never changes, but for its embeddings, so a capture's folder that stands under its own name
is complete: it is filled under another one.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from visavox.store.blobs import Blobs
from visavox.store.records import SealedCapture
from visavox.training.production import ledger_manifest
from visavox.training.production.ledger_manifest import EMBEDDINGS, Entry

MANIFEST = "manifest.csv"

Read = Callable[[str], bytes]
"""The content of a file in the folder, by its name."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A folder as it is now."""

    entries: tuple[Entry, ...]
    sha256: str
    """Of its manifest."""

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(sorted({e.member for e in self.entries}))

    @property
    def captures(self) -> tuple[str, ...]:
        return tuple(e.capture for e in self.entries)


def known(path: Path, sha256: str | None) -> tuple[Entry, ...]:
    """What is in the folder, if it is still as the pointer says; nothing, if it is not."""
    if sha256 is None:
        return ()
    try:
        content = (path / MANIFEST).read_bytes()
    except FileNotFoundError:
        return ()
    if hashlib.sha256(content).hexdigest() != sha256:
        return ()
    return ledger_manifest.read(content)


def draw(path: Path, rows: Sequence[SealedCapture], blobs: Blobs, before: Sequence[Entry]) -> Drawn:
    """Let the folder hold these captures and no others; `before` is what is known to be in it.

    BlobError where a part cannot be had, as when its member is erased this very moment.
    """
    hashed = {e.capture: e.parts for e in before}
    captures = path / "captures"
    captures.mkdir(parents=True, exist_ok=True)
    prune(path, [row.id for row in rows])
    parts = [_filled(captures / row.id, row, blobs, hashed.get(row.id)) for row in rows]
    sessions = ledger_manifest.sessions(rows)
    entries = [ledger_manifest.entry(*made) for made in zip(rows, sessions, parts, strict=True)]
    return write(path, entries)


def prune(path: Path, wanted: Iterable[str]) -> None:
    """Remove all captures but these: they left the fridge, or a killed process half filled them."""
    keep = set(wanted)
    for there in list((path / "captures").glob("*")):
        if there.name not in keep:
            shutil.rmtree(there, ignore_errors=True)


def restore(path: Path, entries: Sequence[Entry], old: Callable[[], Read]) -> None:
    """Let the folder hold these captures and no others, and fetch what it lacks of them."""
    captures = path / "captures"
    captures.mkdir(parents=True, exist_ok=True)
    prune(path, [e.capture for e in entries])
    read: Read | None = None
    for e in entries:
        folder = captures / e.capture
        if folder.is_dir() and _is(folder, e.parts):
            continue
        read = read or old()
        half = folder.with_name(f".{e.capture}.half")
        half.mkdir()
        for file in e.parts:
            (half / file).write_bytes(read(f"{ledger_manifest.folder(e.capture)}/{file}"))
        shutil.rmtree(folder, ignore_errors=True)
        half.rename(folder)


def write(path: Path, entries: Sequence[Entry]) -> Drawn:
    """Write the folder's manifest, if it says anything new."""
    content = ledger_manifest.written(entries)
    manifest = path / MANIFEST
    if not manifest.is_file() or manifest.read_bytes() != content:
        # Not in place: it may share its bytes with the cache.
        half = path / f".{MANIFEST}.half"
        half.write_bytes(content)
        half.replace(manifest)
    (path / f".{MANIFEST}.half").unlink(missing_ok=True)
    return Drawn(tuple(entries), hashlib.sha256(content).hexdigest())


def _filled(
    path: Path, row: SealedCapture, blobs: Blobs, hashed: Mapping[str, str] | None
) -> Mapping[str, str]:
    """The capture's files and their hashes, taken on trust where they are known."""
    names = {name.rsplit("/", 1)[1]: name for name in row.blob}
    seen = hashlib.sha256(row.embeddings).hexdigest()
    if path.is_dir() and {p.name for p in path.iterdir()} != {*names, EMBEDDINGS}:
        shutil.rmtree(path)
    if not path.is_dir():
        half = path.with_name(f".{path.name}.half")
        half.mkdir()
        for file, name in names.items():
            blobs.fetch(name, half / file)
        (half / EMBEDDINGS).write_bytes(row.embeddings)
        half.rename(path)
        hashed = None
    if hashed is None or set(hashed) != {*names, EMBEDDINGS}:
        hashed = {file: _sha256(path / file) for file in (*names, EMBEDDINGS)}
    if hashed[EMBEDDINGS] != seen:  # embedded anew, or sealed anew
        half = path / ".half"
        half.write_bytes(row.embeddings)
        half.replace(path / EMBEDDINGS)
    return {**hashed, EMBEDDINGS: seen}


def _is(folder: Path, parts: Mapping[str, str]) -> bool:
    """Whether a folder under a capture's own name is this one. Only embeddings ever change."""
    names = {p.name for p in folder.iterdir()}
    return names == set(parts) and _sha256(folder / EMBEDDINGS) == parts[EMBEDDINGS]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
