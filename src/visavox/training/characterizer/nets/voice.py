"""A small SpeechBrain ECAPA-TDNN behind the house's log-mel front end."""

import torch
from torch import Tensor, nn

from visavox.config import settings
from visavox.training.characterizer.nets.base import Net
from visavox.training.ecapa import ECAPA_TDNN, UnpaddedPooling
from visavox.training.frontend import Fbank


@settings
class VoiceNetSettings:
    """The shape of the net; the defaults hold 0.57 M weights."""

    dim: int = 128
    """Length of the embedding."""
    mels: int = 64
    """Bands of the log-mel front end."""
    channels: tuple[int, ...] = (128, 128, 128, 128, 384)
    """Channels of the first layer, of each SE-Res2Net block, and of their aggregation."""
    squeeze: int = 64
    """Channels of the squeeze-and-excitation bottleneck."""
    attention: int = 64
    """Channels of the attentive pooling."""
    res2net_scale: int = 4
    """Groups that a block's channels are split into."""


class VoiceNet(Net):
    """Waveform, float32 at 16 kHz, (N, T) → raw embeddings (N, dim)."""

    def __init__(self, settings: VoiceNetSettings) -> None:
        super().__init__()
        self.dim = settings.dim
        blocks = len(settings.channels) - 2
        self.fbank = Fbank(settings.mels)
        self.body = ECAPA_TDNN(
            settings.mels,
            lin_neurons=settings.dim,
            channels=list(settings.channels),
            kernel_sizes=[5, *[3] * blocks, 1],
            dilations=[1, *range(2, blocks + 2), 1],
            groups=[1] * len(settings.channels),
            attention_channels=settings.attention,
            se_channels=settings.squeeze,
            res2net_scale=settings.res2net_scale,
        )
        # Waveforms of a batch have one length here, so there is no padding to mask.
        self.body.asp = UnpaddedPooling(self.body.asp)
        self.norm = nn.BatchNorm1d(settings.dim)

    def features(self, raw: Tensor) -> Tensor:
        with torch.no_grad():
            out: Tensor = self.fbank(raw)  # (N, F, mels)
        # Decibels spread over some ±15; a learner likes numbers near one.
        return out / 15.0

    def embed(self, features: Tensor) -> Tensor:
        out: Tensor = self.norm(self.body(features).squeeze(1))  # (N, 1, dim) → (N, dim)
        return out
