"""A pointer: the small file in git that names a fridge's data in DVC, and says what they are."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from visavox.errors import LedgerError
from visavox.training.production.ledger_folder import Drawn


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a commit says of one fridge, without its list of captures."""

    dvc: str
    risk: str
    manifest_sha256: str
    about: Mapping[str, Any]


def folder(fridge: str) -> str:
    """Where a fridge's data are. Two letters of a hash keep git's own folders short."""
    return f"fridges/{hashlib.sha256(fridge.encode()).hexdigest()[:2]}/{fridge}"


def path(fridge: str) -> str:
    return f"{folder(fridge)}.dvc"


def about(fridge: str, drawn: Drawn, risk: str) -> dict[str, Any]:
    """What the pointer says beside the hash; equal for equal data."""
    return {
        "fridge": fridge,
        "risk": risk,
        "members": len(drawn.members),
        "captures": len(drawn.entries),
        "manifest_sha256": drawn.sha256,
    }


def read(content: bytes) -> Pointer:
    """A pointer as DVC writes it."""
    try:
        given = yaml.safe_load(content)
        meta = given["meta"]
        dvc = given["outs"][0]["md5"]
        return Pointer(str(dvc), str(meta["risk"]), str(meta["manifest_sha256"]), meta)
    except (yaml.YAMLError, KeyError, IndexError, TypeError) as error:
        raise LedgerError(
            f"A pointer of the ledger cannot be read ({type(error).__name__}).",
            next_step="See `git log` in its folder, and restore what somebody changed there.",
        ) from None
