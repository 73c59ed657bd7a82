"""A whole training, small: it learns, stops, resumes, and repeats itself."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.loggers import MLFlowLogger
from torch import Tensor

from visavox.training import tracking
from visavox.training.characterizer.augment_face import FaceAugment, FaceAugmentSettings
from visavox.training.characterizer.module import EmbeddingTraining, rate_share
from visavox.training.characterizer.nets.face import FaceNet, FaceNetSettings
from visavox.training.characterizer.samples import Split
from visavox.training.characterizer.settings import (
    CharacterizerSettings,
    LossSettings,
    OptimiseSettings,
)
from visavox.training.characterizer.train import (
    Trained,
    _trainer,
    checkpoints,
    logger_of,
    train_net,
)

Tiny = Callable[..., CharacterizerSettings]


def trained(settings: CharacterizerSettings, split: Split, **more: Any) -> Trained:
    return train_net(settings, split, tracking.untracked(), **more)


def weights(of: Trained) -> Tensor:
    return torch.cat([p.detach().flatten() for p in of.net.state_dict().values()])


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_one_seed_gives_one_net_and_another_seed_another(
    modality: str, tiny: Tiny, request: pytest.FixtureRequest
) -> None:
    split: Split = request.getfixturevalue(f"{modality}s")
    settings = replace(tiny(modality, epochs=2), resume=False)
    first = trained(settings, split)
    again = trained(settings, split)
    other = trained(replace(settings, seed=2), split)
    assert torch.equal(weights(first), weights(again))
    assert first.verification == again.verification
    assert not torch.allclose(weights(first), weights(other), atol=1e-3)


def test_training_does_not_disturb_the_draws_of_others(tiny: Tiny, faces: Split) -> None:
    torch.manual_seed(11)
    wanted = torch.rand(3)
    torch.manual_seed(11)
    trained(tiny("face", epochs=1), faces)
    assert torch.equal(torch.rand(3), wanted)


def test_an_interrupted_training_ends_like_an_uninterrupted_one(
    tiny: Tiny, faces: Split, tmp_path: Path
) -> None:
    settings = tiny("face", epochs=4)
    whole = trained(replace(settings, cache=str(tmp_path / "other")), faces)
    stopped = trained(settings, faces, stop_after=2)
    assert stopped.epochs == 2
    resumed = trained(settings, faces)
    assert resumed.epochs == whole.epochs == 4
    assert resumed.best_epoch == whole.best_epoch
    assert torch.allclose(weights(resumed), weights(whole), atol=1e-5)
    assert resumed.verification == whole.verification


def test_other_settings_do_not_resume(tiny: Tiny, faces: Split) -> None:
    settings = tiny("face", epochs=2)
    other = replace(settings, seed=5)
    assert checkpoints(settings) != checkpoints(other)
    assert checkpoints(settings) == checkpoints(replace(settings, progress=True))


def test_training_stops_when_validation_gets_no_better(tiny: Tiny, faces: Split) -> None:
    # A rate of almost nothing cannot improve anything.
    done = trained(tiny("face", epochs=30, rate=1e-12, patience=2), faces)
    assert done.epochs < 10


def test_one_batch_can_be_learned_by_heart(faces: Split) -> None:
    """The loss falls to nothing when the same few faces come again and again."""
    torch.manual_seed(0)
    nothing = dict.fromkeys(("flip", "shift", "turn", "zoom", "light", "blur", "noise"), 0.0)
    augment = FaceAugment(FaceAugmentSettings(**nothing, jpeg=0.0, occlusion=0.0))
    training = EmbeddingTraining(
        FaceNet(FaceNetSettings(dim=16, stem=4, widths=(8, 8, 16), depths=(1, 1, 1), head=16)),
        augment,
        identities=4,
        loss=LossSettings(margin=0.1, warm_to=0, warm_from=0),
        optimise=OptimiseSettings(),
        enrol=3,
        seed=1,
    )
    few = faces.train.of(0, 4)
    pixels, labels = torch.from_numpy(few.data.copy()), torch.from_numpy(few.labels)
    optimizer = torch.optim.Adam(training.parameters(), 0.01)
    losses = []
    for _ in range(25):
        raw, owners = augment.raw(pixels, labels, torch.Generator().manual_seed(0))
        loss, cosines = training.margin(training.net(raw), owners, 0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.02 * losses[0]
    assert torch.equal(cosines.argmax(1), labels)


def test_learning_raises_validation_above_chance(tiny: Tiny, voices: Split) -> None:
    done = trained(tiny("voice", epochs=4), voices)
    assert done.verification.eer < 0.4
    assert done.verification.people == 6
    assert done.best_epoch <= done.epochs


def test_the_learning_rate_rises_and_then_falls_to_a_hundredth() -> None:
    shares = [rate_share(step, 100, 0.1) for step in range(101)]
    assert shares[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert all(a > b for a, b in itertools.pairwise(shares[10:]))
    assert shares[-1] == pytest.approx(0.01)


def test_runs_are_logged_where_tracking_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    logger = logger_of(tracking.Run("0123", None))
    assert isinstance(logger, MLFlowLogger)
    assert logger._tracking_uri == "http://127.0.0.1:9"
    assert logger._run_id == "0123"
    assert logger_of(tracking.untracked()) is False


def test_the_progress_bar_is_only_there_when_wanted(tiny: Tiny) -> None:
    settings = replace(tiny("face"), progress=True)
    checkpoint = pl.callbacks.ModelCheckpoint(monitor="val_eer")
    shown = _trainer(settings, checkpoint, tracking.untracked(), None)
    quiet = _trainer(replace(settings, progress=False), checkpoint, tracking.untracked(), None)
    assert shown.progress_bar_callback is not None
    assert quiet.progress_bar_callback is None
