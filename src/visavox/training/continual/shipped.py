"""The shipped face net as a net that can go on learning.

Its ONNX file holds convolutions into which the norms were folded. They are put back as they are,
with norms that change nothing at first: their scales and shifts go on learning, their statistics
stay as they were measured on everybody the net was trained on.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

import visavox.characterizer
from visavox.characterizer.folder import read_card, read_net
from visavox.errors import CharacterizerError
from visavox.training.characterizer.nets.face import FaceNet, FaceNetSettings

EMBEDDED = Path(str(visavox.characterizer.__file__)).parent / "embedded"


def face_net(folder: Path, shape: FaceNetSettings) -> FaceNet:
    """The face net of a Characterizer's folder, in the form that is trained."""
    card = read_card(folder)
    graph = onnx.load_from_string(read_net(folder, card.face)).graph
    stored = {i.name: numpy_helper.to_array(i).astype(np.float32) for i in graph.initializer}
    net = FaceNet(shape)
    put_back(net, stored, source=folder)
    return net.eval()


def put_back(net: FaceNet, stored: dict[str, np.typing.NDArray[np.float32]], source: Path) -> None:
    """Fill `net` with folded weights; every layer that learns must find its own."""
    layers = list(net.body.named_modules())
    kernels = [(n, m) for n, m in layers if isinstance(m, nn.Conv2d | nn.Linear)]
    norms = [m for _, m in layers if isinstance(m, nn.BatchNorm2d | nn.BatchNorm1d)]
    for (name, kernel), norm in zip(kernels, norms, strict=True):
        weight = stored.get(f"net.body.{name}.weight")
        shift = stored.get(f"net.body.{name}.weight_bias")
        if weight is None or shift is None or weight.shape != tuple(kernel.weight.shape):
            raise CharacterizerError(
                f"The face net in {source} is not of this shape: body.{name} does not fit.",
                next_step="Set `net` as it was trained, or go on from a folder that this version wrote.",
            )
        with torch.no_grad():
            kernel.weight.copy_(torch.from_numpy(weight.copy()))
            _neutral(norm, torch.from_numpy(shift.copy()))


def _neutral(norm: nn.BatchNorm2d | nn.BatchNorm1d, shift: Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.fill_(1)
    norm.bias.copy_(shift)
