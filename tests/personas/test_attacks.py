"""Attacks change what their species changes, and leave the rest as it was."""

import numpy as np
import pytest
from numpy.typing import NDArray

from visavox.errors import DataError
from visavox.personas import clip
from visavox.personas.attacks import Material, Species, attack
from visavox.personas.voice import Day, VoiceIdentity, utter
from visavox.types import SAMPLE_RATE, Pixels, Waveform

SIZE = (90, 120)
PRINTED = (Species.PRINTED_PHOTO, Species.PHOTO_AND_FOREIGN_VOICE)
ON_SCREEN = (Species.SCREEN_REPLAY, Species.SILENT_VIDEO)
FROM_LOUDSPEAKER = (Species.SCREEN_REPLAY, Species.VOICE_REPLAY)
SILENT = (Species.PRINTED_PHOTO, Species.SILENT_VIDEO)


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _film(colour: tuple[int, int, int]) -> tuple[Pixels, ...]:
    """Six pictures of a head with a mouth that opens, on a plain wall."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    film = []
    for height in (0, 2, 5, 8, 4, 1):
        picture = np.full((*SIZE, 3), (120, 125, 130), np.uint8)
        picture[((x - 60) / 25) ** 2 + ((y - 45) / 33) ** 2 < 1] = colour
        picture[(abs(x - 60) < 10) & (abs(y - 60) < height)] = (40, 10, 15)
        film.append(picture)
    return tuple(film)


def _said(seed: int) -> Waveform:
    who = VoiceIdentity.draw(_rng(seed))
    return utter(who, "407", _rng(seed), day=Day(wander=0), seconds=2.0).waveform


def _heard(material: Material) -> Waveform:
    assert material.waveform is not None
    return material.waveform


@pytest.fixture(scope="module")
def member() -> Material:
    return Material(_film((210, 150, 120)), _said(1))


@pytest.fixture(scope="module")
def stranger() -> Material:
    return Material(_film((120, 80, 60)), _said(2))


def _rms(values: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _envelope(waveform: Waveform) -> NDArray[np.float64]:
    power = np.square(waveform.astype(np.float64)).reshape(-1, 800).mean(axis=1)
    return np.asarray(np.sqrt(power), np.float64)


def _motion(frames: tuple[Pixels, ...]) -> float:
    """How much the mouth's place changes over time."""
    mouths = np.array([f[50:70, 50:70].mean(axis=2) for f in frames])
    return float(mouths.mean(axis=(1, 2)).std())


@pytest.mark.parametrize("species", Species)
def test_an_attack_is_deterministic_and_does_not_touch_what_it_is_made_of(
    species: Species, member: Material, stranger: Material
) -> None:
    before = [f.copy() for f in (*member.frames, *stranger.frames)]
    sounds = [_heard(m).copy() for m in (member, stranger)]
    first, again, other = (attack(species, member, stranger, _rng(s)) for s in (1, 1, 2))
    for a, b in zip(first.frames, again.frames, strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(_heard(first), _heard(again))
    if species is not Species.MEMBER_FACE_AND_STRANGER_VOICE:  # in which nothing is by chance
        assert not (
            np.array_equal(_heard(first), _heard(other))
            and np.array_equal(first.frames[0], other.frames[0])
        )
    assert all(map(np.array_equal, before, (*member.frames, *stranger.frames)))
    assert np.array_equal(sounds[0], _heard(member))
    assert np.array_equal(sounds[1], _heard(stranger))


@pytest.mark.parametrize("species", Species)
def test_an_attack_is_recorded_as_any_capture_is(
    species: Species, member: Material, stranger: Material
) -> None:
    faked = attack(species, member, stranger, _rng())
    assert len(faked.frames) == 6
    assert all(f.dtype == np.uint8 and f.shape == (*SIZE, 3) for f in faked.frames)
    heard = _heard(faked)
    assert heard.dtype == np.float32
    assert heard.shape == (2 * SAMPLE_RATE,)
    assert np.abs(heard).max() <= 1.0
    assert len(clip.encode(faked.frames, faked.waveform)) > 1000


@pytest.mark.parametrize("species", PRINTED)
@pytest.mark.parametrize("seed", range(3))
def test_a_print_is_one_still_picture_with_fewer_colours_and_a_border(
    species: Species, seed: int, member: Material, stranger: Material
) -> None:
    frames = attack(species, member, stranger, _rng(seed)).frames
    assert _motion(frames) < 0.35 * _motion(member.frames)
    assert not np.array_equal(frames[0], frames[1])  # but the hand is not quite still

    def colourfulness(picture: Pixels) -> float:
        face = picture[30:50, 50:70].astype(float)
        return float((face.max(axis=2) - face.min(axis=2)).mean())

    assert colourfulness(frames[0]) < 0.85 * colourfulness(member.frames[0])
    assert np.percentile(frames[0], 99.5) > 180  # the paper's white border
    assert _likeness(frames[0], member) > _likeness(frames[0], stranger)


@pytest.mark.parametrize("species", ON_SCREEN)
@pytest.mark.parametrize("seed", range(3))
def test_a_screen_moves_glows_and_is_blue_and_rippled(
    species: Species, seed: int, member: Material, stranger: Material
) -> None:
    frames = attack(species, member, stranger, _rng(seed)).frames
    assert _motion(frames) > 0.5 * _motion(member.frames)
    wall, shown = (f[0][20:70, 12:30].astype(float) for f in (member.frames, frames))
    assert shown[..., 2].mean() / shown[..., 0].mean() > 1.05 * (
        wall[..., 2].mean() / wall[..., 0].mean()
    )
    assert shown.std(axis=(0, 1)).min() > wall.std(axis=(0, 1)).max() + 1.0  # moiré
    assert frames[3][60, 60].mean() > member.frames[3][60, 60].mean() + 5  # black is not black


@pytest.mark.parametrize("species", FROM_LOUDSPEAKER)
def test_a_loudspeaker_says_the_same_in_a_narrower_band(
    species: Species, member: Material, stranger: Material
) -> None:
    heard = attack(species, member, stranger, _rng(3))
    assert np.corrcoef(_envelope(_heard(heard)), _envelope(_heard(member)))[0, 1] > 0.75

    def low_share(waveform: Waveform) -> float:
        power = np.square(np.abs(np.fft.rfft(waveform)))
        return float(power[: 200 * 2].sum() / power[: 3000 * 2].sum())

    assert low_share(_heard(heard)) < 0.3 * low_share(_heard(member))


@pytest.mark.parametrize("species", SILENT)
def test_where_nobody_speaks_only_the_microphone_hisses(
    species: Species, member: Material, stranger: Material
) -> None:
    heard = _heard(attack(species, member, stranger, _rng()))
    assert 0 < _rms(heard) < 0.05 * _rms(_heard(member))
    dumb = Material(member.frames)
    assert attack(species, dumb, stranger, _rng()).waveform is None


def test_living_faces_and_voices_are_kept_as_they_were(
    member: Material, stranger: Material
) -> None:
    replay = attack(Species.VOICE_REPLAY, member, stranger, _rng())
    assert replay.frames is stranger.frames
    behind = attack(Species.PHOTO_AND_FOREIGN_VOICE, member, stranger, _rng())
    assert behind.waveform is stranger.waveform
    both = attack(Species.MEMBER_FACE_AND_STRANGER_VOICE, member, stranger, _rng())
    assert both.frames is member.frames
    assert both.waveform is stranger.waveform


def _likeness(picture: Pixels, material: Material) -> float:
    """How close the picture's face is in brightness to that of the material."""
    face, other = (p[30:50, 50:70].astype(float).mean() for p in (picture, material.frames[0]))
    return -abs(float(face - other))


@pytest.mark.parametrize(
    ("species", "missing"),
    [
        (Species.PRINTED_PHOTO, "member's picture"),
        (Species.SCREEN_REPLAY, "member's picture"),
        (Species.VOICE_REPLAY, "member's sound"),
        (Species.PHOTO_AND_FOREIGN_VOICE, "member's picture"),
        (Species.MEMBER_FACE_AND_STRANGER_VOICE, "member's picture"),
        (Species.SILENT_VIDEO, "member's picture"),
    ],
)
def test_missing_material_is_named(species: Species, missing: str, stranger: Material) -> None:
    with pytest.raises(DataError, match=missing):
        attack(species, Material(()), stranger, _rng())


def test_a_silent_recording_is_replayed_as_silence(stranger: Material) -> None:
    mute = Material((), np.zeros(SAMPLE_RATE, np.float32))
    assert _rms(_heard(attack(Species.VOICE_REPLAY, mute, stranger, _rng()))) < 0.05
