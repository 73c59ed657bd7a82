"""The ledger's data: a DVC cache and its remote. Both only ever see ciphertext and manifests.

Adding and pushing are DVC's own. Of `dvc add` and `dvc push` only what is done for one folder is
called: both begin with reading every pointer of the repository, changed or not. Single objects are
read as they lie there (`files/md5/ab/cdef…`), which needs no DVC at all.
"""

import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visavox.errors import BlobError, BlobMissing, LedgerError
from visavox.store import blobs
from visavox.store.blobs import Blobs
from visavox.store.settings import StoreSettings

log = logging.getLogger(__name__)

REMOTE = "store"

_CONFIG = f"""\
[core]
    analytics = false
    check_update = false
    autostage = false
    remote = {REMOTE}
[cache]
    # The workspace shares the cache's bytes, and both share the capture store's.
    type = "hardlink,reflink,copy"
"""
_IGNORED = "/config.local\n/tmp\n/cache\n/site\n"


@dataclass(frozen=True, slots=True)
class Remote:
    """Where versions are pushed to: a folder, or s3://bucket/prefix."""

    url: str
    endpoint: str | None = None
    """The address of an S3 that is not Amazon's."""
    region: str | None = None
    key: str | None = field(default=None, repr=False)
    """S3 credentials that are not given are found where AWS's tools look for them."""
    secret: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str, settings: StoreSettings) -> "Remote":
        """With the capture store's S3 address and credentials, where it is a bucket too."""
        if not url.startswith("s3://"):
            return cls(url)
        key, secret = settings.captures_key, settings.captures_secret
        return cls(
            url,
            settings.captures_endpoint,
            settings.captures_region,
            key.get_secret_value() if key else None,
            secret.get_secret_value() if secret else None,
        )

    def blobs(self) -> Blobs:
        """To read single objects from it."""
        return blobs.connect(
            self.url, endpoint=self.endpoint, key=self.key, secret=self.secret, region=self.region
        )

    def public(self) -> dict[str, str]:
        """What DVC's config may say of it."""
        given = {"url": self.url, "endpointurl": self.endpoint, "region": self.region}
        return {name: value for name, value in given.items() if value}

    def config(self) -> dict[str, str]:
        """What DVC needs to use it."""
        given = {"access_key_id": self.key, "secret_access_key": self.secret}
        return self.public() | {name: value for name, value in given.items() if value}


class Data:
    """The objects of one ledger."""

    def __init__(self, root: Path, remote: Remote) -> None:
        self.root, self.remote = root, remote
        self._far = remote.blobs()

    local = (".dvc/config.local",)
    """Of this machine alone: not for git."""

    def config(self) -> dict[str, str]:
        """The files that make the ledger a DVC repository, by name."""
        lines = ["[core]", f"    site_cache_dir = {self.root / '.dvc' / 'site'}"]
        lines += [f"['remote \"{REMOTE}\"']"]
        lines += [f"    {name} = {value}" for name, value in self.remote.public().items()]
        return {
            ".dvc/config": _CONFIG,
            ".dvc/.gitignore": _IGNORED,
            ".dvc/config.local": "\n".join([*lines, ""]),
        }

    def repair(self) -> None:
        """Take away the locks of a killed process."""
        for lock in (self.root / ".dvc" / "tmp").glob("*lock*"):
            lock.unlink(missing_ok=True)

    def add(self, folders: Sequence[tuple[Path, Mapping[str, Any]]]) -> list[str]:
        """Take these folders into the cache and the remote, and write their pointers.

        Each comes with what its pointer says beside the hash. The hashes are given back.
        """
        if not folders:
            return []
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        override = {"core": {"no_scm": True}, "remote": {REMOTE: self.remote.config()}}
        with Repo(str(self.root), config=override) as repo, repo.lock:
            try:
                outs = [self._added(repo, path, about) for path, about in folders]
            except DvcException as error:
                raise LedgerError(
                    f"DVC could not keep a snapshot ({type(error).__name__}).",
                    next_step="See whether the disk has room, and `dvc doctor` in the ledger.",
                ) from error
            try:
                # The list of a folder's files follows when all of them are there.
                objects = {out.hash_info for out in outs}
                objects |= {info for out in outs for _, _, info in out.obj}
                # Without the index of `dvc push`, which looks for every folder ever pushed.
                here, there = repo.cache.local, repo.cloud.get_remote_odb(REMOTE, "push")
                failed = repo.cloud.transfer(
                    here, there, objects, cache_odb=here, validate_status=_all_there
                ).failed
            except LedgerError:
                raise
            except Exception as error:  # S3 clients raise whatever their layers raise
                raise _away(type(error).__name__) from error
        if failed:
            raise _away(f"{len(failed)} files")
        return [str(out.hash_info.value) for out in outs]

    def _added(self, repo: Any, path: Path, about: Mapping[str, Any]) -> Any:
        stage = repo.stage.create(
            single_stage=True, validate=False, force=True, fname=f"{path}.dvc",
            wdir=str(path.parent), outs=[path.name],
        )  # fmt: skip
        stage.meta = dict(about)
        stage.add_outs()
        stage.dump()
        return stage.outs[0]

    def files(self, dvc: str) -> dict[str, str]:
        """The files of a folder by their names, each by its MD5."""
        listed = json.loads(self.read(dvc))
        return {str(file["relpath"]): str(file["md5"]) for file in listed}

    def read(self, md5: str) -> bytes:
        """One object: from the cache, or from the remote, whence it then is in the cache."""
        content = self.find(md5)
        if content is None:
            raise LedgerError(
                f"The ledger has lost {md5}: neither the cache nor the remote has it.",
                next_step="Restore either from a backup.",
            )
        return content

    def find(self, md5: str) -> bytes | None:
        """As `read`; None where it is neither here nor there."""
        path = self.path(md5)
        with suppress(FileNotFoundError):
            content = path.read_bytes()
            if _intact(md5, content):
                return content
            log.warning("an object of the ledger is damaged; it is fetched again")
        try:
            content = self._far.get(key(md5))
        except BlobMissing:
            return None
        except BlobError as error:
            raise LedgerError(
                f"The ledger's remote cannot be read ({error.problem})",
                next_step="See whether it runs, and whether its credentials are right.",
            ) from error
        if not _intact(md5, content):
            raise LedgerError(
                f"{md5} is damaged in the ledger's remote.",
                next_step="Restore it from a backup.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with _beside(path) as half:
            half.write_bytes(content)
            half.chmod(0o444)
        return content

    def drop(self, md5: str) -> None:
        """Remove an object from the cache and the remote; gone afterwards, also if it was before."""
        self.path(md5).unlink(missing_ok=True)
        self._far.delete(key(md5))

    def path(self, md5: str) -> Path:
        """Where an object is in the cache."""
        return self.root / ".dvc" / "cache" / key(md5)

    def url(self, md5: str) -> str:
        """Where an object is in the remote."""
        return f"{self.remote.url.rstrip('/')}/{key(md5)}"


def key(md5: str) -> str:
    """The name of an object in a cache or a remote."""
    return f"files/md5/{md5[:2]}/{md5[2:]}"


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield half
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _intact(md5: str, content: bytes) -> bool:
    # It names content, as DVC does; what keeps others out is the sealing.
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return found == md5.removesuffix(".dir")


def _all_there(status: Any) -> None:
    if status.missing:
        raise LedgerError(
            f"{len(status.missing)} files of a snapshot vanished from the ledger's cache.",
            next_step="See whether something else cleans its folder, and take the snapshot again.",
        )


def _away(what: str) -> LedgerError:
    return LedgerError(
        f"The ledger's remote did not take a snapshot ({what}).",
        next_step="See whether it runs, has room, and whether its credentials are right.",
    )
