"""The face detector's three nets, from facenet-pytorch's wheel to ONNX.

    python -m visavox.training.mtcnn_export src/visavox/characterizer/detector_nets

Each takes mean pixel values (N, 3, H, W) in 0..255, normalises them inside, and gives the
probability of a face per cell or crop, corrections of the box, and (O-net) landmarks.
"""

import copy
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torch import Tensor, nn

from visavox.training.onnx_graph import Axis, agree, to_onnx


class _Slope(nn.Module):
    """PReLU as ONNX Runtime is fast at it: its own kernel takes as long as the convolutions."""

    def __init__(self, original: nn.PReLU) -> None:
        super().__init__()
        self.slope = original.weight

    def forward(self, x: Tensor) -> Tensor:
        slope = self.slope.reshape(-1, *[1] * (x.dim() - 2))
        return slope * x + (1 - slope) * x.relu()


class _FaceProbability(nn.Module):
    """The second of two classes' softmax, (N, 2, ...) → (N, 1, ...)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x[:, 1:] - x[:, :1])


class Stage(nn.Module):
    """A net of MTCNN with its normalisation in front, the face's probability first."""

    def __init__(self, original: nn.Module) -> None:
        super().__init__()
        self.net = copy.deepcopy(original)
        for name, part in original.named_children():
            if isinstance(part, nn.PReLU):
                setattr(self.net, name, _Slope(part))
            elif isinstance(part, nn.Softmax):
                setattr(self.net, name, _FaceProbability())

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        *others, probability = self.net((pixels - 127.5) * 0.0078125)
        return (probability[:, -1], *others)


_STAGES: dict[str, tuple[Callable[[], nn.Module], int | None, tuple[str, ...]]] = {
    "pnet": (PNet, None, ("probability", "offset")),
    "rnet": (RNet, 24, ("probability", "offset")),
    "onet": (ONet, 48, ("probability", "offset", "landmarks")),
}


def export_detector(folder: Path) -> tuple[Path, ...]:
    """Write pnet.onnx, rnet.onnx and onet.onnx, each checked against its original."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (make, side, outputs) in _STAGES.items():
        stage = Stage(make()).eval()
        shape = (2, 3, side or 31, side or 42)
        axes: dict[int, Axis] = {0: Axis("batch")}
        if side is None:
            axes |= {2: Axis("height", 12), 3: Axis("width", 12)}
        path = folder / f"{name}.onnx"
        to_onnx(
            stage, torch.rand(shape) * 255, path, input_name="pixels", outputs=outputs, axes=axes
        )
        sizes = [(side, side)] if side else [(12, 12), (13, 18), (52, 69), (73, 97)]
        agree(
            stage,
            path,
            [torch.rand(n, 3, h, w) * 255 for n in (1, 7) for h, w in sizes],
        )
        written.append(path)
    return tuple(written)


if __name__ == "__main__":
    export_detector(Path(sys.argv[1]))
