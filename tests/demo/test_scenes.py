from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from demo import scenes
from demo.client import Shown
from demo.people import Cast
from demo.problems import DemoProblem
from demo.scenes import ATTACKS, SCENES, play, who_plays
from visavox.personas.attacks import Species
from visavox.types import SAMPLE_RATE


@pytest.mark.parametrize("scene", [*SCENES, *ATTACKS], ids=lambda s: s.key)
def test_every_scene_can_be_shown_to_a_camera_and_a_microphone(
    scene: scenes.Scene, cast: Cast, made: Path
) -> None:
    shown = play(scene.key, cast.members[0], cast, made)
    assert shown.images or shown.audio
    for path in shown.images:
        with Image.open(path) as picture:
            assert picture.size == (640, 480)
    if shown.audio:
        waveform, rate = soundfile.read(shown.audio)
        assert rate == SAMPLE_RATE
        assert len(waveform) > SAMPLE_RATE


def test_every_species_of_attack_can_be_tried() -> None:
    assert {s.key for s in ATTACKS} == set(Species)
    assert all(s.is_attack for s in ATTACKS)
    assert not any(s.is_attack for s in SCENES)


def test_the_same_scene_is_the_same_to_the_byte(cast: Cast, made: Path, tmp_path: Path) -> None:
    for key in (Species.PRINTED_PHOTO, "dark"):
        one = play(key, cast.members[1], cast, made)
        other = play(key, cast.members[1], cast, tmp_path)
        assert one.images[0].read_bytes() == other.images[0].read_bytes()


def test_one_modality_alone_is_really_alone(cast: Cast, made: Path) -> None:
    assert play("face only", cast.members[0], cast, made).audio is None
    assert play("voice only", cast.members[0], cast, made).images == ()


def test_the_dark_is_dark_and_the_silence_silent(cast: Cast, made: Path) -> None:
    dark = play("dark", cast.members[0], cast, made)
    with Image.open(dark.images[0]) as picture:
        assert np.asarray(picture).mean() < 30
    silent = play("blurred and silent", cast.members[0], cast, made)
    assert silent.audio is not None
    waveform, _ = soundfile.read(silent.audio)
    assert np.abs(waveform).max() < 0.01


def test_other_days_show_other_captures(cast: Cast, made: Path) -> None:
    days = [play("member", cast.members[0], cast, made, day=d) for d in range(3)]
    assert len(set(days)) == 3


def test_it_is_said_who_really_stands_there(cast: Cast) -> None:
    member = cast.members[0]
    assert who_plays("member", member, cast) is member
    assert who_plays("stranger", member, cast).role == "stranger"
    assert who_plays("look-alike", member, cast).kin == "look-alike"


def test_a_cast_without_strangers_says_so(cast: Cast, made: Path) -> None:
    alone = replace(cast, strangers=())
    for key in ("stranger", "look-alike", Species.VOICE_REPLAY):
        with pytest.raises(DemoProblem):
            play(key, cast.members[0], alone, made)


def test_somebody_who_gave_only_a_clip_cannot_be_taken_apart(cast: Cast, made: Path) -> None:
    filmed = replace(cast.members[0], probes=(Shown(clip=Path("a.mp4")),))
    with pytest.raises(DemoProblem, match="no picture with sound"):
        play("member", filmed, cast, made)
