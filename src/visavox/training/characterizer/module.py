"""One training step, one validation step: what Lightning runs for either net."""

import math
from typing import Protocol

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

from visavox.training.characterizer.margin import MarginSoftmax, margin_at
from visavox.training.characterizer.nets.base import Net
from visavox.training.characterizer.settings import LossSettings, OptimiseSettings
from visavox.training.characterizer.verification import trials
from visavox.training.metrics import eer

MONITOR = "val_eer"


class Augmentation(Protocol):
    """From stored samples to what a net takes; the training form changes them on the way."""

    classes_per_identity: int

    def plain(self, samples: Tensor) -> Tensor: ...

    def raw(self, samples: Tensor, labels: Tensor, rng: Generator) -> tuple[Tensor, Tensor]: ...

    def features(self, features: Tensor, rng: Generator) -> Tensor: ...


class EmbeddingTraining(pl.LightningModule):
    """A net under margin softmax, watched by the EER of people that it never learns from."""

    def __init__(
        self,
        net: Net,
        augmentation: Augmentation,
        *,
        identities: int,
        loss: LossSettings,
        optimise: OptimiseSettings,
        enrol: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.net = net
        self.augmentation = augmentation
        self.loss_settings = loss
        self.optimise = optimise
        self.enrol = enrol
        self.seed = seed
        self.margin = MarginSoftmax(
            net.dim,
            identities * augmentation.classes_per_identity,
            scale=loss.scale,
            sub_centres=loss.sub_centres,
        )
        self._seen: list[tuple[NDArray[np.float32], NDArray[np.int64]]] = []

    def forward(self, raw: Tensor) -> Tensor:
        """Unit embeddings, as they are served."""
        return functional.normalize(self.net(raw).float())

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        samples, people = batch
        rng = self._generator(batch_idx)
        with torch.no_grad(), torch.autocast(samples.device.type, enabled=False):
            raw, labels = self.augmentation.raw(samples, people, rng)
            features = self.augmentation.features(self.net.features(raw), rng)
        schedule = self.loss_settings
        margin = margin_at(
            self.current_epoch,
            largest=schedule.margin,
            warm_from=schedule.warm_from,
            warm_to=schedule.warm_to,
        )
        loss, cosines = self.margin(self.net.embed(features), labels, margin)
        right = (cosines.argmax(1) == labels).float().mean()
        self.log("train_accuracy", right, on_step=False, on_epoch=True, prog_bar=True)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True)
        self.log("margin", margin, on_step=False, on_epoch=True)
        out: Tensor = loss
        return out

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        samples, people = batch
        with torch.autocast(samples.device.type, enabled=False):
            vectors = self(self.augmentation.plain(samples))
        self._seen.append((vectors.cpu().numpy(), people.cpu().numpy()))

    def on_validation_epoch_end(self) -> None:
        vectors = np.concatenate([v for v, _ in self._seen])
        people = np.concatenate([p for _, p in self._seen])
        self._seen.clear()
        if self.trainer.sanity_checking:
            return
        seen = trials(vectors, people, enrol=self.enrol)
        self.log(MONITOR, eer(seen.mated, seen.foreign), prog_bar=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        o = self.optimise
        # Decay is for matrices; on norms' gains and biases it only hurts.
        matrices = [p for p in self.parameters() if p.ndim > 1]
        others = [p for p in self.parameters() if p.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": o.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=o.rate,
        )
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_share(step, steps, o.warm_up)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _generator(self, batch_idx: int) -> Generator:
        """The same draws for the same batch, in whatever run it comes up."""
        mixed = np.random.SeedSequence((self.seed, self.current_epoch, batch_idx))
        made = Generator(device=self.device)
        return made.manual_seed(int(mixed.generate_state(1, np.uint64)[0] >> np.uint64(1)))


def rate_share(step: int, steps: int, warm_up: float) -> float:
    """Share of the highest learning rate: a straight rise, then half a cosine down to 1 %."""
    rising = max(1, round(steps * warm_up))
    if step < rising:
        return (step + 1) / rising
    done = min(1.0, (step - rising) / max(1, steps - rising))
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2
