"""Samples of people who do not exist, made on all cores and kept."""

import hashlib
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import visavox.characterizer
import visavox.personas
from visavox.training import provenance
from visavox.training.characterizer import persona_capture
from visavox.training.characterizer.people_settings import PeopleSettings
from visavox.training.characterizer.persona_capture import TRAIN, VALIDATION, who, write_person
from visavox.training.characterizer.samples import Labels, Samples, Split, cached
from visavox.training.progress import bar
from visavox.types import Modality


def split(settings: PeopleSettings, modality: Modality, cache: Path) -> Split:
    """People to learn from and people to validate on, of one population; made where new."""
    return Split(
        train=_samples(TRAIN, settings.identities, settings, modality, cache),
        validation=_samples(VALIDATION, settings.validation, settings, modality, cache),
    )


def _samples(
    name: str, count: int, settings: PeopleSettings, modality: Modality, cache: Path
) -> Samples:
    what = {
        **asdict(settings),
        "workers": None,
        "identities": count,
        "validation": None,
        "code": _code(),
    }
    folder = cache / f"{modality}-{name}-{provenance.digest(what)[:16]}"
    return cached(folder, partial(_made, name, count, settings, modality))


def _made(
    name: str, count: int, settings: PeopleSettings, modality: Modality, path: Path
) -> tuple[Labels, tuple[str, ...]]:
    kind = np.uint8 if modality is Modality.FACE else np.int16
    shape = persona_capture.shape(count, settings, modality)
    np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(kind), shape=shape).flush()
    work = partial(write_person, path, name, settings, modality)
    with bar(f"{name} {modality}s", count) as advance:
        if settings.workers < 2:
            for index in range(count):
                work(index)
                advance()
        else:
            # Torch's threads do not survive a fork of this process.
            context = get_context("forkserver")
            with ProcessPoolExecutor(settings.workers, mp_context=context) as pool:
                for done in as_completed([pool.submit(work, i) for i in range(count)]):
                    done.result()
                    advance()
    labels = np.repeat(np.arange(count, dtype=np.int64), settings.captures)
    return labels, tuple(who(name, settings, i).name for i in range(count))


def _code() -> str:
    """The code that makes the samples: other code, other samples."""
    files = sorted(Path(str(visavox.personas.__file__)).parent.glob("*.py"))
    files.append(Path(str(visavox.characterizer.__file__)).parent / "crop.py")
    files.append(Path(str(persona_capture.__file__)))
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()
