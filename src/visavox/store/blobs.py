"""The capture store: a folder, or a bucket that speaks S3. It only ever sees ciphertext."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import fsspec  # type: ignore[import-untyped]

from visavox.errors import BlobError, BlobMissing, ConfigError

SUFFIX = ".sealed"


class Blobs(Protocol):
    """Named bytes. `put` returns when they are kept for good."""

    def put(self, name: str, content: bytes) -> None: ...
    def get(self, name: str) -> bytes: ...
    def fetch(self, name: str, to: Path) -> None:
        """Have it as the new file `to` as well; on one disk both share its bytes."""

    def delete(self, name: str) -> None:
        """Gone afterwards, also if it was before."""

    def names(self) -> Iterator[tuple[str, datetime]]:
        """Every name, and when it was written."""


def connect(
    url: str,
    *,
    endpoint: str | None = None,
    key: str | None = None,
    secret: str | None = None,
    region: str | None = None,
) -> Blobs:
    """`/a/folder`, `file:///a/folder` or `s3://bucket/prefix`; opens nothing yet.

    S3 credentials that are not given are found where AWS's tools look for them.
    """
    if url.startswith("s3://"):
        return Bucket(
            url.removeprefix("s3://").strip("/"),
            endpoint=endpoint,
            key=key,
            secret=secret,
            region=region,
        )
    if "://" in url and not url.startswith("file://"):
        raise ConfigError(
            f"Capture stores of the kind {url.split('://')[0]!r} are not known here.",
            next_step="Give a folder or s3://bucket/prefix.",
        )
    return Folder(Path(url.removeprefix("file://")))


class Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, content: bytes) -> None:
        path = self._path(name)
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with _said("written", name):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with beside.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
            # Its name is in a folder, which is named in another, up to the root.
            for folder in path.parents:
                _synced(folder)
                if folder == self._root:
                    break

    def get(self, name: str) -> bytes:
        with _said("read", name):
            return self._path(name).read_bytes()

    def fetch(self, name: str, to: Path) -> None:
        path = self._path(name)
        with _said("read", name):
            try:
                to.hardlink_to(path)  # never written to again: `put` replaces it whole
            except FileNotFoundError:
                raise
            except OSError:  # another disk, or one that has no links
                shutil.copyfile(path, to)

    def delete(self, name: str) -> None:
        path = self._path(name)
        with _said("deleted", name):
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # others are still in it
                path.parent.rmdir()

    def names(self) -> Iterator[tuple[str, datetime]]:
        for path in sorted(self._root.rglob("*")):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield path.relative_to(self._root).as_posix(), written

    def _path(self, name: str) -> Path:
        return self._root / _checked(name)


class Bucket:
    def __init__(
        self,
        root: str,
        *,
        endpoint: str | None,
        key: str | None,
        secret: str | None,
        region: str | None,
    ) -> None:
        self._root = root
        self._files = fsspec.filesystem(
            "s3",
            key=key,
            secret=secret,
            endpoint_url=endpoint,
            client_kwargs={"region_name": region} if region else {},
            # Somebody stands before the kiosk: an answer that does not come is an answer.
            config_kwargs={
                "connect_timeout": 5,
                "read_timeout": 20,
                "retries": {"total_max_attempts": 2},
            },
            # Other workers write to it too.
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def put(self, name: str, content: bytes) -> None:
        with _said("written", name):
            self._files.pipe_file(self._path(name), content)

    def get(self, name: str) -> bytes:
        with _said("read", name):
            return bytes(self._files.cat_file(self._path(name)))

    def fetch(self, name: str, to: Path) -> None:
        to.write_bytes(self.get(name))

    def delete(self, name: str) -> None:
        with _said("deleted", name), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def names(self) -> Iterator[tuple[str, datetime]]:
        with _said("listed", self._root):
            found = self._files.find(self._root, detail=True)
        for path, about in sorted(found.items()):
            yield path.removeprefix(f"{self._root}/"), about["LastModified"]

    def _path(self, name: str) -> str:
        return f"{self._root}/{_checked(name)}"


def _checked(name: str) -> str:
    if any(part in {"", ".", ".."} for part in name.split("/")):
        raise BlobError(f"{name!r} cannot name a capture.", next_step="This is a fault of ours.")
    return name


def _synced(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _said(done: str, name: str) -> Iterator[None]:
    try:
        yield
    except BlobError:
        raise
    except FileNotFoundError:
        raise BlobMissing(
            f"The capture store has no {name}.", next_step="Restore it from a backup."
        ) from None
    except Exception as error:  # S3 clients raise whatever their layers raise
        raise BlobError(
            f"{name} cannot be {done} in the capture store ({type(error).__name__}).",
            next_step="See whether it runs, has room, and whether its credentials are right.",
        ) from error
