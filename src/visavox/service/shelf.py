"""Where the live bundles lie, and a file that names the one that is live (`standing`).

    <root>/base/<digest>/…                          base/live.json              {"digest": …}
    <root>/fridges/<fridge>/<digest>.<key>.sealed   fridges/<fridge>/live.json  {"digest": …, …}

The base knows no members and lies open; what is trained on members is sealed (`sealed`). The file is replaced at once and for good, so that a reader finds the old one or the new one.
Other processes notice by looking at it, which costs one stat.
"""

import json
import os
import secrets
import shutil
import time
from pathlib import Path

from visavox import bundle
from visavox.bundle import Bundle
from visavox.errors import BundleError
from visavox.service.standing import Standing

LIVE = "live.json"
FORMER_BASES = 4

Stamp = tuple[int, int, int]
"""What changes when a file is replaced."""


class Slot:
    """A place of bundles of which one is live."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stamp(self) -> Stamp | None:
        """None where nothing is live."""
        try:
            found = (self.folder / LIVE).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def standing(self) -> Standing:
        """Which is live, which challenges it, and which was live before."""
        path = self.folder / LIVE
        try:
            return Standing.from_json(json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(
                f"{path} does not name a bundle: {type(error).__name__}.",
                next_step="Install the bundle again: `python -m api model install`.",
            ) from None

    def stand(self, standing: Standing) -> None:
        """So it is from now on, for every process: all of it at once."""
        replace(self.folder / LIVE, json.dumps(standing.to_json()).encode())

    def pointer(self) -> str:
        """The digest of the one that is live."""
        return self.standing().champion

    def point(self, digest: str) -> None:
        """Make it live, for every process, with nothing beside it."""
        self.stand(Standing(digest))

    def clear(self) -> None:
        """Nothing is live any more, and nothing is kept."""
        shutil.rmtree(self.folder, ignore_errors=True)


class BaseSlot(Slot):
    """The place of the base: a folder per bundle."""

    def load(self, digest: str, characterizer_digest: str) -> Bundle:
        """The bundle that is live, verified."""
        return bundle.load(self.folder / digest, characterizer_digest=characterizer_digest)

    def take_in(self, source: Path, characterizer_digest: str) -> Bundle:
        """Copy a bundle here, verified on arrival; it is not live yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        source = bundle.find(source)
        found = bundle.load(source, characterizer_digest=characterizer_digest)
        final = self.folder / found.digest
        if not final.exists():
            half = self.folder / f".half-{secrets.token_hex(4)}"
            try:
                shutil.copytree(source, half)
                for path in half.iterdir():
                    _sync(path)
                _sync(half)
                try:
                    half.rename(final)
                except OSError:
                    if not final.is_dir():  # else another process brought the same bundle
                        raise
            finally:
                shutil.rmtree(half, ignore_errors=True)
            _sync(self.folder)
        return bundle.load(final, characterizer_digest=characterizer_digest)

    def tidy(self) -> None:
        """Remove all bundles but the live one, and a few before it, to replay decisions with."""
        live = self.pointer()
        former = [
            (path.stat().st_mtime_ns, path)
            for path in self.folder.iterdir()
            if path.is_dir() and not path.name.startswith(".") and path.name != live
        ]
        for _, path in sorted(former)[:-FORMER_BASES]:
            shutil.rmtree(path, ignore_errors=True)


def replace(path: Path, content: bytes) -> None:
    """Put a file there at once and for good, for its owner alone."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            # A file system's own clock may stand still between two changes: each has its stamp.
            now = time.time_ns()
            os.utime(file.fileno(), ns=(now, now))
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
