"""Where the live bundles lie: a folder per bundle, and a file that names the one that is live.

    <root>/base/<digest>/…            base/live.json             {"digest": …}
    <root>/fridges/<fridge>/<digest>/…    fridges/<fridge>/live.json {"digest": …, "members": {…}}

The file is replaced at once and for good, so that a reader finds the old one or the new one.
Other processes notice by looking at it, which costs one stat.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from visavox import bundle
from visavox.bundle import Bundle
from visavox.errors import BundleError

LIVE = "live.json"

Stamp = tuple[int, int, int]
"""What changes when a file is replaced."""


@dataclass(frozen=True, slots=True, eq=False)
class Pointer:
    """What is live, and who were members when it became so, with the moment each had joined."""

    digest: str
    members: Mapping[str, datetime]


class Slot:
    """The place of one fridge's bundles, or of the base's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, root: Path, fridge: str | None) -> "Slot":
        """A fridge's, or the base's."""
        return cls(root / "base" if fridge is None else root / "fridges" / fridge)

    def stamp(self) -> Stamp | None:
        """None where nothing is live."""
        try:
            found = (self.folder / LIVE).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def pointer(self) -> Pointer:
        path = self.folder / LIVE
        try:
            said = json.loads(path.read_bytes())
            members = {k: datetime.fromisoformat(v) for k, v in said["members"].items()}
            return Pointer(str(said["digest"]), members)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(
                f"{path} does not name a bundle: {type(error).__name__}.",
                next_step="Install the bundle again: `python -m api model install`.",
            ) from None

    def load(self, pointer: Pointer, characterizer_digest: str) -> Bundle:
        """The bundle that is live, verified."""
        return bundle.load(self.folder / pointer.digest, characterizer_digest=characterizer_digest)

    def take_in(self, source: Path, characterizer_digest: str) -> Bundle:
        """Copy a bundle here, verified on arrival; it is not live yet."""
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

    def point(self, pointer: Pointer) -> None:
        """Make it live, for every process."""
        said = {
            "digest": pointer.digest,
            "members": {k: v.isoformat() for k, v in pointer.members.items()},
        }
        beside = self.folder / f".{LIVE}.{secrets.token_hex(4)}"
        try:
            beside.write_text(json.dumps(said, sort_keys=True), encoding="utf-8")
            _sync(beside)
            beside.replace(self.folder / LIVE)
        finally:
            beside.unlink(missing_ok=True)
        _sync(self.folder)

    def tidy(self, *keep: str) -> None:
        """Remove all bundles but the live one and those named: they hold templates of people.

        In a transaction that holds the fridge's lock, so that none is removed which another is
        about to make live.
        """
        if self.stamp() is None:
            return
        try:
            needed = {self.pointer().digest, *keep}
        except BundleError:  # said where it is read; until then nobody knows which one is live
            return
        for path in self.folder.iterdir():
            if path.is_dir() and not path.name.startswith(".") and path.name not in needed:
                shutil.rmtree(path, ignore_errors=True)

    def clear(self) -> None:
        """Nothing is live any more, and nothing is kept."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
