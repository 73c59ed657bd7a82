"""A second round goes on from the first, and says so when there is nothing to go on from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from visavox.errors import CharacterizerError
from visavox.training import tracking
from visavox.training.characterizer.augment_face import FaceAugment, FaceAugmentSettings
from visavox.training.characterizer.module import EmbeddingTraining
from visavox.training.characterizer.nets.face import FaceNet
from visavox.training.characterizer.samples import Split
from visavox.training.characterizer.settings import CharacterizerSettings
from visavox.training.characterizer.train import begin, train_net

Tiny = Callable[..., CharacterizerSettings]


def fresh(settings: CharacterizerSettings, seed: int) -> EmbeddingTraining:
    torch.manual_seed(seed)
    return EmbeddingTraining(
        FaceNet(settings.face.net),
        FaceAugment(FaceAugmentSettings()),
        identities=10,
        loss=settings.loss,
        optimise=settings.optimise,
        enrol=3,
        seed=seed,
    )


def test_it_goes_on_with_the_weights_and_centres_of_the_first_round(
    tiny: Tiny, faces: Split, tmp_path: Path
) -> None:
    settings = tiny("face", epochs=2)
    done = train_net(settings, faces, tracking.untracked())
    save_file({k: v.contiguous() for k, v in done.net.state_dict().items()}, tmp_path / "net")
    training = fresh(settings, seed=9)
    before = training.margin.centres.detach().clone()

    begin(training, faces.train, tmp_path / "net", 10)

    for name, value in done.net.state_dict().items():
        assert torch.equal(training.net.state_dict()[name], value), name
    assert training.training
    pictures = torch.as_tensor(faces.train.data)
    with torch.no_grad():
        seen = training.eval()(training.augmentation.plain(pictures))
        own = torch.nn.functional.normalize(training.margin.centres)[faces.train.labels]
        old = torch.nn.functional.normalize(before)[faces.train.labels]
    assert (seen * own).sum(1).mean() > (seen * old).sum(1).mean() + 0.3


def test_the_setting_reaches_the_training(tiny: Tiny, faces: Split, tmp_path: Path) -> None:
    settings = tiny("face", epochs=1)
    net = FaceNet(settings.face.net)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, tmp_path / "net")
    still = replace(settings.optimise, rate=0.0)
    other = replace(settings, optimise=still, start=str(tmp_path / "net"))
    ended = train_net(other, faces, tracking.untracked()).net
    for name, value in net.named_parameters():
        assert torch.allclose(dict(ended.named_parameters())[name], value), name


@pytest.mark.parametrize("what", ["nothing", "noise", "another shape"])
def test_a_start_that_does_not_fit_is_named(
    what: str, tiny: Tiny, faces: Split, tmp_path: Path
) -> None:
    path = tmp_path / "net.safetensors"
    if what == "noise":
        path.write_bytes(b"not weights")
    if what == "another shape":
        save_file({"head": torch.zeros(3)}, path)
    settings = replace(tiny("face", epochs=1), start=str(path))
    with pytest.raises(CharacterizerError, match="net of this shape"):
        train_net(settings, faces, tracking.untracked())
