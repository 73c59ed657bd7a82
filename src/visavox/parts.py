"""What a fitted model is made of when it is stored: arrays by name, checked when read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visavox.errors import BundleError

Array = NDArray[Any]


def pick(tensors: Mapping[str, Array], shapes: Mapping[str, str]) -> dict[str, Array]:
    """The named arrays, checked: all there, floating, finite, and agreeing in their shapes.

    `shapes` spells each shape with one letter per axis ("dm"); equal letters must be equal
    lengths. An array of no axes is "".
    """
    lengths: dict[str, int] = {}
    picked: dict[str, Array] = {}
    for name, axes in shapes.items():
        if name not in tensors:
            raise _unfit(f"lacks the array {name!r}")
        array = tensors[name]
        if array.ndim != len(axes):
            raise _unfit(f"array {name!r} has {array.ndim} axes, not {len(axes)}")
        for axis, length in zip(axes, array.shape, strict=True):
            if lengths.setdefault(axis, length) != length:
                raise _unfit(f"array {name!r} has shape {array.shape}, at odds with the others")
        if not np.issubdtype(array.dtype, np.floating) or not np.isfinite(array).all():
            raise _unfit(f"array {name!r} holds something other than finite numbers")
        picked[name] = array
    return picked


def _unfit(what: str) -> BundleError:
    return BundleError(
        f"The stored discriminator {what}.", next_step="Restore the bundle, or train it again."
    )
