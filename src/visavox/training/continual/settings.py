"""What can be set about the study of continual learning; configs/continual.yaml composes it."""

from typing import Annotated, Literal

from pydantic import Field

from visavox.config import settings
from visavox.training.characterizer.augment_face import FaceAugmentSettings
from visavox.training.characterizer.nets.face import FaceNetSettings

Method = Literal["naive", "rehearsal", "lwf", "ewc"]
Camera = Literal["webcam", "night", "coarse", "masked"]
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]


@settings
class StepsSettings:
    """Who comes when. The first camera's people are among those whom the shipped net learned."""

    cameras: Annotated[tuple[Camera, ...], Field(min_length=2)] = (
        "webcam", "night", "coarse", "masked",
    )  # fmt: skip
    people: Annotated[int, Field(ge=2)] = 60
    """Learned at each step."""
    unseen: Annotated[int, Field(ge=2)] = 40
    """Of each camera, never learned: do other people of it still fare well?"""
    learned: Count = 5
    """Captures of each person that are learned from."""
    enrol: Count = 2
    probes: Count = 3
    """Captures, of later days, that are never learned from: for templates and to search with."""
    hardness: float = 1.15
    population: int = 9100
    """First of the populations that the people of later steps come from; one per step and kind."""


@settings
class LearningSettings:
    """How one step is learned. All ways share it; each has a weight of its own."""

    epochs: Count = 6
    batch: Count = 40
    rate: float = 4.0e-4
    scale: float = 30.0
    margin: float = 0.3
    augment: FaceAugmentSettings = FaceAugmentSettings(
        light=0.5, blur=0.0, noise=0.0, jpeg=0.0, occlusion=0.0
    )
    keep: Count = 2
    """rehearsal: captures of each former person that are kept, and mixed into every batch."""
    distil: Weight = 3.0
    """lwf: weight of what the net before the step says about new captures and former people."""
    temperature: Annotated[float, Field(gt=0)] = 2.0
    elastic: Weight = 3.0e6
    """ewc: how much moving away from weights that former people depend on costs."""
    fisher: Count = 120
    """ewc: captures that the Fisher information is measured on after each step."""


@settings
class ContinualSettings:
    """The whole study."""

    methods: tuple[Method, ...] = ("naive", "rehearsal", "lwf", "ewc")
    seeds: tuple[int, ...] = (1, 2)
    """Of the order of learning and its augmentation; the people stay the same."""
    net: FaceNetSettings = FaceNetSettings()
    start: str = ""
    """Folder of the Characterizer to go on from; empty for the one that is shipped."""
    steps: StepsSettings = StepsSettings()
    learning: LearningSettings = LearningSettings()
    replicates: Count = 200
    """Of the bootstrap over people."""
    threads: Count = 1
    cache: str = ".cache/continual"
    reports: str = "reports"
    study: str = "research/2026-11-continual"
    """Where the picture goes; its README's table is made anew."""
