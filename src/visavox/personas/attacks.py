"""Attacks on a kiosk, made from genuine material of a member and of the stranger who attacks.

faked = attack(Species.SCREEN_REPLAY, member, stranger, rng)
data = clip.encode(faked.frames, faked.waveform)
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.random import Generator

from visavox.errors import DataError
from visavox.personas.attacks_media import Loudspeaker, Print, Screen
from visavox.types import Pixels, Waveform


class Species(StrEnum):
    """What is held before the camera, and what is heard."""

    PRINTED_PHOTO = "printed_photo"
    """A print of the member; nobody speaks."""
    SCREEN_REPLAY = "screen_replay"
    """A film of the member on a screen, its sound from the device's loudspeaker."""
    VOICE_REPLAY = "voice_replay"
    """The stranger's own face; the member's voice from a loudspeaker."""
    PHOTO_AND_FOREIGN_VOICE = "photo_and_foreign_voice"
    """A print of the member, behind which the stranger speaks."""
    MEMBER_FACE_AND_STRANGER_VOICE = "member_face_and_stranger_voice"
    """The member's living face with the stranger's voice."""
    SILENT_VIDEO = "silent_video"
    """A film of the member on a screen, without sound."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a camera and a microphone recorded in one go."""

    frames: tuple[Pixels, ...]  # in order of time, all of one size
    waveform: Waveform | None = None


def attack(species: Species, member: Material, stranger: Material, rng: Generator) -> Material:
    """What the kiosk would record of this attack; the givers' arrays are not changed.

    Raises DataError where the member or the stranger lacks the pictures or the sound that the
    species is made of.
    """
    return _MADE[Species(species)](member, stranger, rng)


def _printed_photo(member: Material, _: Material, rng: Generator) -> Material:
    return Material(_held_print(member, rng), _nobody_speaks(member, rng))


def _screen_replay(member: Material, _: Material, rng: Generator) -> Material:
    frames = _on_screen(member, rng)
    return Material(frames, Loudspeaker.draw(rng).play(_voice(member, "member"), rng))


def _voice_replay(member: Material, stranger: Material, rng: Generator) -> Material:
    voice = Loudspeaker.draw(rng).play(_voice(member, "member"), rng)
    return Material(_face(stranger, "stranger"), voice)


def _photo_and_foreign_voice(member: Material, stranger: Material, rng: Generator) -> Material:
    return Material(_held_print(member, rng), _voice(stranger, "stranger"))


def _member_face_and_stranger_voice(member: Material, stranger: Material, _: Generator) -> Material:
    return Material(_face(member, "member"), _voice(stranger, "stranger"))


def _silent_video(member: Material, _: Material, rng: Generator) -> Material:
    return Material(_on_screen(member, rng), _nobody_speaks(member, rng))


_MADE: dict[Species, Callable[[Material, Material, Generator], Material]] = {
    Species.PRINTED_PHOTO: _printed_photo,
    Species.SCREEN_REPLAY: _screen_replay,
    Species.VOICE_REPLAY: _voice_replay,
    Species.PHOTO_AND_FOREIGN_VOICE: _photo_and_foreign_voice,
    Species.MEMBER_FACE_AND_STRANGER_VOICE: _member_face_and_stranger_voice,
    Species.SILENT_VIDEO: _silent_video,
}


def _held_print(member: Material, rng: Generator) -> tuple[Pixels, ...]:
    """One picture of the member, printed, held in a hand that is never quite still."""
    frames = _face(member, "member")
    paper = Print.draw(rng, frames[0].shape[:2])
    printed = paper.printed(frames[len(frames) // 2])
    return tuple(paper.held(printed, rng) for _ in frames)


def _on_screen(member: Material, rng: Generator) -> tuple[Pixels, ...]:
    frames = _face(member, "member")
    screen = Screen.draw(rng, frames[0].shape[:2])
    return tuple(screen.show(frame, rng) for frame in frames)


def _nobody_speaks(member: Material, rng: Generator) -> Waveform | None:
    """The microphone's own hiss for as long as the member spoke; None without a microphone."""
    if member.waveform is None:
        return None
    return 5e-4 * rng.standard_normal(len(member.waveform), dtype=np.float32)


def _face(material: Material, whose: str) -> tuple[Pixels, ...]:
    if not material.frames:
        raise _lacking(whose, "picture")
    return material.frames


def _voice(material: Material, whose: str) -> Waveform:
    if material.waveform is None:
        raise _lacking(whose, "sound")
    return material.waveform


def _lacking(whose: str, what: str) -> DataError:
    return DataError(
        f"This attack needs the {whose}'s {what}, and there is none.",
        next_step=f"Give the {whose} a Material with {what}.",
    )
