"""From a part to the bytes of its captures: what one worker does for one person."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from visavox.manifest import CaptureFile, Row, sha256
from visavox.personas import attacks, clip
from visavox.personas.attacks import Material
from visavox.personas.dataset_cast import Part, PersonasSettings, Role, Shot
from visavox.personas.face import HEAD, SIZE
from visavox.personas.person import Person, face_of, person, voice_of
from visavox.types import SAMPLE_RATE, Pixels, Waveform


def shoot(settings: PersonasSettings, root: Path, part: Part) -> tuple[Row, ...]:
    """Make every capture of a part below `root`; the rows say what was made."""
    who = _person(settings, part.role)
    (root / part.person).mkdir(parents=True, exist_ok=True)
    rows = []
    for k, shot in enumerate(part.shots):
        row = Row(
            capture=shot.capture,
            person=part.person,
            fridge=part.fridge,
            session=f"{part.person}-{shot.session}",
            split=shot.split,
            attack=shot.species,
            consent="not needed",
            source="personas",
            slices={**who.slices, "kin": part.kin},
        )
        stem = f"{part.person}/{shot.capture.removeprefix(part.person + '-')}"
        if shot.clip:
            file = _kept(root, f"{stem}.mp4", _talking(settings, who, shot))
            rows.append(replace(row, clip=file))
            continue
        material = _material(settings, who, shot)
        if shot.species:
            material = _attacked(settings, part, k, material)
        image = _kept(root, f"{stem}.jpg", jpeg(material.frames[0], settings.jpeg_quality))
        sound = material.waveform
        audio = _kept(root, f"{stem}.flac", flac(sound)) if sound is not None else None
        rows.append(replace(row, image=image, audio=audio))
    return tuple(rows)


def jpeg(pixels: Pixels, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def flac(waveform: Waveform) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _person(settings: PersonasSettings, role: Role) -> Person:
    return person(
        settings.population,
        role.index,
        relative_of=role.relative_of,
        share=role.share,
        voice_share=role.voice_share,
    )


def _picture(
    settings: PersonasSettings, who: Person, shot: Shot, mouth_open: float | None = None
) -> Pixels:
    size = (settings.width, settings.height)
    head = HEAD * min(size[0] / SIZE[0], size[1] / SIZE[1])
    return face_of(
        who,
        shot.session,
        shot.index,
        settings.of_faces,
        size=size,
        head=head,
        mouth_open=mouth_open,
    ).pixels


def _material(settings: PersonasSettings, who: Person, shot: Shot) -> Material:
    spoken = voice_of(who, shot.session, shot.index, settings.hardness, seconds=settings.seconds)
    return Material((_picture(settings, who, shot),), spoken.waveform)


def _attacked(settings: PersonasSettings, part: Part, k: int, member: Material) -> Material:
    attacker, shot = part.attackers[k], part.shots[k]
    stranger = _material(settings, _person(settings, attacker), shot)
    rng = np.random.default_rng(np.random.SeedSequence((settings.population, attacker.index)))
    return attacks.attack(attacks.Species(shot.species), member, stranger, rng)


def _talking(settings: PersonasSettings, who: Person, shot: Shot) -> bytes:
    spoken = voice_of(who, shot.session, shot.index, settings.hardness, seconds=settings.seconds)
    return clip.write_clip(
        lambda opening, _: _picture(settings, who, shot, mouth_open=opening), spoken
    )


def _kept(root: Path, path: str, data: bytes) -> CaptureFile:
    (root / path).write_bytes(data)
    return CaptureFile(path, sha256(data))
