"""Which nets serve, and where all that was made with them lies. One file names both at once.

    <models>/characterizer.json        {"serves": digest, "previous": digest}; "" is the setting's
    <models>/base, fridges             what goes with the nets that VISAVOX_CHARACTERIZER names
    <models>/under/<digest>/nets       other nets,
    <models>/under/<digest>/base, fridges, cohort.safetensors    and what goes with those

Bundles of two Characterizers never lie in one place, so that the file's one replacement changes
nets, base and all bundles together. A process reads it once, when it starts: it serves one set,
whole, for as long as it lives.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visavox.errors import CharacterizerError

POINTER = "characterizer.json"
OF_SETTING = ""
"""In place of a digest: the nets that the setting names."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class NetSet:
    """One Characterizer and all that goes with it."""

    home: Path
    digest: str = OF_SETTING

    @property
    def root(self) -> Path:
        """Where its base and its bundles are."""
        return self.home / "under" / self.digest if self.digest else self.home

    @property
    def nets(self) -> Path | None:
        """The folder of its nets; None: the setting names them."""
        return self.root / "nets" if self.digest else None

    @property
    def cohort(self) -> Path | None:
        """The strangers as these nets see them; None: where the recipe says."""
        return self.root / "cohort.safetensors" if self.digest else None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the file says."""

    serves: str = OF_SETTING
    previous: str | None = None
    """What served before; None where nothing did."""

    def succeeded(self, digest: str) -> "Chosen":
        return self if digest == self.serves else Chosen(digest, self.serves)

    def to_json(self) -> dict[str, Any]:
        return {"serves": self.serves, "previous": self.previous}


def chosen(home: Path) -> Chosen:
    """Without the file, the nets of the setting serve."""
    path = home / POINTER
    try:
        said: Mapping[str, Any] = json.loads(path.read_bytes())
        serves, previous = said["serves"], said["previous"]
    except FileNotFoundError:
        return Chosen()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CharacterizerError(
            f"{path} does not name a Characterizer: {type(error).__name__}.",
            next_step="Restore it, or remove it to serve with the nets of the setting.",
        ) from None
    for name in (serves, previous):
        if name and not (isinstance(name, str) and _DIGEST.fullmatch(name)):
            raise CharacterizerError(
                f"{path} names something that is no digest.",
                next_step="Restore it, or remove it to serve with the nets of the setting.",
            )
    return Chosen(serves or OF_SETTING, previous)


def serving(home: Path) -> NetSet:
    """The set that serves now."""
    return NetSet(home, chosen(home).serves)


def home_of(root: Path) -> Path:
    """The folder of all sets, from that of one."""
    return root.parents[1] if root.parent.name == "under" else root


def roots(home: Path) -> tuple[Path, ...]:
    """The folders of all sets that there are."""
    under = home / "under"
    others = (
        sorted(p for p in under.iterdir() if _DIGEST.fullmatch(p.name)) if under.is_dir() else []
    )
    return (home, *others)
