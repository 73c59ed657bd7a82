"""The two steps: train one net and export it; assemble two into a Characterizer.

python -m visavox.training.characterizer characterizer=face        # then =voice
python -m visavox.training.characterizer.assemble
"""

from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save_file

from visavox.characterizer.crop import Crop
from visavox.characterizer.folder import FACE_FILE, VOICE_FILE
from visavox.training import provenance
from visavox.training.characterizer import people_manifest, people_personas
from visavox.training.characterizer.report import NetReport
from visavox.training.characterizer.samples import Split
from visavox.training.characterizer.settings import CharacterizerSettings
from visavox.training.characterizer.train import Trained, train_net
from visavox.training.export import export_face, export_voice
from visavox.training.stage import stage
from visavox.training.tracking import Run
from visavox.types import Modality

WEIGHTS = "net.safetensors"


@stage(CharacterizerSettings)
def characterizer(settings: CharacterizerSettings, run: Run) -> NetReport:
    """Train the face or the voice net, and export it with its report."""
    split = people(settings)
    trained = train_net(settings, split, run)
    folder = Path(settings.out) / settings.modality
    report = finish(trained, split, settings, folder)
    run.metrics({"eer": report.eer, "eer_low": report.eer_low, "eer_high": report.eer_high})
    run.artifact(folder)
    return report


def people(settings: CharacterizerSettings) -> Split:
    """Whom the settings name, as samples; made or prepared where it is the first time."""
    where = Path(settings.cache)
    modality = Modality(settings.modality)
    if settings.people.source == "personas":
        return people_personas.split(settings.people, modality, where)
    return people_manifest.split(settings.people, modality, where)


def finish(
    trained: Trained, split: Split, settings: CharacterizerSettings, folder: Path
) -> NetReport:
    """Write the net as ONNX and as torch weights, with a report of what it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if settings.modality == "face":
        path = folder / FACE_FILE
        export_face(trained.net, path, crop=Crop.ALIGNED_112, half_weights=True)
    else:
        path = folder / VOICE_FILE
        export_voice(trained.net, path, half_weights=True)
    save_file({k: v.contiguous() for k, v in trained.net.state_dict().items()}, folder / WEIGHTS)
    found = trained.verification
    named = Path(settings.people.root).name
    report = NetReport(
        modality=settings.modality,
        population="personas" if settings.people.source == "personas" else named,
        identities=len(split.train.identities),
        samples=len(split.train),
        epochs=trained.epochs,
        best_epoch=trained.best_epoch,
        eer=found.eer,
        eer_low=found.low,
        eer_high=found.high,
        validation_people=found.people,
        mated_trials=found.mated,
        foreign_trials=found.foreign,
        enrol=settings.enrol,
        dim=trained.net.dim,
        weights=sum(p.numel() for p in trained.net.parameters()),
        bytes=path.stat().st_size,
        measured=provenance.measured(),
        settings=asdict(settings),
    )
    report.write(folder)
    return report
