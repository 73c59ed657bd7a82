"""The detector's nets that are shipped are facenet-pytorch's, and can be made again."""

import shutil
from pathlib import Path

import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torch import nn

import visavox.characterizer
from visavox.training.mtcnn_export import Stage, export_detector
from visavox.training.onnx_graph import agree

SHIPPED = Path(visavox.characterizer.__file__).parent / "detector_nets"


@pytest.mark.parametrize(
    ("original", "side"), [(PNet(), (37, 50)), (RNet(), (24, 24)), (ONet(), (48, 48))]
)
def test_shipped_nets_give_facenets_numbers(
    original: nn.Module, side: tuple[int, int], tmp_path: Path
) -> None:
    name = f"{type(original).__name__.lower()}.onnx"
    path = Path(shutil.copy(SHIPPED / name, tmp_path))
    pixels = torch.rand(5, 3, *side, generator=torch.Generator().manual_seed(0)) * 255

    class Reordered(nn.Module):
        """The original, its probability of a face first."""

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            *others, probability = original((x - 127.5) * 0.0078125)
            return (probability[:, 1], *others)

    assert agree(Reordered(), path, [pixels]) < 1e-4
    with torch.inference_mode():
        for ours, theirs in zip(Stage(original)(pixels), Reordered()(pixels), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_exporting_again_gives_the_same_files(tmp_path: Path) -> None:
    for path in export_detector(tmp_path):
        assert path.read_bytes() == (SHIPPED / path.name).read_bytes()
