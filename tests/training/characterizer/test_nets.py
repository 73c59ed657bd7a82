"""The nets as shipped: small enough, and their front ends inside."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from visavox.training.characterizer.nets.base import Net
from visavox.training.characterizer.nets.face import FaceNet, FaceNetSettings
from visavox.training.characterizer.nets.voice import VoiceNet, VoiceNetSettings


def multiply_adds(net: Net, shape: tuple[int, ...]) -> float:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(torch.rand(shape))
    return float(counter.get_total_flops()) / 2


def weights(net: Net) -> int:
    return sum(p.numel() for p in net.parameters())


def test_the_face_net_is_small() -> None:
    net = FaceNet(FaceNetSettings())
    assert weights(net) < 1_000_000
    assert multiply_adds(net, (1, 3, 112, 112)) < 70e6


def test_the_voice_net_is_small() -> None:
    net = VoiceNet(VoiceNetSettings())
    assert weights(net) < 1_000_000
    assert multiply_adds(net, (1, 48_000)) < 250e6


@pytest.mark.parametrize("dim", [8, 24])
def test_embeddings_have_the_dimension_asked_for(dim: int) -> None:
    face = FaceNet(FaceNetSettings(dim=dim, stem=4, widths=(4,), depths=(1,), head=8), size=32)
    voice = VoiceNet(VoiceNetSettings(dim=dim, mels=8, channels=(8, 8, 16), res2net_scale=2))
    assert face(torch.rand(2, 3, 32, 32) * 255).shape == (2, dim)
    assert voice(torch.rand(2, 8_000)).shape == (2, dim)


def test_loudness_does_not_change_a_voice() -> None:
    torch.manual_seed(0)
    net = VoiceNet(VoiceNetSettings(channels=(8, 8, 16), res2net_scale=2)).eval()
    sound = 0.1 * torch.randn(1, 16_000)
    with torch.no_grad():
        assert torch.allclose(net(sound), net(sound * 0.3), atol=1e-3)


def test_stages_and_depths_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        FaceNet(FaceNetSettings(widths=(8, 8), depths=(1,)))
