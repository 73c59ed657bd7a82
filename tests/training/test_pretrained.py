"""The world's weights go into their own architectures, verified, or not at all."""

import hashlib
from pathlib import Path

import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from torch import nn

from visavox.characterizer import load
from visavox.characterizer.crop import Crop
from visavox.config import validated
from visavox.errors import CharacterizerError, ConfigError, WeightsMissing
from visavox.training import pretrained as module
from visavox.training.ecapa import ECAPA_TDNN
from visavox.training.pretrained import (
    PretrainedSettings,
    face_architecture,
    load_face_weights,
    load_voice_weights,
    pretrained,
    random_pretrained,
    voice_architecture,
)
from visavox.training.tracking import untracked
from visavox.training.weights import Sources, WeightsFile


def small_face() -> nn.Module:
    """A net that ends as facenet-pytorch's does, for one export in a moment."""
    return nn.Sequential(nn.AvgPool2d(20), nn.Flatten(), nn.Linear(192, 512)).eval()


class SmallVoice(nn.Module):
    """Features in, 192 values out, as SpeechBrain's nets do it: (N, F, 80) → (N, 1, 192)."""

    def __init__(self) -> None:
        super().__init__()
        self.asp = nn.Identity()
        self.fc = nn.Linear(80, 192)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.fc(self.asp(features).amax(dim=1, keepdim=True))
        return out


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "face_architecture", small_face)
    monkeypatch.setattr(module, "voice_architecture", SmallVoice)


def saved(net: nn.Module, path: Path, **more: torch.Tensor) -> WeightsFile:
    torch.save({**net.state_dict(), **more}, path)
    pin = hashlib.sha256(path.read_bytes()).hexdigest()
    return WeightsFile(url=f"https://example.org/{path.name}", sha256=pin)


def test_facenets_weights_fill_facenets_net(tmp_path: Path) -> None:
    """A file as facenet-pytorch publishes it has the classifier of 8,631 people at its end."""
    torch.manual_seed(3)
    theirs = InceptionResnetV1(classify=True, num_classes=8631).eval()
    saved(theirs, tmp_path / "vggface2.pt")
    ours = face_architecture()
    load_face_weights(ours, tmp_path / "vggface2.pt")
    theirs.classify = False
    pixels = torch.randn(1, 3, 160, 160)
    with torch.inference_mode():
        assert torch.equal(ours(pixels), theirs(pixels))


def test_speechbrains_weights_fill_speechbrains_net(tmp_path: Path) -> None:
    torch.manual_seed(4)
    theirs = ECAPA_TDNN(80, channels=[1024] * 4 + [3072], lin_neurons=192).eval()
    saved(theirs, tmp_path / "embedding_model.ckpt")
    ours = voice_architecture()
    load_voice_weights(ours, tmp_path / "embedding_model.ckpt")
    features = torch.randn(1, 60, 80)
    with torch.inference_mode():
        assert torch.equal(ours(features), theirs(features))


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    saved(SmallVoice(), tmp_path / "w.pt")
    with pytest.raises(CharacterizerError, match="another architecture"):
        load_face_weights(small_face(), tmp_path / "w.pt")


def test_code_in_a_file_of_weights_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"weight": Trap()}, tmp_path / "w.pt")
    with pytest.raises(CharacterizerError, match="no file of weights"):
        load_voice_weights(SmallVoice(), tmp_path / "w.pt")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("held", [[torch.zeros(1)], {"epoch": 3}])
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "w.pt")
    with pytest.raises(CharacterizerError, match="must hold a state dict"):
        load_face_weights(small_face(), tmp_path / "w.pt")


@pytest.mark.usefixtures("small")
def test_the_step_builds_what_load_finds_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVOX_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(5)
    settings = PretrainedSettings(
        face=saved(small_face(), tmp_path / "face.pt", **{"logits.weight": torch.zeros(3)}),
        voice=saved(SmallVoice(), tmp_path / "voice.ckpt"),
        sources=Sources(folder=str(tmp_path)),
    )
    folder = pretrained(settings, untracked())
    nets = load("pretrained")
    assert folder == tmp_path / "cache" / "characterizers" / "pretrained"
    assert (nets.name, nets.crop) == ("pretrained", Crop.BOX_160)
    assert (nets.face_dim, nets.voice_dim) == (512, 192)
    assert "VGGFace2" in nets.population
    assert settings.face.sha256 in (folder / "MODEL_CARD.md").read_text()
    assert [p.name for p in folder.parent.iterdir()] == ["pretrained"], "nothing unfinished is left"


@pytest.mark.usefixtures("small")
def test_random_weights_follow_their_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[torch.Tensor] = []

    def write(folder: Path, face: nn.Module, voice: nn.Module, **told: str) -> None:
        built.append(torch.cat([p.flatten() for n in (face, voice) for p in n.parameters()]))
        assert told["population"] == "none: random weights"

    monkeypatch.setattr(module, "write", write)
    state = torch.random.get_rng_state()
    for seed in (1, 1, 2):
        random_pretrained(tmp_path, seed)
    assert torch.equal(built[0], built[1])
    assert not torch.equal(built[0], built[2])
    assert torch.equal(torch.random.get_rng_state(), state), "nobody else's numbers change"


@pytest.mark.usefixtures("small")
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="left alone"):
        random_pretrained(tmp_path, seed=1)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_missing_weights_are_known_before_anything_is_built(tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = PretrainedSettings(
        sources=Sources(cache=str(tmp_path), mirror="http://not.https"), out=str(out)
    )
    with pytest.raises(WeightsMissing, match=r"20180402-114759-vggface2\.pt"):
        pretrained(settings, untracked())
    assert not out.exists()


def test_settings_come_from_a_configuration() -> None:
    made = validated(PretrainedSettings, {"sources": {"folder": "/media/usb"}})
    assert made.sources.folder == "/media/usb"
    assert made.face == module.VGGFACE2
