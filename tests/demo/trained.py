"""What DVC would make of a few personas: a champion of their fridge, and its trials."""

import shutil
from pathlib import Path

import numpy as np

from tests import cohort
from visavox import bundle, manifest
from visavox.characterizer import Characterizer
from visavox.manifest import CaptureFile, Row
from visavox.perception import Perception
from visavox.table import EmbeddingTable
from visavox.training import trials
from visavox.training.evaluate_searches import Fridge, searches
from visavox.training.fit import DiscriminatorSettings, fit


def train(data: Path, base_bundle: Path, nets: Characterizer) -> None:
    """Beside the dataset `data`/demo: the base, the champion, and the trials of its evaluation."""
    shutil.copytree(base_bundle, data / "bundles" / "cohort" / "base" / base_bundle.name)
    rows = [r for r in manifest.read(data / "demo").rows if not r.clip]
    table = _embedded(data / "demo", rows, nets)
    enrolled = np.flatnonzero([r.split == "enrol" for r in rows]).astype(np.intp)
    strangers, people, sessions = cohort.read(nets)
    fitted = fit(
        table.take(enrolled),
        [rows[i].person for i in enrolled],
        strangers,
        people,
        DiscriminatorSettings(folds=2),
        seed=1,
        cohort_sessions=sessions,
    )
    fridge = rows[0].fridge
    bundle.write(
        data / "bundles" / "demo" / fridge,
        fridge=fridge,
        discriminator=fitted.discriminator,
        policy=fitted.policy,
        characterizer_digest=nets.digest,
        population="personas",
        lineage={"commit": "0123abc", "dataset": "demo"},
        reference={},
    )
    served = Fridge(fridge, fitted.discriminator, fitted.policy)
    tried = searches([served], rows, table, risk="normal")
    trials.write(tried, data / "evaluate" / "demo" / trials.NAME)


def _embedded(root: Path, rows: list[Row], nets: Characterizer) -> EmbeddingTable:
    def read(file: CaptureFile | None) -> bytes | None:
        return (root / file.path).read_bytes() if file else None

    with Perception(nets) as perception:
        seen = []
        for row in rows:
            image = read(row.image)
            images = [] if image is None else [image]
            capture = perception.take(images=images, audio=read(row.audio), clip=None)
            seen.append(perception.perceive(capture))
    return EmbeddingTable.of(
        [r.capture for r in rows], seen, face_dim=nets.face_dim, voice_dim=nets.voice_dim
    )
