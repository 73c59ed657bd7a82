"""One step of learning: new people, in one of four ways."""

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from visavox.training.characterizer.augment_face import FaceAugment
from visavox.training.characterizer.margin import MarginSoftmax
from visavox.training.characterizer.module import rate_share
from visavox.training.characterizer.nets.face import FaceNet
from visavox.training.characterizer.samples import EpochOrder, Samples
from visavox.training.continual.remedies import (
    Springs,
    Teacher,
    centres,
    fisher,
    joined,
    kept,
    springs,
    teacher,
    unit,
)
from visavox.training.continual.settings import LearningSettings, Method

_DECAY, _CLIP, _WARM_UP = 0.02, 5.0, 0.1


@dataclass(frozen=True, slots=True)
class Past:
    """What a way carries from step to step; each fills only what it needs."""

    memory: tuple[Samples, ...] = ()
    former: Tensor = field(default_factory=lambda: torch.empty(0, 0))
    springs: Springs | None = None


def past(
    net: FaceNet,
    learned: Samples,
    before: Past,
    method: Method,
    how: LearningSettings,
    *,
    seed: int,
) -> Past:
    """What is carried on once `learned` has been."""
    if method == "rehearsal":
        return Past(memory=(*before.memory, kept(learned, how.keep)))
    if method == "lwf":
        own = centres(net, learned)
        return Past(former=torch.cat([before.former, own]) if len(before.former) else own)
    if method == "ewc":
        generator = torch.Generator().manual_seed(seed)
        seen = fisher(net, learned, count=how.fisher, scale=how.scale, generator=generator)
        return Past(springs=springs(net, seen, before.springs))
    return Past()


def learn(
    start: FaceNet,
    new: Samples,
    before: Past,
    method: Method,
    how: LearningSettings,
    *,
    seed: int,
) -> FaceNet:
    """A net that goes on from `start`, which stays as it is."""
    net = copy.deepcopy(start).eval()  # the norms' statistics stay: a few people are no census
    remembered = joined(list(before.memory)) if before.memory else None
    everybody = new if remembered is None else joined([new, remembered])
    head = MarginSoftmax(net.dim, len(everybody.identities), scale=how.scale)
    with torch.no_grad():
        head.centres.copy_(centres(net, everybody))
    elder = (
        teacher(start, before.former, scale=how.scale, temperature=how.temperature)
        if method == "lwf" and len(before.former)
        else None
    )
    augment = FaceAugment(how.augment)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(
        [*net.parameters(), *head.parameters()], lr=how.rate, weight_decay=_DECAY
    )
    batches = max(1, len(new) // how.batch)
    total = how.epochs * batches
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda at: rate_share(at, total, _WARM_UP)
    )
    for epoch in range(how.epochs):
        order = EpochOrder(new.labels, batch=how.batch, per_identity=0, seed=seed, epoch=epoch)
        draw = np.random.default_rng((seed, epoch, 1))
        for rows in order:
            chosen = rows
            if remembered is not None:
                again = draw.integers(len(remembered), size=len(rows))
                chosen = np.concatenate([rows, len(new) + again])
            samples = torch.from_numpy(np.ascontiguousarray(everybody.data[chosen]))
            labels = torch.from_numpy(everybody.labels[chosen])
            pictures, labels = augment.raw(samples, labels, generator)
            embeddings = unit(net, pictures)
            loss, _ = head(embeddings, labels, how.margin)
            loss = loss + _against_forgetting(net, pictures, embeddings, elder, before.springs, how)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(net.parameters(), _CLIP)
            optimizer.step()
            schedule.step()
    return net


def _against_forgetting(
    net: FaceNet,
    pictures: Tensor,
    embeddings: Tensor,
    elder: Teacher | None,
    held: Springs | None,
    how: LearningSettings,
) -> Tensor:
    cost = torch.zeros(())
    if elder is not None:
        cost = cost + how.distil * elder.disagreement(pictures, embeddings)
    if held is not None:
        cost = cost + how.elastic * held.energy(net)
    return cost
