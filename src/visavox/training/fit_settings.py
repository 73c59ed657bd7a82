"""What can be set about a discriminator: the family, and how the cohort is put to use."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from visavox.config import settings

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


@settings
class PrototypeSettings:
    top: Count = 50
    """How many of the closest cohort scores normalise a score."""
    cohort: Count = 200
    """How many cohort people go into the bundle, to normalise probes."""


@settings
class PldaSettings:
    dimensions: Count = 64
    """Linear discriminants kept; never more than the cohort's people can carry."""
    shrinkage: Annotated[float, Field(ge=0, le=1)] | None = None
    """Pull of the within-person covariance towards a sphere; null to choose it on the cohort."""


@settings
class LogisticSettings:
    penalty: Positive = 1.0
    """Weight of half the squared norm of a member's weights, against the mean loss of both sides."""
    negatives: Count = 512
    """Cohort captures that every member is told apart from, drawn at random."""
    players: Count = 24
    """People per fold who play members in simulated fridges: each costs a fit."""


@settings
class MlpSettings:
    hidden: Count = 128
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    steps: Count = 100
    """Of Adam, each over all members' captures and some of the cohort's."""
    learning_rate: Positive = 0.01
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    jitter: Annotated[float, Field(ge=0)] = 1.0
    """Noise added to captures at each step, in units of how much one person varies."""
    nobody: Count = 256
    """Cohort captures in each step, drawn anew."""
    fridges: Count = 4
    """Simulated fridges to calibrate on, one per fold: each costs a training."""


@settings
class DiscriminatorSettings:
    """How a fridge's discriminator is fitted."""

    family: Literal["prototype", "plda", "logistic", "mlp"] = "plda"
    prototype: PrototypeSettings = PrototypeSettings()
    plda: PldaSettings = PldaSettings()
    """Also the space that `logistic` and `mlp` work in."""
    logistic: LogisticSettings = LogisticSettings()
    mlp: MlpSettings = MlpSettings()

    least_people: Annotated[int, Field(ge=8)] = 20
    """Cohort people, with two captures of each modality, below which nothing is fitted."""
    strangers: Share = 0.5
    """Share of the cohort's people who do nothing but search the finished fridge, for thresholds."""
    folds: Annotated[int, Field(ge=2)] = 4
    """Parts of the other people: each is scored by models that have not met it, for calibration."""
    prior: Share = 0.5
    """Share of genuine trials that calibration weighs costs by; one half makes the cost Cllr."""
    risks: dict[str, Share] = field(
        default_factory=lambda: {"low": 0.01, "normal": 0.003, "high": 0.001}
    )
    """Share of strangers' captures that each risk setting may grant."""
    one_modality: Annotated[float, Field(gt=0, le=1)] = 0.1
    """That share, times this, when face or voice speaks alone: the other may be withheld on purpose."""
