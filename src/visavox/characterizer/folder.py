"""A Characterizer on disk: a folder with two nets and a card that says what they are.

characterizer.json   name, population, and per net: file, SHA-256, dimension, crop
face.onnx            `pixels` uint8 (N, H, W, 3) → `embedding` float32 (N, D), unit length
voice.onnx           `waveform` float32 (N, T), 16 kHz → `embedding` float32 (N, D), unit length
MODEL_CARD.md        what a person should know before relying on it
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, field
from pathlib import Path
from typing import Any

from visavox.characterizer.crop import Crop
from visavox.config import settings, validated
from visavox.errors import CharacterizerError, ConfigError

FORMAT = 1
CARD = "characterizer.json"
FACE_FILE = "face.onnx"
VOICE_FILE = "voice.onnx"


@settings
class FaceNetFile:
    """The face net of a Characterizer."""

    file: str
    sha256: str
    dim: int
    crop: Crop


@settings
class VoiceNetFile:
    """The voice net of a Characterizer."""

    file: str
    sha256: str
    dim: int


@settings
class Card:
    """What `characterizer.json` says."""

    format: int
    name: str
    population: str
    """Whom the nets were trained on; reports repeat it beside every figure."""
    face: FaceNetFile
    voice: VoiceNetFile
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the packages that made it."""

    @property
    def digest(self) -> str:
        """Names the embeddings: the same for the same nets and crops, whatever they are called."""
        nets = {"face": asdict(self.face), "voice": asdict(self.voice)}
        for net in nets.values():
            del net["file"]
        return hashlib.sha256(json.dumps(nets, sort_keys=True).encode()).hexdigest()


def write_card(folder: Path, card: Card) -> None:
    """Write `card` into `folder`, all at once or not at all."""
    text = json.dumps(asdict(card), indent=2) + "\n"
    unfinished = folder / f"{CARD}.half"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(folder / CARD)


def read_card(folder: Path) -> Card:
    """The card of the Characterizer in `folder`."""
    path = folder / CARD
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CharacterizerError(
            f"{folder} holds no {CARD}.",
            next_step="Name a folder that a Characterizer was written to.",
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CharacterizerError(f"{path} is no JSON: {error}.", next_step=_RESTORE) from None
    if not isinstance(values, dict):
        raise CharacterizerError(f"{path} must hold an object.", next_step=_RESTORE)
    if values.get("format") != FORMAT:
        raise CharacterizerError(
            f"{path} is of format {values.get('format')!r}; this version reads format {FORMAT}.",
            next_step="Use the version of visavox that wrote it, or export the nets again.",
        )
    try:
        return validated(Card, values, source=str(path))
    except ConfigError as error:
        raise CharacterizerError(error.problem, next_step=_RESTORE) from None


def read_net(folder: Path, net: FaceNetFile | VoiceNetFile) -> bytes:
    """The bytes of one net, the very ones that the card speaks of."""
    path = folder / net.file
    if path.parent != folder:
        raise CharacterizerError(
            f"{CARD} of {folder} names a net outside of it: {net.file!r}.", next_step=_RESTORE
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CharacterizerError(
            f"{path} cannot be read: {error.strerror}.", next_step=_RESTORE
        ) from None
    found = sha256(data)
    if found != net.sha256:
        raise CharacterizerError(
            f"{path} has SHA-256 {found}; its card says {net.sha256}.", next_step=_RESTORE
        )
    return data


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_RESTORE = "The folder is damaged or was changed: restore it from where it came."
