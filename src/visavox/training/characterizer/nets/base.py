"""What both nets have in common: a fixed front end, then everything that learns."""

from abc import abstractmethod

from torch import Tensor, nn


class Net(nn.Module):
    """Raw evidence → features (nothing learned) → embedding (not yet of unit length)."""

    dim: int

    @abstractmethod
    def features(self, raw: Tensor) -> Tensor:
        """The front end, where training may put its masks afterwards."""

    @abstractmethod
    def embed(self, features: Tensor) -> Tensor:
        """Features → (N, dim)."""

    def forward(self, raw: Tensor) -> Tensor:
        return self.embed(self.features(raw))
