"""From a mapping (Hydra's, JSON's) to a frozen, validated dataclass, at the door.

@settings
class Gate:
    fnir: float = 0.01
    '''Highest false negative identification rate, with 0 ≤ fnir ≤ 1.'''

gate = validated(Gate, cfg)      # unknown keys and wrong types raise ConfigError
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

from pydantic import ConfigDict, TypeAdapter, ValidationError

from visavox.errors import ConfigError

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def settings(cls: type[T]) -> type[T]:
    """A frozen dataclass that refuses keys it does not know."""
    made = dataclass(frozen=True, kw_only=True)(cls)
    # strict=False: YAML's `1` is a fine float, a list a fine tuple.
    made.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    return made


def validated(cls: type[T], values: Mapping[str, Any], *, source: str = "configuration") -> T:
    """`values` as a `cls`, or a ConfigError that names each wrong key."""
    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {_said(e['type'], e['msg'])}" for e in error.errors()
        )
        raise ConfigError(
            f"The {source} does not fit {cls.__name__}: {wrong}.",
            next_step=f"Known keys are {', '.join(cls.__annotations__)}.",
        ) from None


def _said(kind: str, message: str) -> str:
    return "unknown key" if kind == "unexpected_keyword_argument" else message
