"""Clips decode back to the pictures and the sound they were made of."""

import io

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from visavox.errors import ConfigError, DataError
from visavox.personas.clip import CONTAINERS, encode, frames_of, write_clip
from visavox.personas.voice import SpokenDigits, VoiceIdentity, utter
from visavox.types import SAMPLE_RATE, Pixels, Waveform

MOUTH = (slice(30, 70), slice(40, 60))


@pytest.fixture(scope="module")
def spoken() -> SpokenDigits:
    return utter(VoiceIdentity.draw(np.random.default_rng(3)), "159", np.random.default_rng(4))


def _talking(opening: float, index: int) -> Pixels:
    """A grey face whose mouth is a dark slit, as high as it is open; odd sides on purpose."""
    face = np.full((99, 101, 3), (180, 150, 130), np.uint8)
    half = round(20 * opening)
    face[50 - half : 50 + half, MOUTH[1]] = 20
    return face


def _decoded(data: bytes) -> tuple[list[Pixels], list[float], Waveform | None]:
    with av.open(io.BytesIO(data), "r") as file:
        pictures = list(file.decode(video=0))
    with av.open(io.BytesIO(data), "r") as file:
        if not file.streams.audio:
            sound = None
        else:
            rate = int(file.streams.audio[0].rate)
            parts = [f.to_ndarray().ravel() for f in file.decode(audio=0)]
            sound = np.concatenate(parts).astype(np.float32)[:: rate // SAMPLE_RATE]
    times = [float(p.time or 0.0) for p in pictures]
    return [np.asarray(p.to_ndarray(format="rgb24"), np.uint8) for p in pictures], times, sound


def _loudness(waveform: Waveform, count: int) -> NDArray[np.float64]:
    n = len(waveform) // count
    power = np.square(waveform[: n * count].astype(np.float64)).reshape(count, n).mean(axis=1)
    return np.asarray(np.sqrt(power), np.float64)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_clip_decodes_back_with_its_pictures_and_sound(
    container: str, spoken: SpokenDigits
) -> None:
    pictures, times, sound = _decoded(write_clip(_talking, spoken, container=container))
    assert len(pictures) == 36
    assert np.allclose(np.diff(times), 1 / 12, atol=2e-3)
    assert all(p.shape == (100, 102, 3) for p in pictures)  # made even for the codec
    assert np.abs(pictures[0][10, 10].astype(int) - (180, 150, 130)).max() < 12
    assert sound is not None
    assert abs(len(sound) - len(spoken.waveform)) < 0.1 * SAMPLE_RATE
    n = min(len(sound), len(spoken.waveform))
    assert np.corrcoef(sound[:n], spoken.waveform[:n])[0, 1] > 0.95


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_mouth_that_is_seen_moves_with_the_sound_that_is_heard(
    container: str, spoken: SpokenDigits
) -> None:
    pictures, _, sound = _decoded(write_clip(_talking, spoken, container=container))
    assert sound is not None
    dark = np.array([255.0 - p[MOUTH].mean() for p in pictures])
    loud = _loudness(sound[: len(spoken.waveform)], len(pictures))
    assert np.corrcoef(dark, loud)[0, 1] > 0.5
    late = np.corrcoef(np.roll(dark, 7), loud)[0, 1]
    assert late < np.corrcoef(dark, loud)[0, 1] - 0.3


def test_pictures_are_asked_for_in_order_with_the_opening_of_their_time(
    spoken: SpokenDigits,
) -> None:
    asked: list[tuple[float, int]] = []

    def render(opening: float, index: int) -> Pixels:
        asked.append((opening, index))
        return _talking(opening, index)

    frames = frames_of(render, spoken, frames_per_second=10)
    assert len(frames) == 30
    assert asked == [(spoken.opening_at((i + 0.5) / 10), i) for i in range(30)]


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_same_material_gives_the_same_bytes(container: str, spoken: SpokenDigits) -> None:
    frames = [_talking(0.5, 0)] * 3
    short = spoken.waveform[: SAMPLE_RATE // 4]
    assert encode(frames, short, container=container) == encode(frames, short, container=container)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_clip_without_sound_has_no_sound_track(container: str) -> None:
    pictures, _, sound = _decoded(encode([_talking(0.1, 0)] * 4, None, container=container))
    assert len(pictures) == 4
    assert sound is None


def test_an_unknown_container_is_refused(spoken: SpokenDigits) -> None:
    with pytest.raises(ConfigError, match="mp4 or webm"):
        write_clip(_talking, spoken, container="avi")


@pytest.mark.parametrize(
    "frames", [[], [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)]]
)
def test_no_pictures_or_pictures_of_several_sizes_are_refused(frames: list[Pixels]) -> None:
    with pytest.raises(DataError, match="one picture at least, all of one size"):
        encode(frames, None)
