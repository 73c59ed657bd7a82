"""The manifest of a dataset: one row per capture, read instead of the folder."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath

from visavox.errors import DataError

NAME = "manifest.csv"
SPLITS = ("enrol", "probe", "stranger", "attack", "cohort", "train", "validation")
_SLICE = "slice."


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """One file of a capture, relative to the dataset's folder."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Row:
    """One capture of one person."""

    capture: str  # unique in the dataset
    person: str  # identity; a member's name within a fridge, or a stranger's
    fridge: str  # "" for people who belong to none
    session: str  # captures of one session share light, room and mood
    split: str  # one of SPLITS
    image: CaptureFile | None = None
    audio: CaptureFile | None = None
    clip: CaptureFile | None = None
    attack: str = ""  # species, for split "attack"; the target is `person` of `fridge`
    consent: str = ""
    source: str = ""  # "personas", or the public set's name
    slices: Mapping[str, str] = field(default_factory=dict)  # e.g. tone, pitch, glasses

    @property
    def files(self) -> tuple[CaptureFile, ...]:
        return tuple(f for f in (self.image, self.audio, self.clip) if f is not None)


@dataclass(frozen=True, slots=True)
class Manifest:
    """All rows of one dataset, in the order written."""

    root: Path
    rows: tuple[Row, ...]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, *, split: str | None = None, fridge: str | None = None) -> tuple[Row, ...]:
        return tuple(
            r
            for r in self.rows
            if (split is None or r.split == split) and (fridge is None or r.fridge == fridge)
        )

    @property
    def fridges(self) -> tuple[str, ...]:
        return tuple(sorted({r.fridge for r in self.rows if r.fridge}))


_FILES = ("image", "audio", "clip")
_PLAIN = tuple(f.name for f in fields(Row) if f.name not in (*_FILES, "slices"))


def write(root: Path, rows: Iterable[Row]) -> Path:
    """Write `rows` as the manifest of the dataset in `root`, all at once or not at all."""
    kept = tuple(rows)
    slices = sorted({name for r in kept for name in r.slices})
    header = [*_PLAIN, *(f"{f}{end}" for f in _FILES for end in ("", "_sha256"))]
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([*header, *(_SLICE + s for s in slices)])
    for row in kept:
        cells = [str(getattr(row, name)) for name in _PLAIN]
        for name in _FILES:
            file: CaptureFile | None = getattr(row, name)
            cells += [file.path, file.sha256] if file else ["", ""]
        table.writerow([*cells, *(row.slices.get(s, "") for s in slices)])
    path = root / NAME
    half = path.with_suffix(".half")
    half.write_text(out.getvalue(), encoding="utf-8")
    half.replace(path)
    return path


def read(root: Path) -> Manifest:
    """The manifest of the dataset in `root`, checked row by row."""
    path = root / NAME
    if not path.is_file():
        raise DataError(
            f"There is no manifest at {path}.",
            next_step="Name a dataset's folder, or make one: `visavox personas --help`.",
        )
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file, strict=True)
        try:
            missing = [c for c in (*_PLAIN, *_FILES) if c not in (table.fieldnames or ())]
            if missing:
                raise DataError(
                    f"{path} lacks the columns {', '.join(missing)}.",
                    next_step="Restore it from git or DVC, or write it anew.",
                )
            rows = tuple(_row(path, number, cells) for number, cells in enumerate(table, 2))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(
                f"{path} is no CSV table: {error}.", next_step="Restore it from git or DVC."
            ) from None
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        if row.capture in seen:
            raise _wrong(path, number, f"the capture {row.capture!r} stands twice")
        seen.add(row.capture)
    return Manifest(root, rows)


def _row(path: Path, number: int, cells: Mapping[str | None, str | None]) -> Row:
    if None in cells or None in cells.values():
        raise _wrong(path, number, "it has not as many cells as the header")
    given = {str(k): str(v) for k, v in cells.items()}
    if not given["capture"] or not given["person"]:
        raise _wrong(path, number, "capture and person must be named")
    if given["split"] not in SPLITS:
        raise _wrong(path, number, f"split {given['split']!r} is none of {', '.join(SPLITS)}")
    files: dict[str, CaptureFile | None] = {}
    for name in _FILES:
        inside = PurePosixPath(given[name])
        if inside.is_absolute() or ".." in inside.parts:
            raise _wrong(path, number, f"{given[name]!r} leaves the dataset's folder")
        files[name] = (
            CaptureFile(given[name], given.get(f"{name}_sha256", "")) if given[name] else None
        )
    slices = {k.removeprefix(_SLICE): v for k, v in given.items() if k.startswith(_SLICE) and v}
    return Row(**{name: given[name] for name in _PLAIN}, **files, slices=slices)  # type: ignore[arg-type]


def _wrong(path: Path, number: int, what: str) -> DataError:
    return DataError(f"{path}, line {number}: {what}.", next_step="Correct or remove that row.")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
