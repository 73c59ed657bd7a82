"""What can be tried at the fridge with one click: who stands there, and what they show."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageEnhance, ImageFilter

from demo.client import Shown
from demo.people import Cast, Persona, jpeg
from demo.problems import DemoProblem
from visavox.personas.attacks import Material, Species, attack
from visavox.types import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Scene:
    """One situation at the kiosk."""

    key: str
    title: str
    text: str
    is_attack: bool = False


SCENES = (
    Scene("member", "A member", "Face and voice of an enrolled persona, on a later day."),
    Scene("stranger", "A stranger", "Somebody the fridge has never met."),
    Scene("look-alike", "A look-alike", "A stranger whose face takes after a member's."),
    Scene("sound-alike", "A sound-alike", "A stranger whose voice takes after a member's."),
    Scene("face only", "Only a face", "The member says nothing: one modality has to do."),
    Scene("voice only", "Only a voice", "The camera is covered: one modality has to do."),
    Scene("dark", "In the dark", "The light is off; the voice is fine."),
    Scene(
        "blurred and silent", "Blurred and silent", "Nothing to go by: the kiosk says what to do."
    ),
)

ATTACKS = (
    Scene(Species.PRINTED_PHOTO, "Printed photo", "A print of the member; nobody speaks.", True),
    Scene(Species.SCREEN_REPLAY, "Screen replay", "A film of the member on a phone, with its sound.", True),
    Scene(Species.VOICE_REPLAY, "Voice replay", "The attacker's own face, the member's voice from a loudspeaker.", True),
    Scene(Species.PHOTO_AND_FOREIGN_VOICE, "Photo + foreign voice", "A print of the member; the attacker speaks behind it.", True),
    Scene(Species.MEMBER_FACE_AND_STRANGER_VOICE, "Member's face + stranger's voice", "The living member before the camera, somebody else speaks.", True),
    Scene(Species.SILENT_VIDEO, "Silent video", "A film of the member on a phone, without sound.", True),
)  # fmt: skip

_BY_KEY = {scene.key: scene for scene in (*SCENES, *ATTACKS)}


def play(key: str, member: Persona, cast: Cast, folder: Path, *, day: int = 0) -> Shown:
    """What camera and microphone take of the scene; what has to be made goes below `folder`."""
    if _BY_KEY[key].is_attack:
        return _attacked(Species(key), member, cast, folder, day)
    return _PLAYED[key](member, cast, folder, day)


def who_plays(key: str, member: Persona, cast: Cast, day: int = 0) -> Persona:
    """Whose face or voice it really is, where it is not the member's."""
    if key in ("look-alike", "sound-alike"):
        return _alike(cast, key)
    return _stranger(cast, day) if key == "stranger" else member


def probe(who: Persona, day: int) -> Shown:
    """One of the later days of a persona, with pictures and sound apart."""
    apart = [p for p in who.probes if p.images and p.audio]
    if not apart:
        raise DemoProblem(
            f"{who.name} has no picture with sound of a later day.",
            next_step="Choose somebody else, or make the demo's personas again.",
        )
    return apart[day % len(apart)]


def _stranger(cast: Cast, day: int) -> Persona:
    plain = [s for s in cast.strangers if s.kin == "none"] or list(cast.strangers)
    if not plain:
        raise DemoProblem(
            "The dataset has no strangers.", next_step="Make the demo's personas with strangers."
        )
    return plain[day % len(plain)]


def _alike(cast: Cast, kin: str) -> Persona:
    found = cast.alike(kin)
    if found is None:
        raise DemoProblem(
            f"The dataset has no {kin}.", next_step="Try another scene: this one needs a relative."
        )
    return found


def _dark(member: Persona, _: Cast, folder: Path, day: int) -> Shown:
    shown = probe(member, day)
    return replace(shown, images=(_changed(shown.images[0], folder, "dark", _darkened),))


def _blurred(member: Persona, _: Cast, folder: Path, day: int) -> Shown:
    shown = probe(member, day)
    picture = _changed(
        shown.images[0], folder, "blurred", lambda p: p.filter(ImageFilter.GaussianBlur(9))
    )
    return Shown((picture,), silence(folder))


def _darkened(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(0.09)


_Played = Callable[[Persona, Cast, Path, int], Shown]
_PLAYED: dict[str, _Played] = {
    "member": lambda member, _, __, day: probe(member, day),
    "stranger": lambda _, cast, __, day: probe(_stranger(cast, day), 0),
    "look-alike": lambda _, cast, __, day: probe(_alike(cast, "look-alike"), day),
    "sound-alike": lambda _, cast, __, day: probe(_alike(cast, "sound-alike"), day),
    "face only": lambda member, _, __, day: replace(probe(member, day), audio=None),
    "voice only": lambda member, _, __, day: replace(probe(member, day), images=()),
    "dark": _dark,
    "blurred and silent": _blurred,
}


def _changed(
    source: Path, folder: Path, how: str, change: Callable[[Image.Image], Image.Image]
) -> Path:
    path = _place(folder, how, str(source), ".jpg")
    if not path.exists():
        with Image.open(source) as picture:
            _write(path, jpeg(change(picture.convert("RGB"))))
    return path


def silence(folder: Path, seconds: float = 3.0) -> Path:
    """A microphone that nobody speaks into."""
    path = folder / "silence.flac"
    if not path.exists():
        rng = np.random.default_rng(0)
        hiss = 5e-4 * rng.standard_normal(int(seconds * SAMPLE_RATE))
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, hiss, SAMPLE_RATE, subtype="PCM_16")
    return path


def _attacked(species: Species, member: Persona, cast: Cast, folder: Path, day: int) -> Shown:
    attacker = _stranger(cast, day)
    told = f"{member.id}/{attacker.id}/{day}"
    image = _place(folder, species.value, told, ".jpg")
    audio = image.with_suffix(".flac")
    if not (image.exists() and audio.exists()):
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(told.encode()).digest()[:8]))
        faked = attack(species, _material(probe(member, day)), _material(probe(attacker, 0)), rng)
        assert faked.waveform is not None
        image.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(audio, faked.waveform, SAMPLE_RATE, subtype="PCM_16")
        _write(image, jpeg(Image.fromarray(faked.frames[0])))
    return Shown((image,), audio)


def _material(shown: Shown) -> Material:
    assert shown.audio is not None
    with Image.open(shown.images[0]) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.uint8)
    waveform, _ = soundfile.read(shown.audio, dtype="float32")
    return Material((pixels,), waveform)


def _place(folder: Path, how: str, of: str, suffix: str) -> Path:
    name = hashlib.sha256(of.encode()).hexdigest()[:16]
    return folder / "scenes" / how.replace(" ", "-") / f"{name}{suffix}"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
