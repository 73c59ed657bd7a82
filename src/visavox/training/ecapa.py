"""SpeechBrain's ECAPA-TDNN: imported without its traps, and made exportable.

`from visavox.training.ecapa import ECAPA_TDNN` rather than SpeechBrain's own path: SpeechBrain
leaves lazy redirects in `sys.modules` that raise as soon as anything looks at them (hypothesis
does, at every collection). They are taken out again here.
"""

import copy
import sys
from typing import cast

import torch
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN, AttentiveStatisticsPooling
from speechbrain.utils.importutils import LazyModule
from torch import Tensor, nn

__all__ = ["ECAPA_TDNN", "UnpaddedPooling", "without_lengths"]

for _name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
    del sys.modules[_name]


class UnpaddedPooling(nn.Module):
    """Attentive statistics pooling over waveforms of one length: (N, C, F) → (N, 2C, 1).

    SpeechBrain's own masks out padding even where there is none, and its mask freezes the batch
    of an exported graph. Here padding does not exist. The context (mean and deviation, the same
    for all frames) passes through the attention's first layer once, not once per frame.
    """

    def __init__(self, original: AttentiveStatisticsPooling) -> None:
        super().__init__()
        self.eps: float = original.eps
        self.tdnn = original.tdnn
        self.tanh = original.tanh
        self.conv = original.conv
        self.global_context: bool = original.global_context

    def forward(self, x: Tensor, lengths: None = None) -> Tensor:
        assert lengths is None, "waveforms of one length have no padding"
        hidden = self._hidden(x)
        attention = torch.softmax(self.conv(self.tanh(hidden)), dim=2)  # (N, C, F)
        mean, deviation = self._statistics(x, attention)
        return torch.cat((mean, deviation), dim=1)

    def _hidden(self, x: Tensor) -> Tensor:
        if not self.global_context:
            return cast(Tensor, self.tdnn(x))
        layer = self.tdnn.conv.conv  # a convolution of width 1
        each, mean, deviation = layer.weight.chunk(3, dim=1)
        share = torch.full_like(x[:1, :1], 1.0 / x.shape[2])
        m, d = self._statistics(x, share)
        context = mean.squeeze(2) @ m + deviation.squeeze(2) @ d + layer.bias[:, None]
        hidden = nn.functional.conv1d(x, each) + context  # (N, A, F) + (N, A, 1)
        return cast(Tensor, self.tdnn.dropout(self.tdnn.norm(self.tdnn.activation(hidden))))

    def _statistics(self, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        mean = (weight * x).sum(dim=2, keepdim=True)
        variance = (weight * (x - mean).square()).sum(dim=2, keepdim=True)
        return mean, variance.clamp(min=self.eps).sqrt()


def without_lengths(net: ECAPA_TDNN) -> ECAPA_TDNN:
    """A copy of `net` that takes no lengths, with the same numbers and any batch when exported."""
    made = copy.deepcopy(net)
    if isinstance(made.asp, AttentiveStatisticsPooling):
        made.asp = UnpaddedPooling(made.asp)
    return made
