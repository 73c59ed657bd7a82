"""Step `features`: what the Characterizer sees of every capture of a dataset, as one table."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from visavox import capture, characterizer, manifest, perception, quality
from visavox.characterizer import Characterizer
from visavox.config import settings
from visavox.errors import DataError
from visavox.manifest import Row
from visavox.table import EmbeddingTable
from visavox.training import leaks, progress, provenance
from visavox.training.dataset import Dataset
from visavox.training.embedding import embed
from visavox.training.feature_cache import FeatureCache
from visavox.training.feature_table import Features, load, read, write
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.types import Embeddings

__all__ = ["Features", "FeaturesSettings", "Made", "features", "key", "load", "read", "seen_by"]

CACHE = Path(".cache/features")
_TOGETHER = 32  # captures kept at once, so that an interrupted run loses little

log = logging.getLogger(__name__)


@settings
class FeaturesSettings:
    data: Dataset
    nets: str = "embedded"
    """The Characterizer: a name (embedded, pretrained), or its folder."""
    workers: int = 0
    """Processes to embed with; 0 for one per core."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a run of the step did."""

    captures: int
    embedded: int
    """Those that were not in the cache."""


@stage(FeaturesSettings)
def features(settings: FeaturesSettings, run: Run) -> Made:
    """Embed a dataset's captures, the new ones only, and write the table."""
    dataset = manifest.read(settings.data.root)
    leaks.check(dataset)
    if not len(dataset):
        raise DataError(
            f"{dataset.root} holds no captures.", next_step="Fetch or make the dataset first."
        )
    nets = characterizer.load(settings.nets)
    cache = FeatureCache(CACHE / f"{seen_by(nets)[:32]}.sqlite")
    keys = {row.capture: key(row) for row in dataset}
    found = cache.get(keys.values())
    new = list({keys[r.capture]: r for r in dataset if keys[r.capture] not in found}.values())

    kept: dict[str, Embeddings] = {}
    workers = settings.workers or provenance.cores()
    with progress.bar(f"Embedding {settings.data.name}", len(new)) as advance:
        try:
            for row, seen in embed(dataset.root, new, nets=settings.nets, workers=workers):
                kept[keys[row.capture]] = seen
                advance()
                if len(kept) == _TOGETHER:
                    cache.put(kept)
                    found |= kept
                    kept = {}
        finally:
            cache.put(kept)
    found |= kept
    table = EmbeddingTable.of(
        list(keys),
        [found[k] for k in keys.values()],
        face_dim=nets.face_dim,
        voice_dim=nets.voice_dim,
    )
    write(settings.data.features, Features(table, nets.name, nets.digest, nets.population))
    made = Made(len(table), len(new))
    log.info("%s: %d captures, %d embedded anew", settings.data.name, made.captures, made.embedded)
    run.tags({"data": provenance.data_hash(dataset.root), "characterizer": nets.digest})
    run.metrics(
        {
            "captures": made.captures,
            "embedded": made.embedded,
            "face.present": float(table.face.present.mean()),
            "voice.present": float(table.voice.present.mean()),
        }
    )
    return made


def seen_by(nets: Characterizer) -> str:
    """Digest of all that decides what is seen of a capture: nets, limits, and the code between."""
    code = hashlib.sha256()
    for source in _sources(capture, quality, characterizer, perception):
        code.update(source.read_bytes())
    return provenance.digest(
        {
            "characterizer": nets.digest,
            "limits": asdict(capture.Limits()),
            "quality": asdict(quality.QualityLimits()),
            "code": code.hexdigest(),
        }
    )


def key(row: Row) -> str:
    """A capture's content: what its files are and what they hold, whatever they are called."""
    return ",".join(
        f"{kind}:{file.sha256}"
        for kind, file in (("image", row.image), ("audio", row.audio), ("clip", row.clip))
        if file is not None
    )


def _sources(*modules: ModuleType) -> Iterable[Path]:
    for module in modules:
        file = Path(str(module.__file__))
        yield from sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]


if __name__ == "__main__":
    features.main()
