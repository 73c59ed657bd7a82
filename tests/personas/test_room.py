"""Rooms, noise and microphones: each does to a voice what its numbers say."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from visavox.personas.room import USUAL_LEVEL, Room, coded, heard
from visavox.types import SAMPLE_RATE, Waveform

FINE = Room(
    seed=1,
    reverberation_s=0.05,
    direct_db=40.0,
    snr_db=90.0,
    noise_slope=0.0,
    babble=0.0,
    hum=0.0,
    hum_hz=50.0,
    low_hz=10.0,
    high_hz=20_000.0,
    tilt_db=0.0,
    colour_db=0.0,
    gain_db=0.0,
    clip_at=1.0,
    bits=16.0,
)
"""A cabin in which one hears what was said."""


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _speech(seconds: float = 1.0) -> Waveform:
    """Noise that comes in syllables, loud enough to be measured."""
    n = int(seconds * SAMPLE_RATE)
    swell = np.maximum(np.sin(2 * np.pi * 2 * np.arange(n) / SAMPLE_RATE), 0)
    return (0.1 * swell * _rng(9).standard_normal(n)).astype(np.float32)


def _rms(waveform: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


def _band(waveform: Waveform, low: float, high: float) -> float:
    hertz = np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE)
    power = np.square(np.abs(np.fft.rfft(waveform)))
    return float(power[(hertz >= low) & (hertz < high)].sum())


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    hardness=st.floats(0.0, 3.0),
    samples=st.integers(160, 12_000),
    loud=st.sampled_from([0.0, 1e-6, 0.1, 3.0]),
)
def test_any_room_gives_back_a_finite_waveform_of_the_same_length(
    seed: int, hardness: float, samples: int, loud: float
) -> None:
    sound = (loud * _rng(seed).standard_normal(samples)).astype(np.float32)
    out = heard(sound, Room.draw(_rng(seed), hardness), _rng(seed))
    assert out.shape == sound.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 1.0


def test_a_fine_room_changes_nothing_that_matters() -> None:
    speech = _speech()
    assert np.corrcoef(speech, heard(speech, FINE, _rng()))[0, 1] > 0.99
    assert _rms(heard(speech, FINE, _rng())) == pytest.approx(_rms(speech), rel=0.05)


def test_the_same_seeds_give_the_same_recording_and_others_do_not() -> None:
    room = Room.draw(_rng(3))
    assert room == Room.draw(_rng(3)) != Room.draw(_rng(4))
    first, again, other = (heard(_speech(), room, _rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_captures_of_one_session_share_reflections_but_not_noise() -> None:
    quiet = dataclasses.replace(FINE, reverberation_s=0.4, direct_db=0.0)
    click = np.zeros(8000, np.float32)
    click[0] = 0.5
    one, same = (heard(click, quiet, _rng(s)) for s in (1, 2))
    elsewhere = heard(click, dataclasses.replace(quiet, seed=2), _rng(1))
    assert np.corrcoef(one[200:], same[200:])[0, 1] > 0.99
    assert abs(np.corrcoef(one[200:], elsewhere[200:])[0, 1]) < 0.2


@pytest.mark.parametrize("snr", [5.0, 15.0, 25.0])
def test_noise_is_as_strong_as_the_ratio_says(snr: float) -> None:
    speech = _speech()
    noise = heard(speech, dataclasses.replace(FINE, snr_db=snr), _rng()) - heard(
        speech, FINE, _rng()
    )
    assert 20 * np.log10(USUAL_LEVEL / _rms(noise)) == pytest.approx(snr, abs=0.7)


def test_a_silent_room_is_as_noisy_as_one_where_someone_speaks() -> None:
    room = dataclasses.replace(FINE, snr_db=20.0)
    silence = heard(np.zeros(8000, np.float32), room, _rng())
    assert _rms(silence) == pytest.approx(USUAL_LEVEL / 10, rel=0.1)


def test_reverberation_dies_by_sixty_decibels_in_its_time() -> None:
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[0] = 0.9
    tail = heard(click, dataclasses.replace(FINE, reverberation_s=0.5, direct_db=0.0), _rng())
    early, late = _rms(tail[1600:2400]), _rms(tail[4800:5600])  # 0.2 s apart
    assert 20 * np.log10(early / late) == pytest.approx(60 * 0.2 / 0.5, abs=4)


def test_slope_babble_and_hum_colour_the_noise() -> None:
    def noise(**changes: float) -> Waveform:
        room = dataclasses.replace(FINE, snr_db=0.0, **changes)  # type: ignore[arg-type]
        return heard(_speech(), room, _rng()) - heard(_speech(), FINE, _rng())

    def low_share(sound: Waveform) -> float:
        return _band(sound, 50, 1000) / _band(sound, 50, 8000)

    assert low_share(noise(noise_slope=2.0)) > 5 * low_share(noise(noise_slope=0.0))
    hummed = noise(hum=0.9)
    assert sum(_band(hummed, 50 * k - 2, 50 * k + 2) for k in (1, 2, 3, 5)) > 0.5 * _band(
        hummed, 0, 8000
    )

    def swelling(sound: Waveform) -> float:
        levels = [_rms(part) for part in sound.reshape(-1, 800)]
        return float(np.std(levels) / np.mean(levels))

    assert swelling(noise(babble=1.0)) > 2 * swelling(noise(babble=0.0))


def test_the_microphone_cuts_the_band_and_tilts_it() -> None:
    speech = _speech()
    narrow = heard(speech, dataclasses.replace(FINE, low_hz=300.0, high_hz=3400.0), _rng())
    whole = heard(speech, FINE, _rng())
    assert _band(narrow, 5000, 8000) < 0.02 * _band(whole, 5000, 8000)
    assert _band(narrow, 0, 150) < 0.2 * _band(whole, 0, 150)
    assert _band(narrow, 800, 2500) == pytest.approx(_band(whole, 800, 2500), rel=0.1)
    tilted = heard(speech, dataclasses.replace(FINE, tilt_db=-12.0), _rng())
    drop = _band(tilted, 6500, 8000) / _band(tilted, 0, 1500)
    assert drop < 0.3 * _band(whole, 6500, 8000) / _band(whole, 0, 1500)


def test_gain_and_clipping_do_what_they_say() -> None:
    louder = heard(_speech(), dataclasses.replace(FINE, gain_db=6.0), _rng())
    assert _rms(louder) == pytest.approx(1.995 * _rms(heard(_speech(), FINE, _rng())), rel=0.02)
    clipped = heard(_speech(), dataclasses.replace(FINE, gain_db=20.0, clip_at=0.6), _rng())
    assert np.abs(clipped).max() == pytest.approx(0.6)
    assert np.mean(np.abs(clipped) > 0.599) > 0.05


def test_fewer_bits_lose_more_and_silence_survives() -> None:
    speech = _speech()
    errors = [_rms(coded(speech, bits) - speech) / _rms(speech) for bits in (5.0, 9.0, 14.0)]
    assert errors[0] > 1.5 * errors[1] > 2 * errors[2]
    assert errors[0] < 0.8
    assert errors[2] < 0.05
    assert not coded(np.zeros(2000, np.float32), 6.0).any()
    assert heard(speech, dataclasses.replace(FINE, bits=5.0), _rng()).shape == speech.shape


def test_hardness_makes_rooms_worse() -> None:
    def rooms(hardness: float) -> dict[str, float]:
        drawn = [Room.draw(rng, hardness) for rng in [_rng(5)] for _ in range(200)]
        return {
            name: float(np.mean([getattr(r, name) for r in drawn]))
            for name in ("snr_db", "reverberation_s", "high_hz", "bits", "direct_db", "clip_at")
        }

    easy, usual, hard = (rooms(h) for h in (0.0, 1.0, 2.0))
    for name in ("snr_db", "high_hz", "direct_db", "clip_at"):
        assert easy[name] > usual[name] > hard[name]
    assert easy["bits"] > usual["bits"] >= hard["bits"] - 0.5
    assert easy["reverberation_s"] < usual["reverberation_s"] < hard["reverberation_s"]
    assert easy["snr_db"] > 35
