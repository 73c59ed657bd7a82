"""Where the live bundles lie, and a file that names the one that is live.

    <root>/base/<digest>/…                          base/live.json              {"digest": …}
    <root>/fridges/<fridge>/<digest>.<key>.sealed   fridges/<fridge>/live.json  {"digest": …}

The base knows no members and lies open; what is trained on members is sealed (`sealed`). The file is replaced at once and for good, so that a reader finds the old one or the new one.
Other processes notice by looking at it, which costs one stat.
"""

import json
import os
import secrets
import shutil
from pathlib import Path

from visavox import bundle
from visavox.bundle import Bundle
from visavox.errors import BundleError

LIVE = "live.json"

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

    def pointer(self) -> str:
        """The digest of the one that is live."""
        path = self.folder / LIVE
        try:
            return str(json.loads(path.read_bytes())["digest"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"{path} does not name a bundle: {type(error).__name__}.",
                next_step="Install the bundle again: `python -m api model install`.",
            ) from None

    def point(self, digest: str) -> None:
        """Make it live, for every process."""
        said = json.dumps({"digest": digest})
        replace(self.folder / LIVE, said.encode())

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
        """Remove all bundles but the live one."""
        live = self.pointer()
        for path in self.folder.iterdir():
            if path.is_dir() and not path.name.startswith(".") and path.name != live:
                shutil.rmtree(path, ignore_errors=True)


def replace(path: Path, content: bytes) -> None:
    """Put a file there at once and for good, for its owner alone."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
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
