"""Samples of a dataset behind a manifest: the same crops and sound, from people's files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visavox import capture, manifest
from visavox.characterizer.crop import aligned
from visavox.characterizer.detector import Detector
from visavox.errors import DataError, NotEnoughData
from visavox.manifest import Row
from visavox.training import provenance
from visavox.training.characterizer.people_settings import PeopleSettings
from visavox.training.characterizer.samples import Labels, Split, cached
from visavox.training.progress import bar
from visavox.types import SAMPLE_RATE, Modality, Waveform


def split(settings: PeopleSettings, modality: Modality, cache: Path) -> Split:
    """The people of the dataset's splits `train` and `validation`."""
    root = Path(settings.root)
    listed = manifest.read(root)
    made = {}
    for name in ("train", "validation"):
        rows = [r for r in listed.of(split=name) if _file(r, modality) is not None]
        if not rows:
            raise NotEnoughData(
                f"{root} has no {modality} in its split {name!r}.",
                next_step="Name a dataset with the splits train and validation in people.root.",
            )
        what = {
            "data": provenance.data_hash(root),
            "split": name,
            "seconds": settings.seconds,
        }
        folder = cache / f"{modality}-{name}-{provenance.digest(what)[:16]}"
        made[name] = cached(folder, partial(_made, root, rows, modality, settings.seconds))
    return Split(**made)


def _made(
    root: Path, rows: Sequence[Row], modality: Modality, seconds: float, path: Path
) -> tuple[Labels, tuple[str, ...]]:
    people = tuple(sorted({r.person for r in rows}))
    number = {person: i for i, person in enumerate(people)}
    detect = Detector() if modality is Modality.FACE else None
    kept, labels = [], []
    with bar(f"{modality}s of {root.name}", len(rows)) as advance:
        for row in rows:
            sample = _crop(root, row, detect) if detect is not None else _speech(root, row, seconds)
            if sample is not None:
                kept.append(sample)
                labels.append(number[row.person])
            advance()
    if not kept:
        raise NotEnoughData(
            f"No {modality} was found in any of {len(rows)} captures of {root}.",
            next_step="Look at a few of them: `visavox data doctor`.",
        )
    np.save(path, np.stack(kept))
    return np.asarray(labels, np.int64), people


def _crop(root: Path, row: Row, detect: Detector) -> NDArray[np.uint8] | None:
    """The largest face; None where there is none, for which a training set may be forgiven."""
    assert row.image is not None
    frame = capture.decode(images=(_bytes(root, row.image),)).frames[0]
    faces = detect(frame)
    return aligned(frame, faces[0].landmarks) if faces else None


def _speech(root: Path, row: Row, seconds: float) -> NDArray[np.int16] | None:
    """The first `seconds`, said again from the start where there is less."""
    assert row.audio is not None
    heard: Waveform | None = capture.decode(audio=_bytes(root, row.audio)).waveform
    if heard is None or not len(heard):
        return None
    sized = np.resize(heard, round(seconds * SAMPLE_RATE))
    return (sized.clip(-1, 1) * 32767).round().astype(np.int16)


def _file(row: Row, modality: Modality) -> manifest.CaptureFile | None:
    return row.image if modality is Modality.FACE else row.audio


def _bytes(root: Path, file: manifest.CaptureFile) -> bytes:
    data = (root / file.path).read_bytes() if (root / file.path).is_file() else b""
    if manifest.sha256(data) != file.sha256:
        raise DataError(
            f"The file {file.path!r} of {root} is not the one in its manifest.",
            next_step="Restore it (`dvc checkout`), or write its SHA-256 into the manifest.",
        )
    return data
