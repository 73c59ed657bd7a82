"""A fridge's embeddings as one data version has them: opened in memory, and only there."""

import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from visavox.characterizer import Characterizer
from visavox.errors import CaptureError, DataError, LedgerError, NotFound
from visavox.perception import Perception
from visavox.store import Store, Unit
from visavox.table import EmbeddingTable
from visavox.training.production.ledger import Ledger, Version
from visavox.training.production.ledger_manifest import EMBEDDINGS, Entry, folder
from visavox.types import Embeddings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The captures that still open, by member, oldest first; never written down in the clear."""

    table: EmbeddingTable
    people: list[str]
    """The member of each row."""
    sessions: list[str]
    captures: list[str]
    gone: tuple[str, ...] = ()
    """Members whom the version has, and whose key is destroyed."""
    anew: int = 0
    """How many were embedded by this call, as the version has them by other nets."""


def sightings(
    store: Store,
    ledger: Ledger,
    version: Version,
    fridge: str,
    nets: Characterizer,
    *,
    perception: Perception | None = None,
) -> Sightings:
    """What `nets` sees of a version's captures.

    Embeddings that are of other nets, or of nobody knows which, are made anew from the raw captures
    and kept beside the ledger under the member's key.
    """
    data = version.of(fridge)
    entries = ledger.entries(data)
    files = ledger.data.files(data.dvc)
    rows: list[tuple[Entry, Embeddings]] = []
    gone: set[str] = set()
    anew = 0
    with store.read() as unit:
        for entry in entries:
            md5 = files[f"{folder(entry.capture)}/{EMBEDDINGS}"]
            sealed = ledger.data.find(md5)
            if sealed is None:
                _check_gone(unit, entry, md5)
            if sealed is None or not unit.captures.can_open(sealed):
                gone.add(entry.member)
            elif len(entry.parts) == 1 and entry.characterizer != nets.digest:
                continue  # a confirmed probe: nothing raw that these nets could see is kept of it
            elif entry.characterizer == nets.digest:
                rows.append((entry, unit.captures.open_embeddings(entry.capture, sealed)))
            else:
                kept = ledger.seen_at(nets.digest, fridge, entry.member) / f"{entry.capture}.sealed"
                seen = _kept(unit, entry, kept, nets)
                if seen is None:
                    perception = perception or Perception(nets, side_by_side=False)
                    seen = _again(unit, ledger, entry, files, perception)
                    _keep(unit, entry, kept, nets, seen)
                    anew += 1
                rows.append((entry, seen))
    if anew:
        log.info("%s: %d of %d captures were embedded anew", fridge, anew, len(entries))
    captures = [e.capture for e, _ in rows]
    table = EmbeddingTable.of(
        captures, [seen for _, seen in rows], face_dim=nets.face_dim, voice_dim=nets.voice_dim
    )
    return Sightings(
        table,
        [e.member for e, _ in rows],
        [e.session for e, _ in rows],
        captures,
        tuple(sorted(gone)),
        anew,
    )


def _check_gone(unit: Unit, entry: Entry, md5: str) -> None:
    """LedgerError unless what is lost was collected, after its member was erased."""
    with suppress(NotFound):
        unit.captures.get(entry.fridge, entry.member, entry.capture)
        raise LedgerError(
            f"The ledger has lost {md5}: neither the cache nor the remote has it.",
            next_step="Take a new snapshot, or restore either from a backup.",
        )


def _again(
    unit: Unit, ledger: Ledger, entry: Entry, files: Mapping[str, str], perception: Perception
) -> Embeddings:
    """What is seen of the raw capture now."""
    images: dict[str, bytes] = {}
    rest: dict[str, bytes] = {}
    for file in entry.parts:
        if file == EMBEDDINGS:
            continue
        sealed = ledger.data.read(files[f"{folder(entry.capture)}/{file}"])
        content = unit.captures.open_part(f"{entry.fridge}/{entry.capture}/{file}", sealed)
        name = file.split(".")[0]
        (images if name.startswith("image") else rest)[name] = content
    in_order = sorted(images, key=lambda name: (len(name), name))  # image-10 after image-9
    try:
        capture = perception.take(
            images=[images[name] for name in in_order],
            audio=rest.get("audio"),
            clip=rest.get("clip"),
        )
    except CaptureError as error:
        raise DataError(
            f"The capture {entry.capture} of {entry.fridge} cannot be embedded: {error.problem}",
            next_step="Delete the member and enrol them again.",
        ) from error
    return perception.perceive(capture)


def _kept(unit: Unit, entry: Entry, path: Path, nets: Characterizer) -> Embeddings | None:
    try:
        sealed = path.read_bytes()
    except FileNotFoundError:
        return None
    if not unit.captures.can_open(sealed):  # of somebody who had the id before
        return None
    return unit.captures.open_seen(entry.capture, nets.digest, sealed)


def _keep(unit: Unit, entry: Entry, path: Path, nets: Characterizer, seen: Embeddings) -> None:
    sealed = unit.captures.seal_seen(entry.fridge, entry.member, entry.capture, nets.digest, seen)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        half.write_bytes(sealed)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
