"""The recipe that production retrains by: configs/retrain.yaml, read without Hydra.

    recipe = settings.read()
    recipe = settings.read(changed={"families": ["plda"], "aside": 0.4})

A step of a flow is a process, and Hydra would cost it a second. Of Hydra's ways only the list of
defaults is known here, so that the same files compose to the same values with either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from visavox.config import settings, validated
from visavox.errors import ConfigError
from visavox.training import provenance
from visavox.training.fit_settings import Count, DiscriminatorSettings, Share

NAME = "retrain"

Family = Literal["prototype", "plda", "logistic", "mlp"]
Refuse = Literal["unproved", "disproved"]
"""What is kept out: whatever is not proved to keep the limit, or what is proved to break it."""


@settings
class Limit:
    """The highest value that a figure of the proof may have."""

    metric: str
    """Dotted name in the figures, such as served.fpir."""
    at_most: float
    refuse: Refuse = "disproved"


@settings
class Margin:
    """By how much a candidate may be worse than the champion's recipe."""

    metric: Literal["served.fnir", "served.fpir", "fused.eer", "fused.cllr"]
    at_most: float
    refuse: Refuse = "unproved"


@settings
class Gate:
    """All that a candidate must keep."""

    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]
    margins: tuple[Margin, ...] = ()
    level: Share = 0.95


@settings
class Proof:
    """How figures are made of the searches with captures that were held out."""

    target_fpir: Share = 0.01
    """The FPIR at which FNIR is given."""
    replicates: Annotated[int, Field(ge=100)] = 500
    level: Share = 0.95
    seed: int = 0


@settings
class Canaries:
    """How many captures are kept to verify a deployment with."""

    members: Count = 5
    strangers: Count = 3


@settings
class Rollout:
    """What becomes of a candidate that passed, where a champion serves already."""

    mode: Literal["promote", "shadow", "split"] = "promote"
    share: Share = 0.2
    """Share of the requests that a challenger decides in `split`."""


@settings
class Groups:
    """Which fridges one task retrains: each task is a process that starts and prepares once."""

    alone: Count = 4
    """Up to so many fridges get a task each."""
    tasks: Count = 4
    """More fridges are dealt out over so many tasks."""


@settings
class Recipe:
    """All that decides how a fridge is retrained."""

    gate: Gate
    families: Annotated[tuple[Family, ...], Field(min_length=1)] = ("plda", "prototype")
    """What is tried. The first is taken where the proof cannot tell them apart."""
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    """Of all families; its own `family` counts for nothing here."""
    seed: int = 1
    data: Path = Path("data")
    """Folder of the datasets."""
    cohort: str = "cohort"
    """The dataset of strangers that every fridge is trained against."""
    aside: Share = 0.125
    """Share of the cohort's people whom no training sees: they are the strangers of the proof."""
    proof: Proof = Proof()
    canaries: Canaries = Canaries()
    rollout: Rollout = Rollout()
    groups: Groups = Groups()

    @property
    def cohort_root(self) -> Path:
        """The cohort's captures and their manifest."""
        return self.data / self.cohort

    @property
    def cohort_features(self) -> Path:
        """The cohort's embedding table, in the order of the manifest."""
        return self.data / "features" / f"{self.cohort}.safetensors"

    def of_family(self, family: str) -> DiscriminatorSettings:
        """How that family is fitted."""
        return validated(
            DiscriminatorSettings, asdict(self.discriminator) | {"family": family}, source="recipe"
        )

    def digest(self, family: str) -> str:
        """One name for all that decides what a fit of that family is; folders do not."""
        chosen = {
            "discriminator": asdict(self.of_family(family)),
            "seed": self.seed,
            "cohort": self.cohort,
            "aside": self.aside,
        }
        return provenance.digest(chosen)


def read(path: Path | None = None, *, changed: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe in `path`, by default this checkout's; `changed` replaces values in it, in depth."""
    if path is None:
        from visavox.training.stage import configs

        path = configs(NAME) / f"{NAME}.yaml"
    return validated(Recipe, _merged(composed(path), changed or {}), source=f"recipe {path}")


def composed(path: Path) -> dict[str, Any]:
    """The values of a config file, with what its list of defaults names merged in, in order."""
    values = _mapping(path)
    defaults = values.pop("defaults", None)
    if defaults is None:
        return values
    out: dict[str, Any] = {}
    for entry in [*defaults, *([] if "_self_" in defaults else ["_self_"])]:
        if entry == "_self_":
            out = _merged(out, values)
            continue
        if not isinstance(entry, dict) or len(entry) != 1:
            raise ConfigError(
                f"{path} has {entry!r} among its defaults.",
                next_step="Write `group: name` there; Hydra's other ways are not known here.",
            )
        ((group, name),) = entry.items()
        out = _merged(out, {group: composed(path.parent / group / f"{name}.yaml")})
    return out


def grouped(fridges: Sequence[str], groups: Groups) -> tuple[tuple[str, ...], ...]:
    """The fridges of each task, as even as can be; none is left out, and no task is empty."""
    names = sorted(set(fridges))
    tasks = len(names) if len(names) <= groups.alone else min(groups.tasks, len(names))
    return tuple(tuple(names[i::tasks]) for i in range(tasks))


def families(recipe: Recipe, champions: Sequence[str]) -> tuple[str, ...]:
    """What must be fitted: the recipe's families, and those of champions, to compare with."""
    return tuple(dict.fromkeys([*recipe.families, *sorted(champions)]))


def _mapping(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(
            f"{path} cannot be read: {' '.join(str(error).split())}.",
            next_step="Restore it from git, or correct it.",
        ) from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} is no mapping.", next_step="Write `key: value` lines.")
    return values


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(below)
    for key, value in above.items():
        known = out.get(key)
        inner = isinstance(value, Mapping) and isinstance(known, Mapping)
        out[key] = _merged(known, value) if inner else value  # type: ignore[arg-type]
    return out
