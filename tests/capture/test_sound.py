"""Sounds of every kind come out mono at 16 kHz; everything else is refused in words."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from visavox.capture import Limits, decode
from visavox.errors import CaptureError
from visavox.types import Waveform

USUAL = Limits()

Write = Callable[..., bytes]
Tone = Callable[..., NDArray[np.float32]]


def sound(data: bytes, limits: Limits = USUAL) -> Waveform:
    waveform = decode(audio=data, limits=limits).waveform
    assert waveform is not None
    return waveform


def refusal(data: bytes, limits: Limits = USUAL) -> CaptureError:
    with pytest.raises(CaptureError) as caught:
        decode(audio=data, limits=limits)
    assert caught.value.next_step
    return caught.value


def likeness(one: Waveform, other: Waveform) -> float:
    length = min(len(one), len(other))
    return float(np.corrcoef(one[:length], other[:length])[0, 1])


@pytest.mark.parametrize(
    ("form", "subtype", "rate"),
    [
        ("WAV", "PCM_U8", 16_000),
        ("WAV", "PCM_16", 8_000),
        ("WAV", "PCM_24", 44_100),
        ("WAV", "PCM_32", 48_000),
        ("WAV", "FLOAT", 22_050),
        ("WAV", "DOUBLE", 11_025),
        ("WAV", "ULAW", 8_000),
        ("WAV", "ALAW", 8_000),
        ("FLAC", "PCM_16", 44_100),
        ("FLAC", "PCM_24", 96_000),
        ("OGG", "VORBIS", 44_100),
        ("OGG", "OPUS", 48_000),
        ("OGG", "OPUS", 16_000),
    ],
)
def test_a_tone_comes_back_from_every_encoding(
    tone: Tone, write_sound: Write, form: str, subtype: str, rate: int
) -> None:
    heard = sound(write_sound(tone(rate), rate, form, subtype))
    assert heard.dtype == np.float32
    assert len(heard) == pytest.approx(9_600, rel=0.02)
    assert likeness(heard, tone(16_000)) > 0.99
    assert np.abs(heard[1_000:-1_000]).max() == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("container", ["webm", "mp4"])
def test_the_sound_of_a_clip_may_come_alone(tone: Tone, write_clip: Write, container: str) -> None:
    codec = "libopus" if container == "webm" else "aac"
    heard = sound(write_clip(container, None, codec, frames=10))
    assert len(heard) >= 15_800
    assert np.abs(np.fft.rfft(heard[:16_000])).argmax() == 440


@pytest.mark.parametrize(
    ("form", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "OPUS"), ("OGG", "VORBIS")]
)
def test_two_equal_channels_are_as_loud_as_one(
    tone: Tone, write_sound: Write, form: str, subtype: str
) -> None:
    one = tone(16_000) * np.float32(3.0)  # 0.9: a mix that preserves power would clip
    heard = sound(write_sound(np.stack([one, one], axis=1), 16_000, form, subtype))
    assert np.abs(heard[2_000:-2_000]).max() == pytest.approx(0.9, abs=0.05)


def test_channels_are_averaged(tone: Tone, write_sound: Write) -> None:
    one = tone(16_000)
    heard = sound(write_sound(np.stack([one, 0 * one, one, 0 * one], axis=1), subtype="FLOAT"))
    assert np.abs(heard - one / 2).max() < 1e-6


def test_samples_beyond_full_scale_are_clipped(tone: Tone, write_sound: Write) -> None:
    heard = sound(write_sound(tone(16_000) * np.float32(1e30), subtype="FLOAT"))
    assert np.abs(heard).max() == 1.0


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_samples_that_are_no_numbers_are_refused(
    tone: Tone, write_sound: Write, poison: float, rate: int
) -> None:
    samples = tone(rate)
    samples[-1] = poison
    assert "no numbers" in refusal(write_sound(samples, rate, subtype="FLOAT")).problem


def test_a_hundred_channels_are_refused(write_wav_header: Write) -> None:
    data = write_wav_header(declared=3_200_000, held=3_200_000, channels=100)
    assert "100 channels" in refusal(data).problem


def test_a_header_of_ten_hours_is_refused(write_wav_header: Write) -> None:
    ten_hours = 36_000 * 16_000 * 2
    assert "cut short" in refusal(write_wav_header(declared=ten_hours, held=32_000)).problem


def test_a_streamed_wav_of_unknown_length_is_taken(write_wav_header: Write) -> None:
    assert len(sound(write_wav_header(declared=0xFFFFFFFF, held=32_000))) == 16_000


def test_a_wav_without_samples_is_refused(write_wav_header: Write) -> None:
    assert "no samples" in refusal(write_wav_header(declared=0, held=0)[:36]).problem
    assert "at least" in refusal(write_wav_header(declared=0, held=0)).problem


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (16_000, 0), (4_000, 1), (400_000, 1)])
def test_impossible_rates_and_channels_are_refused(
    write_wav_header: Write, rate: int, channels: int
) -> None:
    refusal(write_wav_header(declared=64_000, held=64_000, rate=rate, channels=channels))


@pytest.mark.parametrize(
    ("form", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "OPUS")]
)
def test_too_short_and_too_long_sounds_are_refused(
    tone: Tone, write_sound: Write, form: str, subtype: str
) -> None:
    data = write_sound(tone(16_000, 1.0), 16_000, form, subtype)
    assert "at most" in refusal(data, Limits(max_seconds=0.8)).problem
    assert "at least" in refusal(data, Limits(min_seconds=1.2)).problem
    assert len(sound(data, Limits(min_seconds=0.9, max_seconds=1.1))) == 16_000


def test_an_encoding_off_the_list_is_refused(tone: Tone, write_sound: Write) -> None:
    assert "ADPCM" in refusal(write_sound(tone(16_000), subtype="IMA_ADPCM")).problem


def test_a_clip_without_sound_is_no_sound(write_clip: Write) -> None:
    assert "no sound" in refusal(write_clip("mp4", "libx264", None)).problem


def test_a_picture_is_no_sound() -> None:
    error = refusal(b"\xff\xd8\xff\xe0" + b"\x00" * 50)
    assert "a JPEG file" in error.problem
    assert "WAV, FLAC, Ogg" in error.next_step


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(CaptureError, match="Nothing came"):
        decode()
    with pytest.raises(CaptureError, match="sound is empty"):
        decode(audio=b"")
