"""What a bundle's reference.json says of drift, in any of its ages.

    "drift": {"features": {name: {"edges", "counts"}}, "centres": {"face": […], "voice": […]}}

Bundles made before that key hold the quality of captures and no more; it is read from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from visavox.errors import BundleError
from visavox.monitoring.drift import Binned
from visavox.monitoring.features import MEASURES, Floats
from visavox.types import Modality


@dataclass(frozen=True, slots=True)
class Reference:
    """The zero of drift: a distribution per feature, and where embeddings lay on average."""

    features: Mapping[str, Binned] = field(default_factory=dict)
    centres: Mapping[Modality, Floats] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.features)


def read(said: Mapping[str, Any]) -> Reference:
    """The reference of a bundle; one that says nothing is empty."""
    try:
        if "drift" in said:
            features = {name: _binned(h) for name, h in said["drift"]["features"].items()}
            centres = {
                Modality(name): np.array(centre, np.float64)
                for name, centre in said["drift"]["centres"].items()
            }
        else:
            quality = said.get("quality", {})
            features, centres = (
                {
                    f"{m.value}.{name}": _binned(quality[m.value][name])
                    for m in Modality
                    for name in MEASURES[m]
                    if name in quality.get(m.value, {})
                },
                {},
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"The bundle's reference cannot be read: {type(error).__name__}.",
            next_step="Train the fridge again.",
        ) from None
    return Reference({name: b for name, b in features.items() if b.n > 0}, centres)


def _binned(histogram: Mapping[str, Any]) -> Binned:
    edges = tuple(float(e) for e in histogram["edges"])
    counts = tuple(int(c) for c in histogram["counts"])
    if len(counts) != len(edges) + 1 or min(counts) < 0:
        raise ValueError("edges and counts do not fit")
    return Binned(edges, counts)
