"""Pixels and sound to embeddings, in ONNX Runtime."""

import os
from pathlib import Path

from visavox.characterizer.detector import DetectorSettings
from visavox.characterizer.folder import CARD
from visavox.characterizer.runtime import Characterizer
from visavox.errors import CharacterizerError, WeightsMissing

__all__ = ["Characterizer", "DetectorSettings", "cache_folder", "load"]


def load(
    name: str | Path = "embedded",
    *,
    threads: int = 1,
    detector: DetectorSettings | None = None,
) -> Characterizer:
    """The Characterizer of that name, or in that folder, verified and warm.

    `embedded` is shipped with the package; `pretrained` is built once by
    `python -m visavox.training.pretrained`; a fine-tuned one is the folder it was written to.
    `threads` is how many cores one net may use.
    """
    return Characterizer.read(_folder(name), threads=threads, detector=detector)


def cache_folder() -> Path:
    """Where things that can be had again are kept: VISAVOX_CACHE, or the user's cache."""
    chosen = os.environ.get("VISAVOX_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "visavox"


def _folder(name: str | Path) -> Path:
    if name == "embedded":
        return Path(__file__).parent / "embedded"
    if name == "pretrained":
        built = cache_folder() / "characterizers" / "pretrained"
        if not (built / CARD).is_file():
            raise WeightsMissing(
                f"The pretrained Characterizer has not been built on this machine: {built} is empty.",
                next_step="Build it: `python -m visavox.training.pretrained`, where torch is.",
            )
        return built
    if (Path(name) / CARD).is_file():
        return Path(name)
    raise CharacterizerError(
        f"There is no Characterizer {str(name)!r}: it must be `embedded`, `pretrained`, or a folder "
        f"that holds {CARD}.",
        next_step="Correct the name, or write the folder with `visavox.training.export`.",
    )
