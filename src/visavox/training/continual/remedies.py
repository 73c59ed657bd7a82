"""What each way does against forgetting: a memory, a teacher, or springs on the weights."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from visavox.training.characterizer.nets.face import FaceNet
from visavox.training.characterizer.samples import Samples

Weights = dict[str, Tensor]


def unit(net: FaceNet, pictures: Tensor) -> Tensor:
    """Embeddings of unit length, as they are served. Pictures are floats (N, 3, H, W)."""
    return functional.normalize(net(pictures))


def floats(data: NDArray[np.uint8] | NDArray[np.int16]) -> Tensor:
    """Stored pictures (N, H, W, 3) as a net takes them."""
    return torch.from_numpy(np.array(data)).permute(0, 3, 1, 2).float()


def embedded(net: FaceNet, samples: Samples, batch: int = 64) -> Tensor:
    """What the net makes of all samples, in order."""
    with torch.no_grad():
        parts = [
            unit(net, floats(samples.data[i : i + batch])) for i in range(0, len(samples), batch)
        ]
    return torch.cat(parts)


def centres(net: FaceNet, samples: Samples) -> Tensor:
    """(identities, D): where each person's captures lie."""
    sums = torch.zeros(len(samples.identities), net.dim)
    sums.index_add_(0, torch.from_numpy(samples.labels), embedded(net, samples))
    return functional.normalize(sums)


# --- Rehearsal


def kept(samples: Samples, captures: int) -> Samples:
    """The first captures of each person: what a memory costs is people's raw pictures."""
    rows = np.concatenate(
        [np.flatnonzero(samples.labels == p)[:captures] for p in range(len(samples.identities))]
    )
    return Samples(samples.data[rows], samples.labels[rows], samples.identities)


def joined(parts: list[Samples]) -> Samples:
    """Everybody of all parts, numbered through."""
    first = np.cumsum([0, *(len(p.identities) for p in parts)])
    return Samples(
        np.concatenate([p.data for p in parts]),  # of one kind
        np.concatenate([p.labels + at for p, at in zip(parts, first, strict=False)]),
        tuple(name for p in parts for name in p.identities),
    )


# --- Learning without forgetting


@dataclass(frozen=True, slots=True)
class Teacher:
    """The net before the step, and the former people's centres: weights, and nobody's picture."""

    net: FaceNet
    former: Tensor  # (people, D)
    scale: float
    temperature: float

    def disagreement(self, pictures: Tensor, embeddings: Tensor) -> Tensor:
        """How differently the pupil likens these pictures to the former people."""
        sharp = self.scale / self.temperature
        with torch.no_grad():
            said = functional.softmax(sharp * unit(self.net, pictures) @ self.former.T, dim=1)
        now = functional.log_softmax(sharp * embeddings @ self.former.T, dim=1)
        return self.temperature**2 * functional.kl_div(now, said, reduction="batchmean")


def teacher(net: FaceNet, former: Tensor, *, scale: float, temperature: float) -> Teacher:
    frozen = copy.deepcopy(net).eval()
    frozen.requires_grad_(False)
    return Teacher(frozen, former, scale, temperature)


# --- Elastic weight consolidation


@dataclass(frozen=True, slots=True)
class Springs:
    """Where each weight was after the last step, and how much all former people depend on it."""

    at: Weights
    stiffness: Weights

    def energy(self, net: FaceNet) -> Tensor:
        """Half the squared way of each weight, times its stiffness."""
        total = torch.zeros(())
        for name, weight in net.named_parameters():
            total = total + (self.stiffness[name] * (weight - self.at[name]).square()).sum()
        return total / 2


def springs(net: FaceNet, fisher: Weights, before: Springs | None) -> Springs:
    """Springs at the present weights; what former steps measured is added up."""
    at = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    if before is not None:
        fisher = {name: value + before.stiffness[name] for name, value in fisher.items()}
    return Springs(at, fisher)


def fisher(
    net: FaceNet, samples: Samples, *, count: int, scale: float, generator: torch.Generator
) -> Weights:
    """The diagonal of the Fisher information, measured capture by capture.

    Labels are drawn from what the net itself says: with the true ones it would be the gradient's
    square at hand, which vanishes where the net is right.
    """
    where = centres(net, samples)
    rows = torch.randperm(len(samples), generator=generator)[:count].numpy()
    total = {name: torch.zeros_like(weight) for name, weight in net.named_parameters()}
    for row in rows:
        net.zero_grad(set_to_none=True)
        logits = scale * unit(net, floats(samples.data[row : row + 1])) @ where.T
        drawn = torch.multinomial(logits.detach().softmax(1), 1, generator=generator).squeeze(1)
        torch.autograd.backward(functional.cross_entropy(logits, drawn))
        for name, weight in net.named_parameters():
            if weight.grad is not None:
                total[name] += weight.grad.square()
    net.zero_grad(set_to_none=True)
    return {name: value / len(rows) for name, value in total.items()}
