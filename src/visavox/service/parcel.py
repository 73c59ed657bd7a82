"""A trained bundle as one piece of bytes, to be sealed: its files, and who its members are.

    {"format": 1, "joined": {…}, "sizes": {…}}\\n manifest.json weights.safetensors reference.json

Members can be taken out of it. What is left keeps the digest of the bundle that was trained, which
decisions name, and its lineage says since when it is less than that.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_from
from safetensors.numpy import save as tensors_to

from visavox import bundle
from visavox.bundle import MANIFEST, REFERENCE, WEIGHTS, Bundle
from visavox.decision import Policy
from visavox.discriminator import Discriminator
from visavox.errors import BundleError

FORMAT = 1
NAMES = (MANIFEST, WEIGHTS, REFERENCE)

AGAIN = "Install the bundle again: `python -m api model install`."

_PER_MEMBER: Mapping[str, Mapping[str, int]] = {
    "prototype": {"templates": 1, "mean": 0, "spread": 0},
    "plda": {"square": 1, "linear": 1, "constant": 0},
    "logistic": {"weights": 1, "bias": 0},
    "mlp": {"output": 1, "output_bias": 0},
}
"""The arrays of each family that have an entry per member, and along which axis."""

BLANK = "?"
"""What the name begins with of a column that is nobody's; no member's id does."""

_CALIBRATED = {"calibration.slope": 0, "calibration.offset": 0, "enrolled": 0}


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """A bundle's files, and since when each member whom it scores has been one."""

    digest: str  # of the bundle as it was trained
    files: Mapping[str, bytes]
    joined: Mapping[str, datetime]

    @classmethod
    def of(cls, folder: Path, found: Bundle) -> "Parcel":
        """The files of a bundle that was loaded from there; nobody is a member yet."""
        try:
            files = {name: (folder / name).read_bytes() for name in NAMES}
        except OSError as error:
            raise BundleError(
                f"The bundle {folder} cannot be read: {error.strerror}.",
                next_step="Check its permissions, and install it again.",
            ) from None
        made = cls(found.digest, files, {})
        made._check()  # it may have been changed since
        return made

    def pack(self) -> bytes:
        head = {
            "format": FORMAT,
            "joined": {m: since.isoformat() for m, since in self.joined.items()},
            "sizes": {name: len(self.files[name]) for name in NAMES},
        }
        return b"".join([json.dumps(head).encode(), b"\n", *(self.files[n] for n in NAMES)])

    @classmethod
    def unpack(cls, digest: str, packed: bytes) -> "Parcel":
        """The inverse of `pack`, verified: it is the bundle of that digest, or a part of it."""
        try:
            start = packed.index(b"\n") + 1
            head = json.loads(packed[:start])
            joined = {m: datetime.fromisoformat(since) for m, since in head["joined"].items()}
            files = {}
            for name in NAMES:
                end = start + int(head["sizes"][name])
                files[name], start = packed[start:end], end
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(digest, str(error)) from None
        if head.get("format") != FORMAT:
            raise _damaged(digest, f"it was sealed in the format {head.get('format')!r}")
        made = cls(digest, files, joined)
        made._check()
        return made

    @property
    def characterizer(self) -> str:
        """The digest of the nets that it is for."""
        return str(self._manifest()["characterizer"])

    def bundle(self, characterizer_digest: str) -> Bundle:
        """To serve from. Its `digest` is that of the bundle as it was trained."""
        manifest = self._manifest()
        if manifest["format"] > bundle.FORMAT:
            raise BundleError(
                f"The bundle {self.digest[:12]}… has format {manifest['format']}; this visavox"
                f" reads up to {bundle.FORMAT}.",
                next_step="Update visavox, or install a bundle trained with this version.",
            )
        if characterizer_digest != manifest["characterizer"]:
            raise BundleError(
                f"The bundle {self.digest[:12]}… is for the Characterizer"
                f" {manifest['characterizer'][:12]}…, this one is {characterizer_digest[:12]}….",
                next_step="Train the fridge again with this Characterizer, or serve with the other.",
            )
        return Bundle(
            fridge=manifest["fridge"],
            discriminator=Discriminator.from_parts(manifest["discriminator"], self._tensors()),
            policy=Policy.from_json(manifest["policy"]),
            manifest=manifest,
            reference=json.loads(self.files[REFERENCE]),
            digest=self.digest,
        )

    def only(self, members: Collection[str], at: datetime) -> "Parcel":
        """The same without anybody else: no name, no weights, no calibration of theirs."""
        joined = {m: since for m, since in self.joined.items() if m in members}
        manifest = self._manifest()
        known = manifest["discriminator"]["members"]
        kept = [i for i, m in enumerate(known) if m in members]
        if len(kept) == len(known):
            return replace(self, joined=joined)
        family = manifest["discriminator"]["family"]
        if family not in _PER_MEMBER:
            raise BundleError(
                f"Nobody can be taken out of a bundle of the family {family!r}.",
                next_step="Train the fridge again without them.",
            )
        axes = _axes(family)
        weights = tensors_to(
            {
                # safetensors writes memory as it lies: only C order keeps its meaning.
                name: np.array(
                    array.take(kept, axis=axes[name]) if name in axes else array, order="C"
                )
                for name, array in self._tensors().items()
            }
        )
        manifest["discriminator"]["members"] = [known[i] for i in kept]
        manifest["files"][WEIGHTS] = _sha256(weights)
        before = manifest["lineage"].get("reduced", {}).get("steps", [])
        gone = [i for i in range(len(known)) if i not in set(kept)]
        manifest["lineage"]["reduced"] = {
            "from": self.digest,
            "at": at.isoformat(),
            "steps": [*before, {"columns": len(known), "gone": gone}],
        }
        said = json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        return Parcel(
            self.digest, {**self.files, WEIGHTS: weights, MANIFEST: said.encode()}, joined
        )

    def learned_from(self, member: str) -> bool:
        """Whether it has a column of theirs; it was trained on them then."""
        return member in self._manifest()["discriminator"]["members"]

    @property
    def manifest(self) -> Mapping[str, Any]:
        return self._manifest()

    @property
    def lineage(self) -> Mapping[str, Any]:
        lineage: Mapping[str, Any] = self._manifest()["lineage"]
        return lineage

    def widened(self, columns: int) -> "Parcel":
        """The same with as many members as it had once: blanks stand where those are missing who
        have been taken out since, and score nothing. Whoever is left scores to the last bit as
        they did then. BundleError where it never had that many.
        """
        manifest = self._manifest()
        names = list(manifest["discriminator"]["members"])
        axes, arrays = _axes(manifest["discriminator"]["family"]), self._tensors()
        for i, step in enumerate(reversed(manifest["lineage"].get("reduced", {}).get("steps", ()))):
            if len(names) >= columns:
                break
            for place in step["gone"]:  # in rising order: each is where it was
                names.insert(place, f"{BLANK}{i}.{place}")
                for name, axis in axes.items():
                    blank = 1.0 if name.endswith((".spread", ".slope")) else 0.0
                    arrays[name] = np.insert(arrays[name], place, blank, axis=axis)
        if len(names) != columns:
            raise BundleError(
                f"The bundle {self.digest[:12]}… never had {columns} members.",
                next_step="Replay the decision with the bundle that it names.",
            )
        manifest["discriminator"]["members"] = names
        weights = tensors_to({n: np.array(a, order="C") for n, a in arrays.items()})
        said = json.dumps(manifest, ensure_ascii=False)
        return Parcel(
            self.digest, {**self.files, WEIGHTS: weights, MANIFEST: said.encode()}, self.joined
        )

    def _check(self) -> None:
        manifest = self._read(self._manifest)
        reduced = self._read(lambda: manifest["lineage"].get("reduced", {}).get("from"))
        if self.digest not in {_sha256(self.files[MANIFEST]), reduced}:
            raise _damaged(self.digest, f"{MANIFEST} is another one's")
        for name in (WEIGHTS, REFERENCE):
            said = self._read(lambda name=name: manifest["files"][name])  # type: ignore[misc]
            if _sha256(self.files[name]) != said:
                raise _damaged(self.digest, f"{name} is not the file that {MANIFEST} describes")

    def _read(self, what: Callable[[], Any]) -> Any:
        try:
            return what()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(self.digest, f"{MANIFEST} cannot be read: {error}") from None

    def _manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self.files[MANIFEST])
        return manifest

    def _tensors(self) -> dict[str, Any]:
        try:
            return tensors_from(self.files[WEIGHTS])
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise _damaged(self.digest, f"{WEIGHTS} holds no arrays: {error}") from None


def _axes(family: str) -> dict[str, int]:
    return {
        f"{modality}.{name}": axis
        for modality in ("face", "voice")
        for name, axis in {**_PER_MEMBER[family], **_CALIBRATED}.items()
    }


def _damaged(digest: str, what: str) -> BundleError:
    return BundleError(f"The bundle {digest[:12]}… is damaged: {what}.", next_step=AGAIN)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
