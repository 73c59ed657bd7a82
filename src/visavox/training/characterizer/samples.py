"""Training samples as plain arrays: what people gave, who they are, and in which order to learn."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from visavox.errors import DataError

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Samples:
    """N captures of one modality: aligned crops (N, H, W, 3) uint8 or sound (N, T) int16."""

    data: NDArray[np.uint8] | NDArray[np.int16]
    labels: Labels  # (N,) rows of `identities`
    identities: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, first: int, last: int) -> "Samples":
        """The captures of the identities `first` up to but not including `last`, renumbered."""
        rows = np.flatnonzero((self.labels >= first) & (self.labels < last))
        data: NDArray[np.uint8] | NDArray[np.int16] = self.data[rows]
        return Samples(data, self.labels[rows] - first, self.identities[first:last])


@dataclass(frozen=True, slots=True)
class Split:
    """Who is learned from, and who only shows whether it was learned; nobody is both."""

    train: Samples
    validation: Samples

    def __post_init__(self) -> None:
        both = set(self.train.identities) & set(self.validation.identities)
        if both:
            raise DataError(
                f"{len(both)} people are both in training and in validation, such as "
                f"{min(both)!r}.",
                next_step="Give each person to one of the two splits.",
            )


class Batches(Dataset[tuple[Tensor, Tensor]]):
    """Whole batches by their row numbers: one look-up per batch, not per sample."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, rows: Labels) -> tuple[Tensor, Tensor]:
        data = np.ascontiguousarray(self.samples.data[rows])
        return torch.from_numpy(data), torch.from_numpy(self.samples.labels[rows])


class EpochOrder(Sampler[Labels]):
    """Shuffled batches in which every person is as frequent as any other.

    The order depends on the seed and the epoch alone, so that a resumed training goes on with the
    very batches that the interrupted one would have seen.
    """

    def __init__(
        self, labels: Labels, *, batch: int, per_identity: int, seed: int, epoch: int
    ) -> None:
        self.labels = labels
        self.batch = batch
        self.per_identity = per_identity
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        people = len(np.unique(self.labels))
        total = people * self.per_identity if self.per_identity else len(self.labels)
        return max(1, total // self.batch)

    def __iter__(self) -> Iterator[Labels]:
        rng = np.random.default_rng((self.seed, self.epoch))
        rows = rng.permutation(self._drawn(rng))
        for i in range(len(self)):
            # The last few are left out: batch normalisation dislikes a batch of two.
            yield rows[i * self.batch : (i + 1) * self.batch]

    def _drawn(self, rng: np.random.Generator) -> Labels:
        if not self.per_identity:
            return np.arange(len(self.labels))
        chosen = []
        for person in np.unique(self.labels):
            own = np.flatnonzero(self.labels == person)
            rounds = -(-self.per_identity // len(own))
            chosen.append(np.concatenate([rng.permutation(own) for _ in range(rounds)]))
        return np.concatenate([own[: self.per_identity] for own in chosen])


def cached(folder: Path, make: Callable[[Path], tuple[Labels, tuple[str, ...]]]) -> Samples:
    """The samples kept in `folder`, made by `make` where there are none yet.

    `make` writes the array to the path that it is given. The description is written last: an
    interrupted run leaves none, and is done anew.
    """
    described, stored = folder / "samples.json", folder / "samples.npy"
    if not described.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        labels, identities = make(stored)
        half = described.with_suffix(".half")
        half.write_text(
            json.dumps({"labels": labels.tolist(), "identities": identities}), encoding="utf-8"
        )
        half.replace(described)
    known = json.loads(described.read_text(encoding="utf-8"))
    return Samples(
        np.load(stored, mmap_mode="r"),
        np.asarray(known["labels"], np.int64),
        tuple(known["identities"]),
    )
