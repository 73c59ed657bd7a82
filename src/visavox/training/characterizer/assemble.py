"""Two trained nets, one folder: `python -m visavox.training.characterizer.assemble`."""

import shutil
from pathlib import Path

from visavox.characterizer.crop import Crop
from visavox.characterizer.folder import (
    FACE_FILE,
    VOICE_FILE,
    Card,
    FaceNetFile,
    VoiceNetFile,
    sha256,
)
from visavox.config import settings
from visavox.training.characterizer import report
from visavox.training.export import write_characterizer
from visavox.training.stage import stage
from visavox.training.tracking import Run


@settings
class AssembleSettings:
    """From where, and to where."""

    source: str = "data/characterizer"
    """Folder that both nets were trained into."""
    voice: str = ""
    """Folder of the voice net, where it is another than `<source>/voice`."""
    target: str = "src/visavox/characterizer/embedded"
    """Folder of the Characterizer; the default is what the package ships."""
    name: str = "embedded"


@stage(AssembleSettings)
def assemble(settings: AssembleSettings, run: Run) -> Card:
    """Make a Characterizer of the two nets last trained, with its model card."""
    source, target = Path(settings.source), Path(settings.target)
    seen, heard = source / "face", Path(settings.voice) if settings.voice else source / "voice"
    face, voice = report.read(seen), report.read(heard)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(seen / FACE_FILE, target / FACE_FILE)
    shutil.copyfile(heard / VOICE_FILE, target / VOICE_FILE)
    card = write_characterizer(
        target,
        name=settings.name,
        population=" and ".join(sorted({face.population, voice.population})),
        face=FaceNetFile(
            file=FACE_FILE,
            sha256=sha256((target / FACE_FILE).read_bytes()),
            dim=face.dim,
            crop=Crop.ALIGNED_112,
        ),
        voice=VoiceNetFile(
            file=VOICE_FILE, sha256=sha256((target / VOICE_FILE).read_bytes()), dim=voice.dim
        ),
        model_card=report.model_card(settings.name, face, voice),
    )
    run.tags({"characterizer": card.digest})
    return card


if __name__ == "__main__":
    assemble.main()
