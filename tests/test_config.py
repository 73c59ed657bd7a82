"""Settings are checked at the door: what is unknown or wrong is named, all at once."""

from dataclasses import FrozenInstanceError

import pytest

from visavox.config import settings, validated
from visavox.errors import ConfigError


@settings
class Inner:
    rate: float = 0.5


@settings
class Outer:
    name: str
    inner: Inner = Inner()
    sizes: tuple[int, ...] = ()


def test_plain_values_become_frozen_settings() -> None:
    made = validated(Outer, {"name": "x", "inner": {"rate": 1}, "sizes": [1, 2]})
    assert made == Outer(name="x", inner=Inner(rate=1.0), sizes=(1, 2))
    with pytest.raises(FrozenInstanceError):
        made.name = "y"  # type: ignore[misc]


def test_every_wrong_key_is_named_with_its_place_and_the_known_ones() -> None:
    wrong = {"nane": "x", "inner": {"rate": "fast", "speed": 1}}
    with pytest.raises(ConfigError) as caught:
        validated(Outer, wrong, source="file f.yaml")
    said = str(caught.value)
    for part in (
        "file f.yaml",
        "nane: unknown key",
        "name:",
        "inner.rate:",
        "inner.speed: unknown",
    ):
        assert part in said
    assert "Known keys are name, inner, sizes" in caught.value.next_step
