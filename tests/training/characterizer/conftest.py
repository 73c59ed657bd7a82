"""People made of squares and of buzzing: enough to learn from in a second."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visavox.config import validated
from visavox.training import tracking
from visavox.training.characterizer import stages
from visavox.training.characterizer.assemble import AssembleSettings, assemble
from visavox.training.characterizer.samples import Samples, Split
from visavox.training.characterizer.settings import CharacterizerSettings
from visavox.training.characterizer.train import train_net

TRAIN, VALIDATION, CAPTURES = 10, 6, 5

TINY: dict[str, dict[str, Any]] = {
    "face": {"net": {"dim": 16, "stem": 4, "widths": [8, 8, 16], "depths": [1, 1, 1], "head": 16}},
    "voice": {
        "net": {
            "dim": 16,
            "mels": 24,
            "channels": [16, 16, 16, 32],
            "squeeze": 8,
            "attention": 8,
            "res2net_scale": 2,
        },
        "augment": {"seconds": 0.4, "speeds": [1.0]},
    },
}


@pytest.fixture(scope="session")
def faces() -> Split:
    rng = np.random.default_rng(1)
    people = TRAIN + VALIDATION
    looks = rng.integers(40, 215, (people, 1, 4, 4, 3))
    grain = rng.normal(0, 25, (people, CAPTURES, 4, 4, 3))
    pictures = np.clip(looks + grain, 0, 255).astype(np.uint8)
    return _split(pictures.reshape(-1, 4, 4, 3).repeat(28, 1).repeat(28, 2))


@pytest.fixture(scope="session")
def voices() -> Split:
    rng = np.random.default_rng(2)
    time = np.arange(8000) / 16_000
    sounds = [
        3000 * np.sign(np.sin(2 * np.pi * (90 + 17 * person) * time + rng.uniform(0, 6)))
        + rng.normal(0, 300, len(time))
        for person in range(TRAIN + VALIDATION)
        for _ in range(CAPTURES)
    ]
    return _split(np.stack(sounds).astype(np.int16))


def _split(data: Any) -> Split:
    people = TRAIN + VALIDATION
    labels = np.repeat(np.arange(people, dtype=np.int64), CAPTURES)
    every = Samples(data, labels, tuple(f"p{i}" for i in range(people)))
    return Split(every.of(0, TRAIN), every.of(TRAIN, people))


def _tiny(folder: Path, modality: str, **optimise: Any) -> CharacterizerSettings:
    given = {"epochs": 3, "batch": 10, "threads": 1, "rate": 5e-3, **optimise}
    return validated(
        CharacterizerSettings,
        {
            "modality": modality,
            "enrol": 3,
            "cache": str(folder / "cache"),
            "out": str(folder / "out"),
            "progress": False,
            "optimise": {"precision": "32-true", **given},
            **TINY,
        },
    )


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., CharacterizerSettings]:
    """Settings of a tiny training of one modality, in a folder of its own."""
    return partial(_tiny, tmp_path)


@pytest.fixture(scope="session")
def built(faces: Split, voices: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both nets trained for an epoch, exported, and assembled; made once, to be read only."""
    folder = tmp_path_factory.mktemp("built")
    for modality, split in (("face", faces), ("voice", voices)):
        settings = _tiny(folder, modality, epochs=1)
        trained = train_net(settings, split, tracking.untracked())
        stages.finish(trained, split, settings, folder / "out" / modality)
    target = folder / "assembled"
    assemble(
        AssembleSettings(source=str(folder / "out"), target=str(target), name="tiny"),
        tracking.untracked(),
    )
    return target
