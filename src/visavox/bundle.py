"""What a fridge runs on: a folder named by its own content, that serves alone.

    <sha-256 of manifest.json>/
        manifest.json         what it is, for which Characterizer, from what, and SHA-256 of the rest
        weights.safetensors   the Discriminator's arrays: experts, calibration, fusion
        reference.json        distributions at training time, for drift to be measured against

`load` reads each file once and believes nothing it has not hashed.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_from
from safetensors.numpy import save as tensors_to

from visavox.decision import Policy
from visavox.discriminator import Discriminator
from visavox.errors import BundleError

FORMAT = 1
"""Rises when an older reader would misunderstand; older formats stay readable."""

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
REFERENCE = "reference.json"
_HASHED = (REFERENCE, WEIGHTS)
_LARGEST = 1 << 30  # bytes of one file: 5,000 members need some 20 MB

_RESTORE = "Restore the bundle from the registry, or train the fridge again."


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A verified bundle. `digest` names its content, byte for byte."""

    fridge: str
    discriminator: Discriminator
    policy: Policy
    manifest: Mapping[str, Any]
    reference: Mapping[str, Any]
    digest: str

    @property
    def characterizer_digest(self) -> str:
        return str(self.manifest["characterizer"])

    @property
    def lineage(self) -> Mapping[str, Any]:
        """Commit, data, configuration and run that made it."""
        lineage: Mapping[str, Any] = self.manifest["lineage"]
        return lineage


def write(
    root: Path,
    *,
    fridge: str,
    discriminator: Discriminator,
    policy: Policy,
    characterizer_digest: str,
    population: str,
    lineage: Mapping[str, Any],
    reference: Mapping[str, Any],
) -> Path:
    """Write a bundle into `root`, whole or not at all; the folder made is returned.

    What is already there under the same name has the same content, and is left alone.
    """
    files = contents(
        fridge=fridge,
        discriminator=discriminator,
        policy=policy,
        characterizer_digest=characterizer_digest,
        population=population,
        lineage=lineage,
        reference=reference,
    )
    final = root / digest_of(files)
    if final.exists():
        load(final, characterizer_digest=characterizer_digest)
        return final
    root.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=".half-", dir=root))
    try:
        for name, data in files.items():
            _write_through(half / name, data)
        half.chmod(0o755)
        try:
            half.rename(final)
        except OSError:
            if not final.is_dir():  # else another process wrote the same content first
                raise
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return final


def contents(
    *,
    fridge: str,
    discriminator: Discriminator,
    policy: Policy,
    characterizer_digest: str,
    population: str,
    lineage: Mapping[str, Any],
    reference: Mapping[str, Any],
) -> dict[str, bytes]:
    """A bundle's files by name, the manifest last, for whoever writes none of them to a disk."""
    meta, tensors = discriminator.to_parts()
    # safetensors writes memory as it lies: only C order keeps an array's meaning.
    plain = {name: np.array(tensors[name], order="C") for name in sorted(tensors)}
    files = {WEIGHTS: tensors_to(plain), REFERENCE: _dumped(reference)}
    files[MANIFEST] = _dumped(
        {
            "format": FORMAT,
            "fridge": fridge,
            "characterizer": characterizer_digest,
            "population": population,
            "family": discriminator.family,
            "discriminator": meta,
            "policy": policy.to_json(),
            "lineage": dict(lineage),
            "files": {name: _sha256(data) for name, data in sorted(files.items())},
        }
    )
    return files


def digest_of(files: Mapping[str, bytes]) -> str:
    """The name of the bundle that these files are."""
    return _sha256(files[MANIFEST])


def find(folder: Path) -> Path:
    """The bundle in `folder`: itself, or the only one that it holds."""
    if (folder / MANIFEST).exists():
        return folder
    inside = sorted(p.parent for p in folder.glob(f"[!.]*/{MANIFEST}"))
    if len(inside) == 1:
        return inside[0]
    held = f"holds {len(inside)} bundles" if folder.is_dir() else "does not exist"
    raise BundleError(f"{folder} {held}; one was expected.", next_step="Name one bundle's folder.")


def load(path: Path, *, characterizer_digest: str | None) -> Bundle:
    """The bundle in `path`, verified; BundleError says what is wrong with it.

    Its embeddings must come from the Characterizer of `characterizer_digest`; None skips that,
    for looking into a bundle without scoring.
    """
    folder = find(path)
    raw = _read(folder, MANIFEST)
    manifest = _object(folder, MANIFEST, raw)
    _check_format(folder, manifest)
    digest = _sha256(raw)
    if folder.resolve().name != digest:
        _altered(folder, f"{MANIFEST} is not the one that the folder is named after")
    _check_names(folder, manifest)
    files = {name: _read(folder, name) for name in _HASHED}
    for name, data in files.items():
        if _sha256(data) != manifest["files"][name]:
            _altered(folder, f"{name} is not the file that {MANIFEST} describes")
    fridge, characterizer = (
        _text(folder, manifest, "fridge"),
        _text(folder, manifest, "characterizer"),
    )
    if characterizer_digest not in (None, characterizer):
        raise BundleError(
            f"The bundle {folder} is for the Characterizer {characterizer[:12]}…,"
            f" this one is {str(characterizer_digest)[:12]}….",
            next_step="Train the fridge again with this Characterizer, or serve with the other.",
        )
    try:
        tensors = tensors_from(files[WEIGHTS])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        _altered(folder, f"{WEIGHTS} holds no arrays: {error}")
    discriminator = Discriminator.from_parts(_mapping(folder, manifest, "discriminator"), tensors)
    policy = Policy.from_json(_mapping(folder, manifest, "policy"))
    _mapping(folder, manifest, "lineage")
    reference = _object(folder, REFERENCE, files[REFERENCE])
    return Bundle(fridge, discriminator, policy, manifest, reference, digest)


def _check_format(folder: Path, manifest: Mapping[str, Any]) -> None:
    made = manifest.get("format")
    if not isinstance(made, int) or isinstance(made, bool) or made < 1:
        _altered(folder, f"{MANIFEST} gives {made!r} as its format")
    if made > FORMAT:
        raise BundleError(
            f"The bundle {folder} has format {made}; this visavox reads up to {FORMAT}.",
            next_step="Update visavox, or deploy a bundle trained with this version.",
        )


def _check_names(folder: Path, manifest: Mapping[str, Any]) -> None:
    described = _mapping(folder, manifest, "files")
    if sorted(described) != sorted(_HASHED):
        _altered(folder, f"{MANIFEST} describes {_listed(described)}, not {_listed(_HASHED)}")
    found, expected = {p.name for p in folder.iterdir()}, {MANIFEST, *_HASHED}
    if missing := expected - found:
        _altered(folder, f"it lacks {_listed(missing)}")
    if extra := found - expected:
        _altered(folder, f"it also holds {_listed(extra)}, which {MANIFEST} does not describe")


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        _altered(folder, f"{name} is missing or no plain file")
    try:
        if path.stat().st_size > _LARGEST:
            _altered(folder, f"{name} is larger than {_LARGEST} bytes")
        return path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read: {error.strerror}.", next_step="Check its permissions."
        ) from None


def _object(folder: Path, name: str, raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        _altered(folder, f"{name} is no JSON: {error}")
    if not isinstance(value, dict):
        _altered(folder, f"{name} is no JSON object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _text(folder: Path, manifest: Mapping[str, Any], key: str) -> str:
    value = manifest.get(key)
    if not isinstance(value, str) or not value:
        _altered(folder, f"{MANIFEST} has no {key}")
    return value


def _mapping(folder: Path, manifest: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = manifest.get(key)
    if not isinstance(value, dict):
        _altered(folder, f"{MANIFEST} has no {key}")
    return value


def _altered(folder: Path, what: str) -> NoReturn:
    raise BundleError(f"The bundle {folder} is damaged: {what}.", next_step=_RESTORE)


def _listed(names: Mapping[str, Any] | set[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _dumped(values: Mapping[str, Any]) -> bytes:
    text = json.dumps(values, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # a rename that outlives a power cut must not outlive the data
