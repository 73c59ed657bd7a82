"""A prepared background as one file: what the cohort taught, without the cohort.

    SHA-256 of the rest (32), then safetensors

Who teaches what is drawn again from the seed, which takes no time; models and calibration are kept.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_from
from safetensors.numpy import save as tensors_to

from visavox.discriminator.plda import Projection
from visavox.errors import BundleError, DataError
from visavox.fusion import Fusion
from visavox.parts import Array
from visavox.table import EmbeddingTable
from visavox.training.fit_background import Background, Calibrated
from visavox.training.fit_calibration import Lines
from visavox.training.fit_cohort import assign, people_of
from visavox.training.fit_families import Models
from visavox.training.fit_plda import PldaModel
from visavox.training.fit_prototype import PrototypeModel
from visavox.training.fit_settings import DiscriminatorSettings
from visavox.types import Modality

_KEPT = ("plda", "prototype")
"""Families whose calibration rests on the cohort alone, and which production trains."""

_CODE = ("training/fit*.py", "discriminator/*.py", "fusion.py", "table.py")
"""Where the code is that decides what a background is, below the package."""


def keeps(settings: DiscriminatorSettings) -> bool:
    """Whether a background with these settings can be kept."""
    return settings.family in _KEPT


@cache
def code() -> str:
    """The code that a background is made by: an edit of it makes all that is kept another's."""
    package = Path(__file__).parents[2]
    said = hashlib.sha256(np.__version__.encode())
    for path in [*(p for some in _CODE for p in sorted(package.glob(some))), Path(__file__)]:
        said.update(path.read_bytes())
    return said.hexdigest()


def packed(background: Background) -> bytes:
    """The file; for settings that `keeps` says yes to."""
    calibrated = background.calibrated
    assert calibrated is not None
    tensors: dict[str, Array] = {"kappa": np.array([calibrated.kappa])}
    for m in Modality:
        lines = calibrated.lines[m]
        parts = _of_model(background.models[m]) | {
            "line.slope": lines.slope,
            "line.offset": lines.offset,
        }
        tensors |= {f"{m}.{name}": array for name, array in parts.items()}
    tensors |= {f"fusion.{name}": array for name, array in calibrated.fusion.tensors().items()}
    # safetensors writes memory as it lies: only C order keeps an array's meaning.
    plain = {name: np.array(array, order="C") for name, array in sorted(tensors.items())}
    content = tensors_to(plain)
    return hashlib.sha256(content).digest() + content


def unpacked(
    content: bytes,
    settings: DiscriminatorSettings,
    cohort: EmbeddingTable,
    people: Sequence[str],
    sessions: Sequence[str],
    *,
    seed: int,
) -> Background:
    """The inverse of `packed`, for the people it was made of; DataError where it is damaged."""
    head, body = content[:32], content[32:]
    if hashlib.sha256(body).digest() != head:
        raise _damaged("its bytes are others than were written")
    try:
        tensors = tensors_from(body)
        models: Models = {m: _model(settings.family, _under(tensors, m)) for m in Modality}
        lines = {
            m: Lines(tensors[f"{m}.line.slope"], tensors[f"{m}.line.offset"]) for m in Modality
        }
        fusion = Fusion.of_tensors(_under(tensors, "fusion"))
        calibrated = Calibrated(lines, fusion, float(tensors["kappa"][0]))
    except (SafetensorError, BundleError, KeyError, IndexError, ValueError) as error:
        raise _damaged(str(error)) from None
    roles = assign(
        people_of(cohort, people, what="cohort", sessions=sessions),
        strangers=settings.strangers,
        folds=settings.folds,
        least=settings.least_people,
        seed=seed,
    )
    # Folds only serve to calibrate, and that is done.
    return Background(settings, roles, models, (), calibrated)


def _of_model(model: object) -> dict[str, Array]:
    if isinstance(model, PldaModel):
        own = {"between": model.between, "most": np.array([model.most])}
        return own | model.projection.tensors()
    assert isinstance(model, PrototypeModel)
    return {
        "centre": model.centre,
        "captures": model.captures,
        "people": model.people,
        "top": np.array([model.top_captures, model.top_people]),
    }


def _model(family: str, t: Mapping[str, Array]) -> PldaModel | PrototypeModel:
    if family == "plda":
        projection = Projection(t["mean"], t["reduce"], t["shift"], t["rotate"])
        return PldaModel(projection, t["between"], int(t["most"][0]))
    top_captures, top_people = (int(n) for n in t["top"])
    return PrototypeModel(
        t["centre"], t["captures"], t["people"], top_captures=top_captures, top_people=top_people
    )


def _under(tensors: Mapping[str, Array], name: str) -> dict[str, Array]:
    head = f"{name}."
    return {k.removeprefix(head): v for k, v in tensors.items() if k.startswith(head)}


def _damaged(what: str) -> DataError:
    return DataError(f"A kept background is damaged: {what}.", next_step="Remove it.")
