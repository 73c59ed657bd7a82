"""Step `pretrained`: the Characterizer of the world's weights, built once per machine.

    python -m visavox.training.pretrained [sources.folder=...] [sources.mirror=...]

Faces: facenet-pytorch's InceptionResnetV1, trained on VGGFace2. Voices: SpeechBrain's ECAPA-TDNN,
trained on VoxCeleb 1 and 2 (`spkrec-ecapa-voxceleb`). Both are exported with their front ends, so
that serving needs neither library; afterwards it is loaded by its name, `pretrained`.
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

import torch
from facenet_pytorch import InceptionResnetV1
from torch import Tensor, nn

from visavox.characterizer import cache_folder
from visavox.characterizer.crop import Crop
from visavox.characterizer.folder import CARD, Card
from visavox.config import settings
from visavox.errors import CharacterizerError, ConfigError
from visavox.training.ecapa import ECAPA_TDNN, without_lengths
from visavox.training.export import export_face, export_voice, write_characterizer
from visavox.training.frontend import Fbank
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.training.weights import Sources, WeightsFile, weights

VGGFACE2 = WeightsFile(
    url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
    "20180402-114759-vggface2.pt",
    sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
)
VOXCELEB = WeightsFile(
    url="https://huggingface.co/speechbrain/spkrec-ecapa-voxceleb/resolve/"
    "0f99f2d0ebe89ac095bcc5903c4dd8f72b367286/embedding_model.ckpt",
    sha256="0575cb64845e6b9a10db9bcb74d5ac32b326b8dc90352671d345e2ee3d0126a2",
    file="spkrec-ecapa-voxceleb.ckpt",
)

_CARD = """
# {name}

Faces: InceptionResnetV1 of facenet-pytorch 2.5.3 (MIT licence), {face}. 160 × 160 pixels of the
detector's box, 512 values.
Voices: ECAPA-TDNN of SpeechBrain (Apache 2.0 licence), {voice}. 16 kHz, 80 log-mel bands with the
sentence's mean taken away, 192 values.

VGGFace2 and VoxCeleb are research datasets of public figures; look at their terms before you use
what was trained on them. Neither net was trained or tested on this project's data. Measure before
relying on it: `visavox evaluate`.
"""


@settings
class PretrainedSettings:
    """Which weights, and where from."""

    face: WeightsFile = VGGFACE2
    voice: WeightsFile = VOXCELEB
    sources: Sources = field(default_factory=Sources)
    out: str = ""
    """Folder to write; where `characterizer.load("pretrained")` looks, if empty."""


@stage(PretrainedSettings)
def pretrained(settings: PretrainedSettings, run: Run) -> Path:
    """Fetch, verify and export the pretrained nets; the folder of the Characterizer."""
    face, voice = face_architecture(), voice_architecture()
    cache = cache_folder() / "weights"
    # Both first: a missing file should be known before minutes go into the other net.
    face_file = weights(settings.face, settings.sources, cache=cache)
    voice_file = weights(settings.voice, settings.sources, cache=cache)
    load_face_weights(face, face_file)
    load_voice_weights(voice, voice_file)
    out = Path(settings.out or cache_folder() / "characterizers" / "pretrained")
    card = write(
        out,
        face,
        voice,
        name="pretrained",
        population="VGGFace2 (faces), VoxCeleb 1 and 2 (voices)",
        model_card=_CARD.format(
            name="Pretrained",
            face=f"trained on VGGFace2, SHA-256 {settings.face.sha256}",
            voice=f"trained on VoxCeleb 1 and 2, SHA-256 {settings.voice.sha256}",
        ),
    )
    run.tags({"characterizer": card.digest})
    return out


def random_pretrained(folder: Path, seed: int) -> Path:
    """The pretrained architectures with random weights, for timing and for tests of the loaders."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        face, voice = face_architecture(), voice_architecture()
    text = f"with random weights, seed {seed}"
    write(
        folder,
        face,
        voice,
        name="random",
        population="none: random weights",
        model_card=_CARD.format(name="Random weights, for timing only", face=text, voice=text),
    )
    return folder


def face_architecture() -> InceptionResnetV1:
    return InceptionResnetV1(pretrained=None, classify=False).eval()


def voice_architecture() -> ECAPA_TDNN:
    """As in the hyperparameters of `spkrec-ecapa-voxceleb`."""
    return ECAPA_TDNN(
        80,
        channels=[1024, 1024, 1024, 1024, 3072],
        kernel_sizes=[5, 3, 3, 3, 1],
        dilations=[1, 2, 3, 4, 1],
        attention_channels=128,
        lin_neurons=192,
    ).eval()


def load_face_weights(net: nn.Module, path: Path) -> None:
    """From a state dict as facenet-pytorch publishes it; its classifier is left out."""
    state = _state(path)
    _fill(net, {k: v for k, v in state.items() if not k.startswith("logits.")}, path)


def load_voice_weights(net: nn.Module, path: Path) -> None:
    """From a state dict as SpeechBrain's Pretrainer loads it."""
    _fill(net, _state(path), path)


def write(
    folder: Path,
    face: nn.Module,
    voice: ECAPA_TDNN,
    *,
    name: str,
    population: str,
    model_card: str,
) -> Card:
    """A Characterizer of the pretrained kind, in place of the one that `folder` holds, if any."""
    if folder.exists() and any(folder.iterdir()) and not (folder / CARD).is_file():
        raise ConfigError(
            f"{folder} holds something else than a Characterizer and is left alone.",
            next_step="Name a folder that is new or empty.",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
        made = Path(unfinished) / "made"
        made.mkdir()
        card = write_characterizer(
            made,
            name=name,
            population=population,
            face=export_face(_Standardised(face), made / "face.onnx", crop=Crop.BOX_160),
            voice=export_voice(
                nn.Sequential(Fbank(80), without_lengths(voice)), made / "voice.onnx"
            ),
            model_card=model_card,
        )
        shutil.rmtree(folder, ignore_errors=True)
        made.replace(folder)
    return card


class _Standardised(nn.Module):
    """facenet-pytorch's `fixed_image_standardization`, then the net."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.net((pixels - 127.5) / 128.0)
        return out


def _state(path: Path) -> Mapping[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 (pickle, zip and torch each have their own)
        raise CharacterizerError(
            f"{path} is no file of weights: {error}", next_step=_NEXT_STEP
        ) from None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise CharacterizerError(
            f"{path} must hold a state dict of tensors; it holds {type(state).__name__}.",
            next_step=_NEXT_STEP,
        )
    return state


def _fill(net: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    try:
        net.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise CharacterizerError(
            f"{path} holds the weights of another architecture: {error}", next_step=_NEXT_STEP
        ) from None


_NEXT_STEP = "Use the file that its makers publish, or one of the same architecture."


if __name__ == "__main__":
    pretrained.main()
