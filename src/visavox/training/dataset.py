"""Which dataset a step works on, and where the files of each step lie: config group `data`."""

from dataclasses import field
from pathlib import Path
from typing import Any

from visavox.config import settings

DATA = Path("data")


@settings
class Dataset:
    """A dataset by name; every step is told which one by `data=<name>`."""

    name: str
    """Folder under data/, and the name of everything made from it."""
    cohort: str = "cohort"
    """The dataset of background strangers that its fridges are trained against."""
    reports: str = "reports"
    """Folder for what is measured on it."""
    personas: dict[str, Any] = field(default_factory=dict)
    """How to make it, when its people do not exist; empty for data that is brought."""

    @property
    def root(self) -> Path:
        """The captures and their manifest."""
        return DATA / self.name

    @property
    def features(self) -> Path:
        """Its embedding table, in the order of the manifest."""
        return features_of(self.name)

    @property
    def cohort_root(self) -> Path:
        return DATA / self.cohort

    @property
    def cohort_features(self) -> Path:
        return features_of(self.cohort)

    @property
    def bundles(self) -> Path:
        """One folder per fridge, each holding its content-addressed bundle."""
        return DATA / "bundles" / self.name


def features_of(name: str) -> Path:
    return DATA / "features" / f"{name}.safetensors"
