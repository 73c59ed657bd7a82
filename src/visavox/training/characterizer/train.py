"""From people to a trained net: one story, told in order by `train_net`."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.loggers import Logger, MLFlowLogger
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.utils.data import DataLoader

from visavox.errors import CharacterizerError
from visavox.training import provenance, tracking
from visavox.training.characterizer.augment_face import FaceAugment
from visavox.training.characterizer.augment_voice import VoiceAugment
from visavox.training.characterizer.module import MONITOR, Augmentation, EmbeddingTraining
from visavox.training.characterizer.nets.base import Net
from visavox.training.characterizer.nets.face import FaceNet
from visavox.training.characterizer.nets.voice import VoiceNet
from visavox.training.characterizer.samples import Batches, EpochOrder, Samples, Split
from visavox.training.characterizer.settings import CharacterizerSettings, OptimiseSettings
from visavox.training.characterizer.verification import Verification, trials, verify
from visavox.training.tracking import Run

LAST = "last"


@dataclass(frozen=True)
class Trained:
    """A net with averaged weights, of its best epoch, and how good it is."""

    net: Net
    verification: Verification
    epochs: int
    best_epoch: int


class People(pl.LightningDataModule):
    """Batches of the people who are learned from, and of those who are not."""

    def __init__(self, split: Split, optimise: OptimiseSettings, *, seed: int) -> None:
        super().__init__()
        self.split = split
        self.optimise = optimise
        self.seed = seed

    def train_dataloader(self) -> DataLoader[Any]:
        order = EpochOrder(
            self.split.train.labels,
            batch=self.optimise.batch,
            per_identity=self.optimise.per_identity,
            seed=self.seed,
            epoch=self.trainer.current_epoch if self.trainer else 0,
        )
        return _loader(self.split.train, order)

    def val_dataloader(self) -> DataLoader[Any]:
        return _loader(self.split.validation, _in_order(self.split.validation, self.optimise.batch))


def train_net(
    settings: CharacterizerSettings,
    split: Split,
    run: Run,
    *,
    stop_after: int | None = None,
) -> Trained:
    """Train the net of `settings.modality`; `stop_after` epochs ends early, to be resumed."""
    with _reproducible(settings):
        training = EmbeddingTraining(
            *_parts(settings),
            identities=len(split.train.identities),
            loss=settings.loss,
            optimise=settings.optimise,
            enrol=settings.enrol,
            seed=settings.seed,
        ).to(memory_format=torch.channels_last)
        if settings.start:
            begin(training, split.train, Path(settings.start), settings.optimise.batch)
        folder = checkpoints(settings)
        best = ModelCheckpoint(
            folder, filename="best", monitor=MONITOR, save_last=True, enable_version_counter=False
        )
        trainer = _trainer(settings, best, run, stop_after)
        last = folder / f"{LAST}.ckpt"
        resumed = settings.resume and last.is_file()
        trainer.fit(
            training,
            People(split, settings.optimise, seed=settings.seed),
            ckpt_path=str(last) if resumed else None,
            weights_only=True,
        )
        done = torch.load(best.best_model_path, weights_only=True)
        training.load_state_dict(done["state_dict"])
        measured = validate(training, split.validation, settings)
    return Trained(
        training.net.eval(), measured, epochs=trainer.current_epoch, best_epoch=done["epoch"] + 1
    )


def begin(training: EmbeddingTraining, people: Samples, weights: Path, batch: int) -> None:
    """Go on from a trained net: each person's centre begins where their captures lie."""
    try:
        training.net.load_state_dict(load_file(weights))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise CharacterizerError(
            f"{weights} holds no net of this shape: {str(error).splitlines()[0]}",
            next_step="Train the first round with the same `net` settings, or correct `start`.",
        ) from None
    classes = training.augmentation.classes_per_identity
    sums = torch.zeros(len(people.identities), training.net.dim)
    training.eval()
    with torch.no_grad():
        for samples, labels in _loader(people, _in_order(people, batch)):
            seen = training(training.augmentation.plain(samples.to(training.device))).cpu()
            sums.index_add_(0, labels, seen)
        centres = torch.nn.functional.normalize(sums)
        spread = classes * training.margin.sub_centres
        training.margin.centres.copy_(centres.repeat_interleave(spread, dim=0))
    training.train()


def validate(
    training: EmbeddingTraining, people: Samples, settings: CharacterizerSettings
) -> Verification:
    """The trained net on people it never learned from, with an interval."""
    training.eval()
    loader = _loader(people, _in_order(people, settings.optimise.batch))
    with torch.no_grad():
        vectors = [
            training(training.augmentation.plain(samples.to(training.device))).cpu()
            for samples, _ in loader
        ]
    return verify(
        trials(torch.cat(vectors).numpy(), people.labels, enrol=settings.enrol), seed=settings.seed
    )


def checkpoints(settings: CharacterizerSettings) -> Path:
    """Where this very training keeps its state: other settings have another place."""
    what = {k: v for k, v in asdict(settings).items() if k not in _NOT_WHAT}
    return Path(settings.cache) / "runs" / f"{settings.modality}-{provenance.digest(what)[:16]}"


_NOT_WHAT = ("cache", "out", "resume", "progress")


def _parts(settings: CharacterizerSettings) -> tuple[Net, Augmentation]:
    if settings.modality == "face":
        return FaceNet(settings.face.net), FaceAugment(settings.face.augment)
    return VoiceNet(settings.voice.net), VoiceAugment(settings.voice.augment)


def _trainer(
    settings: CharacterizerSettings, best: ModelCheckpoint, run: Run, stop_after: int | None
) -> pl.Trainer:
    o = settings.optimise
    callbacks: list[Callback] = [
        EMAWeightAveraging(decay=o.average),
        EarlyStopping(MONITOR, patience=o.patience),
        best,
    ]
    if run.id:
        callbacks.append(LearningRateMonitor("epoch"))
    if settings.progress:
        callbacks.append(RichProgressBar())
    if stop_after is not None:
        callbacks.append(_Interruption(stop_after))
    return pl.Trainer(
        accelerator="auto",
        devices=1,
        precision=_precision(o),
        max_epochs=o.epochs,
        gradient_clip_val=o.clip,
        reload_dataloaders_every_n_epochs=1,  # each epoch has an order of its own
        num_sanity_val_steps=0,
        callbacks=callbacks,
        logger=logger_of(run),
        enable_progress_bar=settings.progress,
        enable_model_summary=False,
        log_every_n_steps=1,  # all is logged per epoch
    )


def logger_of(run: Run) -> Logger | bool:
    """What Lightning logs goes into the step's own run, where there is one."""
    return MLFlowLogger(tracking_uri=tracking.uri(), run_id=run.id) if run.id else False


class _Interruption(Callback):
    """Ends a training as if somebody had pulled the plug after an epoch."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - Lightning's signature
        trainer.should_stop = trainer.current_epoch + 1 >= self.epochs


def _precision(o: OptimiseSettings) -> Any:
    if o.precision != "auto":
        return o.precision
    if not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"


def _loader(samples: Samples, order: Any) -> DataLoader[Any]:
    # The order yields whole batches, so that the loader itself must not make any.
    return DataLoader(Batches(samples), sampler=order, batch_size=None)


def _in_order(samples: Samples, batch: int) -> list[Any]:
    rows = torch.arange(len(samples)).numpy()
    return [rows[i : i + batch] for i in range(0, len(rows), batch)]


@contextmanager
def _reproducible(settings: CharacterizerSettings) -> Iterator[None]:
    """Seed everything that draws, and put the process back as it was found."""
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.manual_seed(settings.seed)
    if settings.optimise.threads:
        torch.set_num_threads(settings.optimise.threads)
    quiet = [logging.getLogger(n) for n in ("lightning.pytorch", "lightning.fabric")]
    levels = [q.level for q in quiet]
    for q in quiet:
        q.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Batches are looked up in memory; worker processes would only copy them.
            warnings.filterwarnings("ignore", ".*does not have many workers.*")
            warnings.filterwarnings("ignore", ".*Checkpoint directory .* exists and is not empty.*")
            yield
    finally:
        for q, level in zip(quiet, levels, strict=True):
            q.setLevel(level)
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
