"""Training of the `mlp` family with Lightning: members, and *nobody* for the whole cohort.

The only family that needs torch; `fit` imports this module when it is asked for.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from visavox.discriminator.mlp import MlpScorer
from visavox.training.fit_cohort import Owners
from visavox.training.fit_logit import Floats
from visavox.training.fit_plda import PldaModel
from visavox.training.fit_settings import MlpSettings

Batch = tuple[Tensor, Tensor]


class MemberNet(LightningModule):
    """Dense, ReLU, dropout, dense, softmax over the members and nobody (the last class)."""

    shares: Tensor  # (M + 1,) of each class in the loss

    def __init__(self, width: int, classes: int, settings: MlpSettings, *, seed: int) -> None:
        super().__init__()
        self.settings = settings
        self.hidden = nn.Linear(width, settings.hidden)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(settings.hidden, classes)
        # Nobody gets half of the weight, the members share the other half evenly.
        shares = torch.full((classes,), 0.5 / max(classes - 1, 1))
        shares[-1] = 0.5
        self.register_buffer("shares", shares)
        self.noise = torch.Generator().manual_seed(seed)

    def forward(self, x: Tensor) -> Tensor:
        """(N, d) → (N, M + 1) logits."""
        logits: Tensor = self.output(self.dropout(torch.relu(self.hidden(x))))
        return logits

    def training_step(self, batch: Batch, _: int) -> Tensor:
        x, label = batch
        # One person varies by a unit per dimension in this space: a few captures become many.
        x = x + self.settings.jitter * torch.randn(x.shape, generator=self.noise)
        loss = nn.functional.cross_entropy(self(x), label, reduction="none")
        counts = torch.bincount(label, minlength=len(self.shares))
        weight = (self.shares / counts.clamp(min=1))[label]
        return (weight * loss).sum() / weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            self.parameters(),
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
        )


@dataclass(frozen=True, slots=True, eq=False)
class MlpModel:
    """The space of PLDA, and the captures of nobody in particular."""

    space: PldaModel
    nobody: Floats  # (K, d)
    settings: MlpSettings

    @classmethod
    def train(cls, space: PldaModel, vectors: Floats, settings: MlpSettings) -> "MlpModel":
        return cls(space, space.projection(vectors), settings)

    def enrol(self, vectors: Floats, owner: Owners, members: int, *, seed: int) -> MlpScorer:
        """One net for all members; each one's weights rest on who else there is."""
        if members == 0:
            return self._empty()
        net = _trained(
            self.space.projection(vectors), owner, members, self.nobody, self.settings, seed=seed
        )
        state = {k: v.numpy().astype(np.float64) for k, v in net.state_dict().items()}
        output, bias = state["output.weight"].T, state["output.bias"]
        prior = np.log(state["shares"][:-1] / state["shares"][-1])
        return MlpScorer(
            self.space.projection,
            state["hidden.weight"].T,
            state["hidden.bias"],
            output[:, :-1] - output[:, -1:],
            bias[:-1] - bias[-1] - prior,
        )

    def _empty(self) -> MlpScorer:
        hidden = np.zeros((self.nobody.shape[1], self.settings.hidden))
        return MlpScorer(
            self.space.projection,
            hidden,
            hidden[0],
            np.zeros((self.settings.hidden, 0)),
            np.zeros(0),
        )


def _trained(
    x: Floats, owner: Owners, members: int, nobody: Floats, settings: MlpSettings, *, seed: int
) -> MemberNet:
    rng = np.random.default_rng([seed, 4])
    few = min(settings.nobody, len(nobody))
    batches: list[Batch] = []
    label = torch.from_numpy(np.concatenate([owner, np.full(few, members, dtype=np.intp)]))
    for _ in range(settings.steps):
        some = nobody[rng.choice(len(nobody), few, replace=False)]
        batches.append((torch.from_numpy(np.concatenate([x, some]).astype(np.float32)), label))
    with torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(seed)
        net = MemberNet(x.shape[1], members + 1, settings, seed=seed)
        # Barebones: no logger, no checkpoints, no progress bar, no sanity checks.
        trainer = Trainer(max_epochs=1, accelerator="cpu", devices=1, barebones=True)
        # batch_size=None: each item is a whole batch, and goes in as it is.
        trainer.fit(net, DataLoader(batches, batch_size=None))  # type: ignore[arg-type]
    return net.eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's greetings: a fridge of 20 takes longer to read about than to train."""
    log = logging.getLogger("lightning.pytorch")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        log.setLevel(level)
