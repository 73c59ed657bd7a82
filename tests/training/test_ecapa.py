"""ECAPA-TDNN without lengths is the same net, and importing it leaves no trap behind."""

import sys

import pytest
import torch
from speechbrain.utils.importutils import LazyModule

from visavox.training.ecapa import ECAPA_TDNN, UnpaddedPooling, without_lengths


@pytest.mark.parametrize("global_context", [True, False])
def test_net_without_lengths_gives_the_same_numbers(global_context: bool) -> None:
    torch.manual_seed(0)
    net = ECAPA_TDNN(
        24,
        channels=[32, 32, 32, 32, 48],
        attention_channels=16,
        se_channels=16,
        lin_neurons=20,
        global_context=global_context,
    )
    for _ in range(3):  # running statistics that are no longer those of a fresh net
        net(torch.randn(4, 50, 24) * 3)
    net.eval()
    features = torch.randn(3, 61, 24)
    with torch.inference_mode():
        made = without_lengths(net)
        assert isinstance(made.asp, UnpaddedPooling)
        torch.testing.assert_close(made(features), net(features), atol=1e-5, rtol=1e-5)
    assert not isinstance(net.asp, UnpaddedPooling), "the net itself is left as it was"


def test_speechbrain_leaves_no_lazy_module_behind() -> None:
    assert not [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]
