"""Files of pretrained weights: found or fetched, and the very ones that were asked for."""

import hashlib
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from visavox.config import settings
from visavox.errors import CharacterizerError, ConfigError, WeightsMissing
from visavox.training.progress import bar

_CHUNK = 1 << 20
_PATIENCE_S = 30.0


@settings
class WeightsFile:
    """One file of weights, and where its makers publish it."""

    url: str
    sha256: str
    """Its pin. Anything else is refused, wherever it came from."""
    file: str = ""
    """Its name in the cache, a local folder or a mirror; the last part of the address if empty."""

    @property
    def name(self) -> str:
        return self.file or self.url.rsplit("/", 1)[-1]


@settings
class Sources:
    """Where files of weights are looked for, in this order."""

    folder: str = ""
    """A local folder that may hold them, for machines without a network."""
    cache: str = ""
    """Where fetched ones are kept."""
    mirror: str = ""
    """Address of a folder to fetch them from instead of their makers'."""


def weights(file: WeightsFile, sources: Sources, *, cache: Path) -> Path:
    """The verified file: from the local folder, from the cache, or fetched into the cache."""
    if len(file.sha256) != 64 or not set(file.sha256.lower()) <= set("0123456789abcdef"):
        raise ConfigError(
            f"The pin of {file.name} must be a SHA-256 of 64 hexadecimal digits, not "
            f"{file.sha256!r}.",
            next_step="Take it from whom you trust with the file.",
        )
    kept = Path(sources.cache or cache) / file.name
    places = [Path(sources.folder) / file.name] if sources.folder else []
    for place in (*places, kept):
        if place.is_file():
            return _verified(place, file)
    address = f"{sources.mirror.rstrip('/')}/{file.name}" if sources.mirror else file.url
    try:
        _fetch(address, kept, file)
    except (OSError, ValueError) as error:
        looked = ", ".join(str(place.parent) for place in (*places, kept))
        raise WeightsMissing(
            f"{file.name} is neither in {looked} nor to be had from {address}: {error}.",
            next_step=f"Put the file with SHA-256 {file.sha256} at {kept}, or name the folder it "
            "lies in (sources.folder) or a mirror (sources.mirror).",
        ) from None
    return kept


def _verified(path: Path, file: WeightsFile) -> Path:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != file.sha256.lower():
        raise CharacterizerError(
            f"{path} has SHA-256 {found}; {file.sha256} was asked for.",
            next_step="Remove it and fetch it again, or correct the pin if you trust this file.",
        )
    return path


def _fetch(address: str, target: Path, file: WeightsFile) -> None:
    """Download next to `target`, verify, and only then put it there."""
    if not address.startswith("https://"):
        raise ValueError("only https is fetched from")
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part") as part,
        urllib.request.urlopen(address, timeout=_PATIENCE_S) as answer,  # noqa: S310 (https)
    ):
        size = int(answer.headers.get("Content-Length") or 0)
        with bar(f"Fetching {file.name}", -(-size // _CHUNK)) as advance:
            while chunk := answer.read(_CHUNK):
                part.write(chunk)
                advance()
        part.flush()
        verified = _verified(Path(part.name), file)
        shutil.copyfile(verified, target.with_suffix(".whole"))
    target.with_suffix(".whole").replace(target)
