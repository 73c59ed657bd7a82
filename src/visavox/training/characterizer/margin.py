"""Additive angular margin softmax: the loss that pulls one person's embeddings together."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class MarginSoftmax(nn.Module):
    """Cross entropy over cosines to one or several centres per identity (ArcFace, AAM).

    With several sub-centres an identity scores by its nearest one, so that wrongly labelled or
    very different captures of a person need not spoil the person's main centre.
    """

    def __init__(
        self, dim: int, identities: int, *, scale: float = 30.0, sub_centres: int = 1
    ) -> None:
        super().__init__()
        self.identities = identities
        self.sub_centres = sub_centres
        self.scale = scale
        self.centres = nn.Parameter(torch.empty(identities * sub_centres, dim))
        nn.init.xavier_uniform_(self.centres)

    def cosines(self, embeddings: Tensor) -> Tensor:
        """(N, D) → (N, identities), each to the nearest of the identity's centres."""
        # Half precision has three digits: too few for angles near zero.
        with torch.autocast(embeddings.device.type, enabled=False):
            near = functional.linear(
                functional.normalize(embeddings.float()), functional.normalize(self.centres.float())
            )
        return near.view(len(near), self.identities, self.sub_centres).amax(dim=2)

    def forward(self, embeddings: Tensor, labels: Tensor, margin: float) -> tuple[Tensor, Tensor]:
        """The loss, and the cosines it was made from."""
        cosines = self.cosines(embeddings)
        loss = functional.cross_entropy(self.scale * with_margin(cosines, labels, margin), labels)
        return loss, cosines


def with_margin(cosines: Tensor, labels: Tensor, margin: float) -> Tensor:
    """cos θ → cos(θ + margin) for each row's own identity; the others stay as they are.

    Beyond θ = π - margin the angle would turn round and reward being wrong; there a straight
    line goes on falling.
    """
    own = cosines.gather(1, labels[:, None])  # (N, 1)
    inside = own.clamp(-1 + 1e-7, 1 - 1e-7)  # the sine's slope is infinite at the ends
    shifted = inside * math.cos(margin) - (1 - inside.square()).sqrt() * math.sin(margin)
    beyond = own - math.sin(margin) * margin
    moved = torch.where(own > math.cos(math.pi - margin), shifted, beyond)
    return cosines.scatter(1, labels[:, None], moved)


def margin_at(epoch: int, *, largest: float, warm_from: int, warm_to: int) -> float:
    """No margin until `warm_from`, then a straight rise up to `largest` at `warm_to`.

    A full margin from the start asks random weights for a separation they cannot give.
    """
    if epoch >= warm_to:
        return largest
    if epoch <= warm_from:
        return 0.0
    return largest * (epoch - warm_from) / (warm_to - warm_from)
