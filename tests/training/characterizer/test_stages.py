"""From samples to a Characterizer folder that serves, and the settings that steer it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from safetensors.torch import load_file

from visavox.characterizer import load
from visavox.config import validated
from visavox.errors import CharacterizerError, ConfigError
from visavox.training import tracking
from visavox.training.characterizer import report, stages
from visavox.training.characterizer.assemble import AssembleSettings, assemble
from visavox.training.characterizer.nets.face import FaceNet
from visavox.training.characterizer.samples import Split
from visavox.training.characterizer.settings import CharacterizerSettings
from visavox.types import DetectedFace, FaceEvidence, FaceSample, VoiceEvidence

Tiny = Callable[..., CharacterizerSettings]
CONFIGS = Path(__file__).parents[3] / "configs"


def test_two_trained_nets_make_a_characterizer_that_gives_the_nets_numbers(
    built: Path, tiny: Tiny, faces: Split
) -> None:
    served = load(built)
    assert (served.name, served.population) == ("tiny", "personas")
    assert (served.face_dim, served.voice_dim) == (16, 16)

    points = np.array([(38.3, 51.7), (73.5, 51.5), (56, 71.7), (41.5, 92.4), (70.7, 92.2)])
    face = DetectedFace(np.array([0, 0, 112, 112], np.float32), points.astype(np.float32), 1.0)
    pixels = faces.validation.data[0]
    assert pixels.dtype == np.uint8
    quality = {"size": 1.0, "sharpness": 1.0, "brightness": 1.0, "frontal": 1.0}
    seen = served.embed_face(FaceEvidence((FaceSample(np.array(pixels, np.uint8), face, quality),)))
    # The weights that were kept beside the ONNX file are those of the served net.
    net = FaceNet(tiny("face").face.net)
    net.load_state_dict(load_file(built.parent / "out" / "face" / stages.WEIGHTS))
    with torch.no_grad():
        raw = net.eval()(torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None])
    wanted = torch.nn.functional.normalize(raw)[0].numpy()
    assert float(seen.vector @ wanted) == pytest.approx(1, abs=0.01)

    sound = np.random.default_rng(0).normal(0, 0.1, 12_000).astype(np.float32)
    heard = served.embed_voice(VoiceEvidence(sound, {}))
    assert np.linalg.norm(heard.vector) == pytest.approx(1, abs=1e-5)


def test_report_and_card_say_what_was_measured(built: Path) -> None:
    face = report.read(built.parent / "out" / "face")
    assert face.modality == "face"
    assert face.identities == 10
    assert face.eer_low <= face.eer <= face.eer_high
    assert face.bytes == (built / "face.onnx").stat().st_size
    assert {"date", "commit", "processor"} <= set(face.measured)
    card = (built / "MODEL_CARD.md").read_text()
    assert "personas only" in card
    assert "must not be used to recognise real people" in card
    assert f"{face.eer:.2%}" in card
    assert "MIT" in card


def test_a_card_of_other_people_does_not_speak_of_personas(built: Path) -> None:
    face, voice = (report.read(built.parent / "out" / m) for m in ("face", "voice"))
    card = report.model_card(
        "x", replace(face, population="crowd"), replace(voice, population="crowd")
    )
    assert "personas" not in card
    assert "crowd" in card


def test_a_missing_net_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CharacterizerError, match="characterizer=face"):
        assemble(AssembleSettings(source=str(tmp_path)), tracking.untracked())


def test_the_whole_step_from_people_to_report(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tiny("face", epochs=1, batch=4)
    few = replace(settings.people, identities=3, validation=3, captures=4, sessions=2, workers=1)
    made = stages.characterizer(replace(settings, people=few), tracking.untracked())
    assert (made.population, made.identities, made.samples) == ("personas", 3, 12)
    kept = json.loads((Path(settings.out) / "face" / report.NAME).read_text())
    assert kept["settings"]["people"]["identities"] == 3


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_shipped_configurations_are_valid_and_settable(modality: str) -> None:
    values = composed(f"characterizer={modality}", "optimise.epochs=3", "people.identities=7")
    settings = validated(CharacterizerSettings, values)
    assert settings.modality == modality
    assert settings.optimise.epochs == 3
    assert settings.people.identities == 7


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("+optimise.epoch=3", "optimise.epoch: unknown key"),
        ("+speed=3", "speed: unknown key"),
        ("+face.net.chanels=3", "face.net.chanels: unknown key"),
        ("optimise.epochs=many", "optimise.epochs"),
        ("modality=smell", "modality"),
    ],
)
def test_a_wrong_key_is_named(override: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named.replace(".", r"\.")):
        validated(CharacterizerSettings, composed("characterizer=face", override))


def test_the_assemble_configuration_is_valid() -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        values = OmegaConf.to_container(compose("assemble"), resolve=True)
    assert isinstance(values, dict)
    assert validated(AssembleSettings, {str(k): v for k, v in values.items()}).name == "embedded"


def composed(*overrides: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        values = OmegaConf.to_container(compose("characterizer", list(overrides)), resolve=True)
    assert isinstance(values, dict)
    return {str(k): v for k, v in values.items()}
