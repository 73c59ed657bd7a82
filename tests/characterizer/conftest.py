"""A Characterizer of tiny random nets, and pictures with people in them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visavox.characterizer import Characterizer, load
from visavox.characterizer.crop import Crop
from visavox.personas.person import POPULATIONS, face_of, person
from visavox.training.export import export_face, export_voice, write_characterizer
from visavox.training.frontend import Fbank
from visavox.types import Pixels


class _Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:  # (N, F, M) → (N, 2M)
        return torch.cat((x.amax(dim=1), x.amin(dim=1)), dim=1)


@pytest.fixture(scope="session")
def nets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Characterizer folder; the nets know nothing, but differ from person to person."""
    folder = tmp_path_factory.mktemp("nets")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        face = nn.Sequential(
            nn.AvgPool2d(8),
            nn.Conv2d(3, 8, 3, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.LazyLinear(16),
        )
        face(torch.zeros(1, 3, 112, 112))
        voice = nn.Sequential(Fbank(24), _Mean(), nn.Linear(48, 12))
    write_characterizer(
        folder,
        name="tiny",
        population="none: random weights",
        face=export_face(face, folder / "face.onnx", crop=Crop.ALIGNED_112),
        voice=export_voice(voice, folder / "voice.onnx"),
        model_card="# Random weights, for tests",
    )
    return folder


@pytest.fixture(scope="session")
def tiny(nets_folder: Path) -> Characterizer:
    return load(nets_folder)


@pytest.fixture(scope="session")
def portraits() -> tuple[Pixels, ...]:
    """Kiosk pictures, 640 × 480, of one person each."""
    return tuple(face_of(person(POPULATIONS["test"], i), 0, i).pixels for i in range(5))


@pytest.fixture(scope="session")
def group(portraits: tuple[Pixels, ...]) -> Pixels:
    """Two people side by side, the second half as large, 960 × 480."""
    far = np.full((480, 320, 3), 90, np.uint8)
    far[120:360] = portraits[1][::2, ::2]
    return np.concatenate((portraits[0], far), axis=1)
