"""Step `data`: a dataset of people who do not exist, or a check of one that is brought."""

import logging

from visavox import manifest
from visavox.config import settings, validated
from visavox.manifest import Manifest
from visavox.personas import dataset as personas
from visavox.training import leaks, provenance
from visavox.training.dataset import Dataset
from visavox.training.stage import stage
from visavox.training.tracking import Run

log = logging.getLogger(__name__)


@settings
class DataSettings:
    data: Dataset
    workers: int = 0
    """Processes to draw and speak with; 0 for one per core."""


@stage(DataSettings)
def data(settings: DataSettings, run: Run) -> Manifest:
    """Write the dataset `data=<name>`, or verify it, and refuse it where splits leak."""
    wanted = settings.data
    made = _written(settings) if wanted.personas else manifest.read(wanted.root)
    leaks.check(made)
    if not wanted.personas:
        leaks.verify_files(made)
    run.tags({"data": provenance.data_hash(wanted.root)})
    counts = {split: len(rows) for split in manifest.SPLITS if (rows := made.of(split=split))}
    run.metrics({f"captures.{split}": n for split, n in counts.items()})
    run.metrics({"people": len({r.person for r in made}), "fridges": len(made.fridges)})
    run.artifact(wanted.root / manifest.NAME)
    log.info("%s: %s", wanted.name, ", ".join(f"{n} {split}" for split, n in counts.items()))
    return made


def _written(settings: DataSettings) -> Manifest:
    """Only who is new or changed is made; the rest of the folder is carried over."""
    wanted = validated(
        personas.PersonasSettings,
        settings.data.personas,
        source=f"part data.personas of {settings.data.name!r}",
    )
    return personas.write(
        wanted, settings.data.root, workers=settings.workers or provenance.cores(), progress=True
    )


if __name__ == "__main__":
    data.main()
