"""What every family is: fixed arrays that turn vectors into raw scores against members."""

from collections.abc import Mapping
from typing import ClassVar, Protocol, Self

from visavox.parts import Array
from visavox.types import Matrix, Vectors


class Scorer(Protocol):
    """Raw scores, higher for the same person; not yet log-likelihood ratios."""

    FAMILY: ClassVar[str]

    @property
    def dimension(self) -> int:
        """Length of the embeddings it was fitted on."""
        ...

    @property
    def width(self) -> int:
        """Number of members it scores against."""
        ...

    def raw(self, vectors: Vectors) -> Matrix:
        """(N, D) unit vectors → (N, M) scores."""
        ...

    def tensors(self) -> dict[str, Array]:
        """All that it is, by name."""
        ...

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """The inverse of `tensors`; BundleError where they do not fit together."""
        ...
