"""What is exported gives torch's numbers at any batch and length, or is not exported at all."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from torch import Tensor, nn

from visavox.characterizer import load
from visavox.characterizer.crop import Crop
from visavox.characterizer.session import Net
from visavox.errors import ExportError
from visavox.training.ecapa import ECAPA_TDNN, without_lengths
from visavox.training.export import (
    FaceGraph,
    VoiceGraph,
    export_face,
    export_voice,
    write_characterizer,
)
from visavox.training.frontend import Fbank


def worn(net: nn.Module, *shape: int) -> nn.Module:
    """A net whose running statistics are those of some data, as after training."""
    with torch.no_grad():
        net.train()
        for _ in range(2):
            net(torch.randn(*shape) * 3 + 1)
    return net.eval()


@pytest.fixture(scope="module")
def face() -> nn.Module:
    """facenet-pytorch's net with every kind of its layers, but few of each."""
    torch.manual_seed(0)
    net = InceptionResnetV1(pretrained=None)
    for name in ("repeat_1", "repeat_2", "repeat_3"):
        setattr(net, name, getattr(net, name)[:1])
    return worn(net, 4, 3, 160, 160)


@pytest.fixture(scope="module")
def voice() -> nn.Module:
    """SpeechBrain's net, small, behind the front end."""
    torch.manual_seed(1)
    net = ECAPA_TDNN(
        24,
        channels=[16, 16, 16, 24],
        kernel_sizes=[5, 3, 3, 1],
        dilations=[1, 2, 3, 1],
        groups=[1] * 4,
        res2net_scale=4,
        attention_channels=8,
        se_channels=8,
        lin_neurons=12,
    )
    return nn.Sequential(Fbank(24), without_lengths(worn(net, 6, 40, 24)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, face: nn.Module, voice: nn.Module) -> Path:
    made = tmp_path_factory.mktemp("exported")
    write_characterizer(
        made,
        name="small",
        population="none: random weights",
        face=export_face(face, made / "face.onnx", crop=Crop.BOX_160, half_weights=True),
        voice=export_voice(voice, made / "voice.onnx"),
        model_card="# Small",
    )
    return made


def test_the_folder_is_a_characterizer(folder: Path) -> None:
    nets = load(folder)
    assert (nets.name, nets.face_dim, nets.voice_dim) == ("small", 512, 12)
    assert nets.crop is Crop.BOX_160
    assert (folder / "MODEL_CARD.md").read_text() == "# Small\n"


@pytest.mark.parametrize(("count", "samples"), [(1, 8_000), (1, 53_331), (4, 9_999), (7, 16_000)])
def test_voices_are_torchs_at_any_batch_and_length(
    folder: Path, voice: nn.Module, count: int, samples: int
) -> None:
    sound = torch.randn(count, samples, generator=torch.Generator().manual_seed(samples)) * 0.1
    with torch.inference_mode():
        wanted = VoiceGraph(voice)(sound).numpy()
    (got,) = Net(folder / "voice.onnx", name="voice")(sound.numpy())
    np.testing.assert_allclose(got, wanted, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3, 6])
def test_faces_are_torchs_at_any_batch(folder: Path, face: nn.Module, count: int) -> None:
    """The weights were rounded to half precision: near the net, and exactly the rounded one."""
    generator = torch.Generator().manual_seed(count)
    pixels = torch.randint(0, 256, (count, 160, 160, 3), generator=generator, dtype=torch.uint8)
    (got,) = Net(folder / "face.onnx", name="face")(pixels.numpy())
    with torch.inference_mode():
        wanted = FaceGraph(face)(pixels).numpy()
    assert ((got * wanted).sum(axis=1) > 0.999).all()


def test_files_tell_nothing_of_the_machine_they_were_made_on(folder: Path) -> None:
    for name in ("face.onnx", "voice.onnx"):
        data = (folder / name).read_bytes()
        assert b"/site-packages/" not in data
        assert str(Path.cwd()).encode() not in data
        onnx.checker.check_model(onnx.load_from_string(data))


class _OtherWhenExported(nn.Module):
    """A net that is not the same once it has been traced."""

    def forward(self, pixels: Tensor) -> Tensor:
        out = pixels.mean(dim=(2, 3))
        return out.flip(1) if torch.compiler.is_exporting() else out


def test_a_net_that_comes_out_different_is_not_exported(tmp_path: Path) -> None:
    path = tmp_path / "face.onnx"
    with pytest.raises(ExportError, match="they differ by"):
        export_face(_OtherWhenExported(), path, crop=Crop.ALIGNED_112)
    assert not list(tmp_path.iterdir())


class _NotANumber(nn.Module):
    def forward(self, waveform: Tensor) -> Tensor:
        return (waveform[:, :4] - 1e9).log()


def test_a_net_that_gives_no_numbers_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="differ by nan"):
        export_voice(_NotANumber(), tmp_path / "voice.onnx")
    assert not list(tmp_path.iterdir())


def test_a_card_is_written_only_for_the_nets_that_were_exported(
    tmp_path: Path, folder: Path
) -> None:
    card = load(folder).card
    (tmp_path / "face.onnx").write_bytes(b"another")
    with pytest.raises(ExportError, match="is not the net that was exported"):
        write_characterizer(
            tmp_path, name="x", population="x", face=card.face, voice=card.voice, model_card=""
        )
