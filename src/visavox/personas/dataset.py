"""Datasets of people who do not exist: written once, the same to the byte, and only what is new.

    manifest = write(PersonasSettings(fridges=2, members=8), Path("data/demo"), workers=2)

Beside the manifest lies `personas.json`: the settings, and for each person a digest of
everything that their captures depend on. A later call makes only whoever has changed.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from visavox import manifest
from visavox.errors import DataError
from visavox.manifest import Manifest, Row, sha256
from visavox.personas.dataset_cast import Part, PersonasSettings, cast
from visavox.personas.dataset_shoot import shoot

__all__ = ["RECORD", "PersonasSettings", "write"]

RECORD = "personas.json"

# What a capture depends on besides the person and the shot.
_CONDITIONS = (
    "population",
    "hardness",
    "face_hardness",
    "width",
    "height",
    "jpeg_quality",
    "seconds",
)


def write(
    settings: PersonasSettings, root: Path, *, workers: int = 1, progress: bool = False
) -> Manifest:
    """The dataset of these settings at `root`, made where it is not there yet.

    The result does not depend on `workers`. The folder is replaced all at once; a folder
    that holds anything but a dataset of personas is left alone with a DataError.
    """
    parts = tuple(cast(settings))
    digests = {key: _digest(settings, part) for key, part in _keyed(parts)}
    known = _known(root)
    reusable = {
        key: rows
        for key, (digest, rows) in known.items()
        if digests.get(key) == digest and all(_intact(root, row) for row in rows)
    }
    if known and reusable.keys() == known.keys() == digests.keys():
        return manifest.read(root)
    root.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    try:
        for rows in reusable.values():
            _carry_over(root, half, rows)
        missing = [part for key, part in _keyed(parts) if key not in reusable]
        made = dict(
            zip(
                (_key(p) for p in missing),
                _shot(settings, missing, half, workers, progress),
                strict=True,
            )
        )
        rows_of = {**reusable, **made}
        manifest.write(half, (row for key in digests for row in rows_of[key]))
        record = {"settings": asdict(settings), "people": digests}
        (half / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        _swap(half, root)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return manifest.read(root)


def _key(part: Part) -> str:
    return f"{part.person}/attacks" if part.attackers else part.person


def _keyed(parts: Sequence[Part]) -> Iterator[tuple[str, Part]]:
    return ((_key(part), part) for part in parts)


def _digest(settings: PersonasSettings, part: Part) -> str:
    """Of all that decides the bytes of a part's captures, this package's code included."""
    conditions = {name: getattr(settings, name) for name in _CONDITIONS}
    told = json.dumps([_code(), conditions, asdict(part)], sort_keys=True)
    return sha256(told.encode())


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name not in ("__init__.py", "dataset.py", "sheet.py"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _known(root: Path) -> dict[str, tuple[str, tuple[Row, ...]]]:
    """What is at `root` already: for each part, its digest and rows."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return {}
    record = root / RECORD
    if not record.is_file():
        raise DataError(
            f"{root} holds something that is no dataset of personas.",
            next_step="Name another folder, or move this one away.",
        )
    try:
        people: Mapping[str, str] = json.loads(record.read_text(encoding="utf-8"))["people"]
        rows = manifest.read(root).rows
    except (DataError, ValueError, KeyError, TypeError):
        return {}  # half a dataset of personas: all of it is made again
    found: dict[str, list[Row]] = {key: [] for key in people}
    for row in rows:
        key = f"{row.person}/attacks" if row.attack else row.person
        found.setdefault(key, []).append(row)
    return {key: (digest, tuple(found[key])) for key, digest in people.items()}


def _intact(root: Path, row: Row) -> bool:
    return all(
        (root / f.path).is_file() and sha256((root / f.path).read_bytes()) == f.sha256
        for f in row.files
    )


def _carry_over(old: Path, new: Path, rows: Sequence[Row]) -> None:
    for file in (f for row in rows for f in row.files):
        target = new / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(old / file.path, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(old / file.path, target)


def _shot(
    settings: PersonasSettings, parts: Sequence[Part], root: Path, workers: int, progress: bool
) -> Iterator[tuple[Row, ...]]:
    """The rows of each part, in order, whoever makes them."""
    work: Callable[[Part], tuple[Row, ...]] = partial(shoot, settings, root)
    with _bar(sum(len(p.shots) for p in parts), progress) as advance:
        if workers <= 1 or len(parts) <= 1:
            for rows in map(work, parts):
                advance(len(rows))
                yield rows
            return
        # Spawned, because a fork of a process with threads may hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(parts)), mp_context=context) as pool:
            for rows in pool.map(work, parts, chunksize=max(1, min(8, len(parts) // workers // 4))):
                advance(len(rows))
                yield rows


@contextmanager
def _bar(total: int, shown: bool) -> Iterator[Callable[[int], None]]:
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), disable=not shown) as bar:
        task = bar.add_task("captures", total=total)
        yield lambda count: bar.advance(task, count)


def _swap(half: Path, root: Path) -> None:
    """Put `half` in the place of `root`; whoever reads sees the one or the other."""
    half.chmod(0o755)
    if not root.exists():
        half.replace(root)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{root.name}.old.", dir=root.parent))
    root.replace(old)
    half.replace(root)
    shutil.rmtree(old)
