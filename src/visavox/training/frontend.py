"""From sound to log-mel features, with SpeechBrain's numbers and without its STFT.

The Fourier transform is two matrix products on folded frames, so that the exported graph holds
nothing but slices and products: the STFT operator of ONNX costs more than the whole net behind it.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from visavox.types import SAMPLE_RATE

WINDOW = 400  # 25 ms
HOP = 160  # 10 ms
HALF = WINDOW // 2
FLOOR = 1e-10  # of a mel band's power
TOP_DB = 80.0  # range below the loudest band of the whole waveform


class Fbank(nn.Module):
    """Waveform (N, T) → log-mel features (N, 1 + T // 160, n_mels), in dB, mean 0 over time.

    The same as `speechbrain.lobes.features.Fbank(n_mels=...)` followed by
    `InputNormalization(norm_type="sentence", std_norm=False)`, within float rounding. Nothing is
    learned, and nothing is added to a net's state dict. Half precision is left alone: features
    are always computed in float32.
    """

    cosines: Tensor
    sines: Tensor
    mels: Tensor

    def __init__(self, n_mels: int = 80, *, mean_norm: bool = True) -> None:
        super().__init__()
        self.n_mels = n_mels
        self.mean_norm = mean_norm
        cosines, sines = _folded_fourier()
        for name, table in (("cosines", cosines), ("sines", sines), ("mels", _mels(n_mels))):
            self.register_buffer(name, table.float(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        if torch.is_autocast_enabled(waveform.device.type):
            with torch.autocast(waveform.device.type, enabled=False):
                return self._features(waveform.float())
        return self._features(waveform)

    def _features(self, waveform: Tensor) -> Tensor:
        frames = _framed(waveform)  # (N, F, 400)
        # A real signal's cosines are even about the window's middle and its sines odd, and so is
        # the window: fold each frame onto half its length before multiplying.
        ahead = frames[..., 1:HALF]  # (N, F, 199)
        behind = frames[..., HALF + 1 :].flip(-1)
        first, middle = frames[..., :1], frames[..., HALF : HALF + 1]
        real = torch.cat((first, middle, ahead + behind), dim=-1) @ self.cosines  # (N, F, 199)
        imaginary = (ahead - behind) @ self.sines
        mel = (real * real + imaginary * imaginary) @ self.mels  # (N, F, n_mels)
        decibel = mel.clamp(min=FLOOR).log10() * 10.0
        loudest = decibel.amax(dim=(-2, -1), keepdim=True)
        decibel = torch.maximum(decibel, loudest - TOP_DB)
        return decibel - decibel.mean(dim=1, keepdim=True) if self.mean_norm else decibel


def _framed(waveform: Tensor) -> Tensor:
    """Overlapping windows, the first centred on sample 0: (N, T) → (N, 1 + T // 160, 400)."""
    count = 1 + waveform.shape[1] // HOP
    padded = pad(waveform, (HALF, 3 * HOP - HALF))
    hops = padded[:, : (count + 2) * HOP].reshape(waveform.shape[0], count + 2, HOP)
    return torch.cat((hops[:, :-2], hops[:, 1:-1], hops[:, 2:, : WINDOW - 2 * HOP]), dim=-1)


def _folded_fourier() -> tuple[Tensor, Tensor]:
    """Windowed cosines (201, 199) and sines (199, 199) of the bins 1 to 199.

    Bins 0 and 200 belong to no mel band. The rows of the cosines begin with samples 0 and 200,
    which fold onto themselves.
    """
    window = torch.hamming_window(WINDOW, dtype=torch.float64)
    sample = torch.tensor([0, HALF, *range(1, HALF)])
    bins = torch.arange(1, HALF)
    # The product modulo the period keeps the angle exact.
    turns = (sample[:, None] * bins[None, :]) % WINDOW
    angle = turns.double() * (2 * math.pi / WINDOW)
    weight = window[sample][:, None]
    return angle.cos() * weight, (angle.sin() * weight)[2:]


def _mels(n_mels: int) -> Tensor:
    """Triangular mel filters, as SpeechBrain draws them, for the bins 1 to 199: (199, n_mels)."""
    highest = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    # float32 throughout, because SpeechBrain's own filters are made so.
    hz = 700 * (10 ** (torch.linspace(0, highest, n_mels + 2) / 2595) - 1)
    band = hz[1:] - hz[:-1]
    frequencies = torch.linspace(0, SAMPLE_RATE // 2, HALF + 1)[1:HALF]
    slope = (frequencies[:, None] - hz[1:-1]) / band[:-1]
    return torch.minimum(slope + 1, 1 - slope).clamp(min=0)
