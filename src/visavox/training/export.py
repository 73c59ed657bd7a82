"""From trained nets to a Characterizer: front end inside, unit length, checked against torch.

face = export_face(net, folder / "face.onnx", crop=Crop.ALIGNED_112)
voice = export_voice(net, folder / "voice.onnx")
card = write_characterizer(folder, name="mine", population="...", face=face, voice=voice, ...)
"""

import copy
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor, nn

from visavox.characterizer.crop import Crop
from visavox.characterizer.folder import (
    FORMAT,
    Card,
    FaceNetFile,
    VoiceNetFile,
    sha256,
    write_card,
)
from visavox.errors import ExportError
from visavox.training.onnx_graph import Axis, agree, to_onnx

_BATCHES = (1, 2, 5)
_LENGTHS = ((1, 8_000), (2, 16_123), (1, 48_000), (3, 23_457))  # waveforms, samples of each
_SHORTEST = 8_000


class FaceGraph(nn.Module):
    """`pixels` uint8 (N, H, W, 3) → unit vectors (N, D), around a net of floats (N, 3, H, W)."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        return _unit(self.net(pixels.permute(0, 3, 1, 2).float()))


class VoiceGraph(nn.Module):
    """`waveform` (N, T) → unit vectors (N, D)."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, waveform: Tensor) -> Tensor:
        return _unit(self.net(waveform))


def export_face(
    net: nn.Module, path: Path, *, crop: Crop, half_weights: bool = False
) -> FaceNetFile:
    """Write a face net, or raise ExportError where ONNX Runtime and torch disagree.

    `net` takes RGB (N, 3, side, side) as floats 0..255 and normalises them itself. With
    `half_weights` its weights are rounded to half precision, which halves the file; what is
    checked, and what is served, is the rounded net.
    """
    graph = FaceGraph(_frozen(net, half_weights))
    generator = torch.Generator().manual_seed(0)
    probes = [_pictures(n, crop.side, generator) for n in _BATCHES]
    to_onnx(
        graph,
        probes[1],
        path,
        input_name="pixels",
        outputs=("embedding",),
        axes={0: Axis("batch")},
    )
    agree(graph, path, probes)
    return FaceNetFile(
        file=path.name, sha256=sha256(path.read_bytes()), dim=_dim(graph, probes[0]), crop=crop
    )


def export_voice(net: nn.Module, path: Path, *, half_weights: bool = False) -> VoiceNetFile:
    """Write a voice net, or raise ExportError where ONNX Runtime and torch disagree.

    `net` takes waveforms (N, T) at 16 kHz and has its front end (`Fbank`) inside.
    """
    graph = VoiceGraph(_frozen(net, half_weights))
    generator = torch.Generator().manual_seed(0)
    probes = [_sounds(n, length, generator) for n, length in _LENGTHS]
    to_onnx(
        graph,
        probes[1],
        path,
        input_name="waveform",
        outputs=("embedding",),
        axes={0: Axis("batch"), 1: Axis("samples", _SHORTEST)},
    )
    agree(graph, path, probes)
    return VoiceNetFile(
        file=path.name, sha256=sha256(path.read_bytes()), dim=_dim(graph, probes[0])
    )


def write_characterizer(
    folder: Path,
    *,
    name: str,
    population: str,
    face: FaceNetFile,
    voice: VoiceNetFile,
    model_card: str,
) -> Card:
    """Write the card of two nets that were exported into `folder`; its digest names them."""
    for net in (face, voice):
        if (
            not (folder / net.file).is_file()
            or sha256((folder / net.file).read_bytes()) != net.sha256
        ):
            raise ExportError(
                f"{folder / net.file} is not the net that was exported.",
                next_step="Export both nets into this folder, then write the card.",
            )
    versions = {p: version(p) for p in ("torch", "onnx", "onnxscript", "visavox")}
    card = Card(
        format=FORMAT, name=name, population=population, face=face, voice=voice, versions=versions
    )
    (folder / "MODEL_CARD.md").write_text(model_card.rstrip() + "\n", encoding="utf-8")
    write_card(folder, card)
    return card


def _frozen(net: nn.Module, half_weights: bool) -> nn.Module:
    made = copy.deepcopy(net).cpu().float().eval()
    if half_weights:
        with torch.no_grad():
            for weight in made.parameters():
                weight.copy_(weight.half().float())
    return made


def _unit(vectors: Tensor) -> Tensor:
    flat = vectors.flatten(1)  # (N, 1, D) from SpeechBrain's nets
    unit: Tensor = flat / flat.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return unit


def _dim(graph: nn.Module, probe: Tensor) -> int:
    with torch.inference_mode():
        return int(graph(probe).shape[1])


def _pictures(count: int, side: int, generator: torch.Generator) -> Tensor:
    """Noise over soft shapes, so that no activation stays where it started."""
    shapes = torch.rand(count, 3, 7, 7, generator=generator)
    soft = nn.functional.interpolate(shapes, (side, side), mode="bilinear")
    noisy = soft * 200 + torch.rand(count, 3, side, side, generator=generator) * 55
    return noisy.permute(0, 2, 3, 1).to(torch.uint8)


def _sounds(count: int, length: int, generator: torch.Generator) -> Tensor:
    """Noise that swells, louder from one to the next."""
    noise = torch.randn(count, length, generator=generator)
    swell = torch.linspace(0.02, 1, length).sin().square()
    return noise * swell * torch.logspace(-2.5, -0.5, count)[:, None]
