"""Who is in the demo: personas with names, and what each of them shows a camera.

Members and strangers come from the demo's dataset, so that the trained bundle fits; newcomers are
made on the spot, the same every time.
"""

import io
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import soundfile
from PIL import Image

from demo.client import Shown
from demo.problems import DemoProblem
from visavox import manifest
from visavox.errors import DataError
from visavox.manifest import Row
from visavox.personas.person import POPULATIONS, face_of, person, voice_of
from visavox.types import SAMPLE_RATE

MEMBER_NAMES = (
    *("Alex", "Camille", "Charlie", "Dominique", "Eden", "Jules"),
    *("Kim", "Noor", "Remy", "Robin", "Sasha", "Yael"),
)
NEWCOMER_NAMES = ("Ariel", "Morgan", "Quinn", "Rowan")
STRANGER_NAMES = ("Andrea", "Billie", "Claude", "Jamie", "Lou", "Pat", "River", "Toni")
_FRENCH = {"Camille", "Dominique", "Jules", "Remy", "Quinn"}

_NEWCOMER = 90_000_000  # first place of the population that no dataset uses
_HARDNESS = 0.75  # a newcomer takes care in front of the camera
_ENROL, _PROBES = 4, 2


@dataclass(frozen=True, slots=True)
class Persona:
    """Someone who does not exist, with what they show when enrolled and on later days."""

    id: str
    name: str
    role: str  # member, newcomer or stranger
    enrol: tuple[Shown, ...]
    probes: tuple[Shown, ...]  # of other days than `enrol`
    pin: str = ""
    kin: str = "none"  # sibling, look-alike, sound-alike or none

    @property
    def locale(self) -> str:
        return "fr" if self.name in _FRENCH else "en"


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody in the demo."""

    fridge: str  # whose members they are, as the trained bundle names it
    members: tuple[Persona, ...]
    newcomers: tuple[Persona, ...]
    strangers: tuple[Persona, ...]

    def __getitem__(self, wanted: str) -> Persona:
        for who in (*self.members, *self.newcomers, *self.strangers):
            if who.id == wanted:
                return who
        raise KeyError(wanted)

    def alike(self, kin: str) -> Persona | None:
        """A stranger who resembles a member in this way."""
        return next((s for s in self.strangers if s.kin == kin), None)


def cast(dataset: Path, made: Path, *, newcomers: int = len(NEWCOMER_NAMES)) -> Cast:
    """The people of a dataset of personas; newcomers are made below `made` where missing."""
    try:
        rows = manifest.read(dataset).rows
    except DataError as error:
        raise DemoProblem(
            error.problem, next_step="Make the demo's personas: `make demo` does."
        ) from None
    if any(row.source != "personas" for row in rows):
        raise DemoProblem(
            f"{dataset} holds people who are not personas.",
            next_step="The demo plays with people who do not exist only; name their dataset.",
        )
    by_person: dict[str, list[Row]] = {}
    for row in rows:
        if not row.attack:
            by_person.setdefault(row.person, []).append(row)
    inside = [p for p, of in by_person.items() if of[0].fridge]
    outside = [p for p, of in by_person.items() if of[0].split == "stranger"]
    if not inside:
        raise DemoProblem(
            f"{dataset} has no fridge with members.", next_step="Make the demo's personas anew."
        )
    fridge = by_person[inside[0]][0].fridge
    inside = [p for p in inside if by_person[p][0].fridge == fridge]
    return Cast(
        fridge=fridge,
        members=tuple(
            _persona(dataset, p, name_at(MEMBER_NAMES, i), "member", by_person[p], pin=pin_of(i))
            for i, p in enumerate(inside)
        ),
        newcomers=tuple(_newcomer(made, i) for i in range(newcomers)),
        strangers=tuple(
            _persona(dataset, p, name_at(STRANGER_NAMES, i), "stranger", by_person[p])
            for i, p in enumerate(outside)
        ),
    )


def name_at(names: tuple[str, ...], index: int) -> str:
    """The names in turn; a number is added from the second round on."""
    again = index // len(names)
    return names[index % len(names)] + (f" {again + 1}" if again else "")


def pin_of(index: int) -> str:
    """The PIN of the demo's member at `index`: known to all, as nobody is behind it."""
    return f"{(271_828 + 142_857 * index) % 900_000 + 100_000}"


def _persona(
    root: Path,
    name_in_data: str,
    name: str,
    role: str,
    rows: list[Row],
    *,
    pin: str = "",
) -> Persona:
    enrol = tuple(_shown(root, r) for r in rows if r.split == "enrol")
    probes = tuple(_shown(root, r) for r in rows if r.split in ("probe", "stranger"))
    kin = rows[0].slices.get("kin", "none")
    return Persona(name_in_data, name, role, enrol, probes, pin, kin)


def _shown(root: Path, row: Row) -> Shown:
    if row.clip:
        return Shown(clip=root / row.clip.path)
    images = (root / row.image.path,) if row.image else ()
    return Shown(images, root / row.audio.path if row.audio else None)


def _newcomer(made: Path, index: int) -> Persona:
    name = name_at(NEWCOMER_NAMES, index)
    folder = made / "newcomers" / name.lower()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(prefix=".half-", dir=folder.parent))
        try:
            _shoot(index, half)
            half.rename(folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    shown = [Shown((folder / f"{k}.jpg",), folder / f"{k}.flac") for k in range(_ENROL + _PROBES)]
    return Persona(
        name.lower(),
        name,
        "newcomer",
        tuple(shown[:_ENROL]),
        tuple(shown[_ENROL:]),
        pin_of(40 + index),
    )


def _shoot(index: int, folder: Path) -> None:
    who = person(POPULATIONS["demo"], _NEWCOMER + index)
    for k in range(_ENROL + _PROBES):
        # Enrolled over two days; each probe is of a day of its own.
        session = k % 2 if k < _ENROL else k
        picture = face_of(who, session, k, _HARDNESS).pixels
        (folder / f"{k}.jpg").write_bytes(jpeg(Image.fromarray(picture)))
        spoken = voice_of(who, session, k, _HARDNESS).waveform
        soundfile.write(folder / f"{k}.flac", spoken, SAMPLE_RATE, subtype="PCM_16")


def jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()
