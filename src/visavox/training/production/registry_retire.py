"""After an erasure: versions that somebody erased may have had a part in lose all but their name."""

import hashlib
import logging
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from visavox.training.production.registry import ALIASES, Registry, Version, model_of

log = logging.getLogger(__name__)

_LEFT = {"digest", "family", "lineage.run"}
"""What a trace of an old decision still needs; none of it tells anything of a person."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A file that was taken out of the registry."""

    version: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Retired:
    """What an erasure took out of a fridge's model."""

    model: str
    versions: tuple[str, ...]
    digests: tuple[str, ...]
    removed: tuple[Removed, ...]


def retire(
    registry: Registry, fridge: str, *, key: str | None, reason: str, at: datetime
) -> Retired:
    """Empty every version that does not open with the key in use; None: all of them.

    An erasure destroys the key that the fridge's bundles were sealed with, so what is retired is
    what nobody can open. The version stays, empty, with the digest that decisions name. Again does
    nothing.
    """
    old = [v for v in registry.versions(fridge) if not v.retired and v.key != (key or "none")]
    removed: list[Removed] = []
    if old:
        _unalias(registry, fridge, {v.version for v in old})
    for version in old:
        removed += _emptied(registry, version)
        with registry.writing():
            for tag in sorted(set(version.tags) - _LEFT):
                registry.client.delete_model_version_tag(version.model, version.version, tag)
        # Last: where this is killed before, it is done again.
        registry.mark(version, retired_at=at.isoformat(), retired=reason)
    if old:
        log.info("%s: retired %d versions", model_of(fridge), len(old))
    return Retired(
        model_of(fridge),
        tuple(v.version for v in old),
        tuple(v.digest for v in old),
        tuple(removed),
    )


def _unalias(registry: Registry, fridge: str, versions: set[str]) -> None:
    with registry.writing():
        now = registry.model(fridge)
        for alias in ALIASES:
            if now is not None and str(now.aliases.get(alias)) in versions:
                registry.client.delete_registered_model_alias(model_of(fridge), alias)


def _emptied(registry: Registry, version: Version) -> list[Removed]:
    """The version's files, with their hashes, as they were removed."""
    store = registry.store(version.source)
    found = []
    with tempfile.TemporaryDirectory() as into:
        for file in store.list_artifacts():
            if file.is_dir:
                continue
            content = Path(store.download_artifacts(file.path, into)).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            found.append(Removed(version.version, file.path, digest))
    if found:
        store.delete_artifacts()
    return found
