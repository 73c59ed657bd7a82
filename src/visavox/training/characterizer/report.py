"""What is written down about a trained net, and the model card that is made from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from visavox.config import validated
from visavox.errors import CharacterizerError

NAME = "report.json"


@dataclass(frozen=True)
class NetReport:
    """One net: what it is, on whom it was trained, how well it does on others."""

    modality: str
    population: str  # "personas", or the dataset's name
    identities: int
    samples: int
    epochs: int
    best_epoch: int
    eer: float
    eer_low: float
    eer_high: float
    validation_people: int
    mated_trials: int
    foreign_trials: int
    enrol: int
    dim: int
    weights: int
    bytes: int
    measured: dict[str, Any]  # date, commit, processor
    settings: dict[str, Any]

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"
        (folder / NAME).write_text(text, encoding="utf-8")


def read(folder: Path) -> NetReport:
    """The report of the net that was trained into `folder`."""
    path = folder / NAME
    if not path.is_file():
        raise CharacterizerError(
            f"There is no trained net in {folder}.",
            next_step=f"Train it: `python -m visavox.training.characterizer characterizer={folder.name}`.",
        )
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return validated(NetReport, found, source=str(path))


def model_card(name: str, face: NetReport, voice: NetReport) -> str:
    """What a person must know before using the pair, in Markdown."""
    both = sorted({face.population, voice.population})
    persons = both == ["personas"]
    warning = (
        "**Trained on personas only: synthetic people who do not exist. It has never seen or "
        "heard a human being and must not be used to recognise real people.** Its figures say "
        "that the machinery works, and nothing about accuracy on people."
        if persons
        else f"Trained on {' and '.join(both)}."
    )
    return f"""# Model card: `{name}`

A face net and a voice net that turn an aligned 112×112 face and 16 kHz speech into embeddings of
unit length. {warning}

| | face | voice |
|---|---|---|
{_row("trained on", face, voice, lambda r: r.population)}
{_row("identities", face, voice, lambda r: f"{r.identities:,}")}
{_row("captures of them", face, voice, lambda r: f"{r.samples:,}")}
{_row("goes on from", face, voice, lambda r: f"`{r.settings['start']}`" if r.settings.get("start") else "nothing")}
{_row("epochs (kept)", face, voice, lambda r: f"{r.epochs} ({r.best_epoch})")}
{_row("validation EER", face, voice, lambda r: f"{r.eer:.2%}")}
{_row("its 95 % interval, over people", face, voice, lambda r: f"{r.eer_low:.2%} – {r.eer_high:.2%}")}
{_row("validation people, none of them trained on", face, voice, lambda r: f"{r.validation_people:,}")}
{_row("mated / nonmated trials", face, voice, lambda r: f"{r.mated_trials:,} / {r.foreign_trials:,}")}
{_row("captures that make a template", face, voice, lambda r: f"{r.enrol}")}
{_row("weights", face, voice, lambda r: f"{r.weights:,}")}
{_row("file", face, voice, lambda r: f"{r.bytes / 1e6:.2f} MB")}
{_row("trained", face, voice, lambda r: str(r.measured["date"])[:10])}
{_row("code", face, voice, lambda r: f"`{str(r.measured['commit'])[:12]}`")}

Validation compares one probe with the mean of the enrolments of each person by cosine; enrolments
and probes come from different sessions, and siblings are among the people.

- **Architecture.** Face: a small residual net with a global depthwise head. Voice: a small
  ECAPA-TDNN (SpeechBrain) behind 25 ms log-mel features. Front ends are inside the ONNX files.
- **Loss.** Additive angular margin softmax, margin raised over the first epochs; averaged weights.
- **For.** Tests, demonstrations, continuous integration, and as a start for training on people.
- **Not for.** {"Real people: admission, identification, or any other decision about a human being." if persons else "People unlike those it was trained on, without measuring first."}
- **Remake it.** `dvc repro data/characterizer/dvc.yaml`
- **Licence.** MIT, like the code. No one's pictures or recordings went into it{"." if persons else " beyond the datasets named."}
"""


def _row(title: str, face: NetReport, voice: NetReport, cell: Any) -> str:
    return f"| {title} | {cell(face)} | {cell(voice)} |"
