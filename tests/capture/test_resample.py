"""Sounds of any rate keep their pitch, level, time and length, and nothing folds back."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visavox.capture.resample import to_house_rate
from visavox.types import SAMPLE_RATE, Waveform

RATES = [8_000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000]
EDGE = 800  # samples at either end that the filter cannot know


def tone(hertz: float, rate: int, seconds: float = 0.5) -> Waveform:
    times = np.arange(round(rate * seconds)) / rate
    return np.sin(2 * np.pi * hertz * times).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hertz", [100.0, 1_000.0, 3_300.0])
def test_a_tone_stays_itself_without_delay(rate: int, hertz: float) -> None:
    heard = to_house_rate(tone(hertz, rate), rate)
    error = heard - tone(hertz, SAMPLE_RATE)[: len(heard)]
    assert np.abs(error[EDGE:-EDGE]).max() < 2e-4


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate > SAMPLE_RATE])
@pytest.mark.parametrize("hertz", [8_100.0, 9_000.0, 10_500.0])
def test_a_tone_too_high_for_the_house_rate_vanishes(rate: int, hertz: float) -> None:
    heard = to_house_rate(tone(hertz, rate), rate)
    assert np.abs(heard[EDGE:-EDGE]).max() < 1e-3  # 60 dB


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate >= SAMPLE_RATE])
def test_speech_frequencies_up_to_7_khz_pass(rate: int) -> None:
    heard = to_house_rate(tone(7_000.0, rate), rate)
    assert np.abs(heard[EDGE:-EDGE]).max() == pytest.approx(1.0, abs=0.01)


@settings(deadline=None)
@given(rate=st.integers(8_000, 192_000), length=st.integers(0, 4_000))
def test_any_rate_and_length_gives_the_right_length(rate: int, length: int) -> None:
    heard = to_house_rate(np.ones(length, np.float32), rate)
    assert heard.dtype == np.float32
    assert len(heard) == ceil(length * SAMPLE_RATE / rate)
    assert np.isfinite(heard).all()


@pytest.mark.parametrize("rate", [8_001, 44_056, 100_003, 191_999])
def test_an_odd_rate_is_close_enough(rate: int) -> None:
    heard = to_house_rate(tone(440.0, rate), rate)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert spectrum.argmax() * SAMPLE_RATE / len(heard) == pytest.approx(440.0, abs=2.0)
    assert np.abs(heard).max() == pytest.approx(1.0, abs=0.01)


def test_the_house_rate_is_left_alone() -> None:
    sound = tone(440.0, SAMPLE_RATE)
    assert to_house_rate(sound, SAMPLE_RATE) is sound
