"""Master keys: they wrap the data keys, and are never in the database.

A key file holds one key a line, 32 bytes in base64; the first is the newest. It is read again when
a key is asked for that was not there before, so that a running service notices a rotation.
"""

import base64
import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from visavox import keyfile
from visavox.errors import ConfigError, Sealed


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key, and the id that says which one it is without giving it away."""

    secret: bytes = field(repr=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.secret) != keyfile.SIZE:
            raise ConfigError(
                f"A master key has {keyfile.SIZE} bytes, this one {len(self.secret)}.",
                next_step="Make one with `visavox keys new`.",
            )
        digest = hashlib.sha256(b"visavox master key\0" + self.secret).hexdigest()
        object.__setattr__(self, "id", digest[:16])

    @classmethod
    def made(cls) -> "MasterKey":
        return cls(secrets.token_bytes(keyfile.SIZE))

    def text(self) -> str:
        """As a key file holds it."""
        return base64.b64encode(self.secret).decode()


class Keyring:
    """The master keys at hand."""

    def __init__(
        self, source: Callable[[], Iterable[MasterKey]], *, where: str, path: Path | None = None
    ) -> None:
        self._source, self._where, self._path = source, where, path
        self._keys: dict[str, MasterKey] = {}
        self.reload()

    def __repr__(self) -> str:
        return f"Keyring({self._where}, {', '.join(self._keys)})"

    @classmethod
    def of(cls, *keys: MasterKey) -> "Keyring":
        """These keys, the newest first."""
        return cls(lambda: keys, where="given")

    @classmethod
    def text(cls, text: str, *, where: str = "VISAVOX_MASTER_KEY") -> "Keyring":
        """Keys in base64, between white space, the newest first."""
        keys = _parsed(text, where)
        return cls(lambda: keys, where=where)

    @classmethod
    def file(cls, path: Path) -> "Keyring":
        """The keys of a file that nobody else may read."""
        return cls(lambda: _read(path), where=str(path), path=path)

    @property
    def path(self) -> Path | None:
        """The file that it is read from, if it is."""
        return self._path

    @property
    def keys(self) -> tuple[MasterKey, ...]:
        """The newest first."""
        return tuple(self._keys.values())

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    @property
    def newest(self) -> MasterKey:
        return next(iter(self._keys.values()))

    def reload(self) -> None:
        keys = {key.id: key for key in self._source()}
        if not keys:
            raise ConfigError(
                f"There is no master key in {self._where}.",
                next_step="Make one with `visavox keys new`.",
            )
        self._keys = keys

    def find(self, key_id: str) -> MasterKey:
        """The key with that id, also if it came after the start; Sealed if there is none."""
        if key_id not in self._keys:
            self.reload()
        if key_id not in self._keys:
            raise Sealed(
                f"The master key {key_id} is not in {self._where}.",
                next_step="Put it back beside the others: without it this data cannot be opened.",
            )
        return self._keys[key_id]


def write(path: Path, keys: Iterable[MasterKey], *, replace: bool = True) -> None:
    """Write a key file, readable by its owner alone, at once and for good.

    Without `replace`, a file that is there is left as it is: of two who make the first key at the
    same time, both go on with the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(f"{key.text()}\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            beside.replace(path)
        else:
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(beside)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> Iterable[MasterKey]:
    step = "Check VISAVOX_MASTER_KEY_FILE, or make one with `visavox keys new`."
    return _parsed(keyfile.read(path, "master key", next_step=step), str(path))


def _parsed(text: str, where: str) -> Iterable[MasterKey]:
    step = "Make a key with `visavox keys new`."
    found = keyfile.keys(text, "master key", where=where, next_step=step)
    return tuple(MasterKey(secret) for secret in found)
