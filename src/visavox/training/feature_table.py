"""The file that step `features` writes: a dataset's embeddings, in the order of its manifest."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from visavox.errors import DataError
from visavox.table import Column, EmbeddingTable


@dataclass(frozen=True, slots=True)
class Features:
    """A table, and whose eyes and ears it was seen with."""

    table: EmbeddingTable
    characterizer: str
    characterizer_digest: str
    population: str
    """Whom the Characterizer was trained on."""


def write(path: Path, made: Features) -> None:
    """Write features, all at once or not at all; the same features give the same bytes."""
    table = made.table
    tensors = {
        f"{name}.{part}": np.ascontiguousarray(getattr(column, part))
        for name, column in (("face", table.face), ("voice", table.voice))
        for part in ("vectors", "present", "quality")
    }
    about = {
        "captures": table.captures,
        "face": table.face.reasons,
        "voice": table.voice.reasons,
        "characterizer": made.characterizer,
        "characterizer_digest": made.characterizer_digest,
        "population": made.population,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    # One key only: safetensors writes several in an order of its own.
    half.write_bytes(save(tensors, metadata={"about": json.dumps(about)}))
    half.replace(path)


def load(path: Path) -> EmbeddingTable:
    """The table of a dataset's captures."""
    return read(path).table


def read(path: Path) -> Features:
    """The table, and the Characterizer that it was made with."""
    if not path.is_file():
        raise DataError(
            f"There are no features at {path}.",
            next_step=f"Make them: `python -m visavox.training.features data={path.stem}`.",
        )
    try:
        with safe_open(str(path), "np") as file:
            about: dict[str, Any] = json.loads((file.metadata() or {})["about"])
            face, voice = (
                Column(
                    file.get_tensor(f"{name}.vectors"),
                    file.get_tensor(f"{name}.present"),
                    file.get_tensor(f"{name}.quality"),
                    tuple(about[name]),
                )
                for name in ("face", "voice")
            )
            return Features(
                EmbeddingTable(tuple(about["captures"]), face, voice),
                about["characterizer"],
                about["characterizer_digest"],
                about["population"],
            )
    except (SafetensorError, KeyError, ValueError) as error:
        raise DataError(
            f"{path} holds no features: {error}.", next_step="Remove it and make it again."
        ) from None
