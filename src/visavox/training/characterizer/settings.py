"""Everything that can be set about training a net; configs/characterizer.yaml composes it."""

from typing import Literal

from visavox.config import settings
from visavox.training.characterizer.augment_face import FaceAugmentSettings
from visavox.training.characterizer.augment_voice import VoiceAugmentSettings
from visavox.training.characterizer.nets.face import FaceNetSettings
from visavox.training.characterizer.nets.voice import VoiceNetSettings
from visavox.training.characterizer.people_settings import PeopleSettings


@settings
class FaceSettings:
    """The face net and what happens to its pictures."""

    net: FaceNetSettings = FaceNetSettings()
    augment: FaceAugmentSettings = FaceAugmentSettings()


@settings
class VoiceSettings:
    """The voice net and what happens to its sound."""

    net: VoiceNetSettings = VoiceNetSettings()
    augment: VoiceAugmentSettings = VoiceAugmentSettings()


@settings
class LossSettings:
    """Margin softmax and its schedule."""

    scale: float = 30.0
    margin: float = 0.3
    """Largest angular margin, in radians."""
    warm_from: int = 1
    warm_to: int = 6
    """Epochs between which the margin rises from nothing."""
    sub_centres: int = 1


@settings
class OptimiseSettings:
    """How long and how fast."""

    epochs: int = 20
    batch: int = 128
    per_identity: int = 0
    """Captures of each person per epoch, for people with unequal numbers; 0 takes all."""
    rate: float = 3e-3
    """Highest learning rate; it rises over `warm_up` of the steps and falls as a cosine."""
    warm_up: float = 0.1
    weight_decay: float = 0.02
    clip: float = 5.0
    """Largest norm of the gradient."""
    average: float = 0.99
    """Decay of the moving average of the weights, which is what is validated and exported."""
    patience: int = 6
    """Epochs without a better validation EER before stopping."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """auto: bf16 (else fp16) on a GPU, and 32 bits on a CPU."""
    threads: int = 0
    """Threads of the CPU; 0 leaves torch's own choice."""


@settings
class CharacterizerSettings:
    """One training: which net, on whom, how."""

    modality: Literal["face", "voice"]
    seed: int = 1
    people: PeopleSettings = PeopleSettings()
    face: FaceSettings = FaceSettings()
    voice: VoiceSettings = VoiceSettings()
    loss: LossSettings = LossSettings()
    optimise: OptimiseSettings = OptimiseSettings()
    enrol: int = 5
    """Captures of a validation person that make their template."""
    start: str = ""
    """Weights (`net.safetensors`) of a net of the same shape to go on from: a second round, or
    fine-tuning on other people. Empty begins from nothing."""
    cache: str = ".cache/characterizer"
    """Folder for prepared samples and checkpoints."""
    out: str = "data/characterizer"
    """Folder for the exported net and its report, each in a sub-folder of the modality."""
    resume: bool = True
    """Go on from the last checkpoint of the very same settings, where there is one."""
    progress: bool = True
