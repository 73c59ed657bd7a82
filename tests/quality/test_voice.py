"""Speech is let through; silence, noise, hum and shouting are told apart; gain does not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from visavox.personas.person import POPULATIONS, person, voice_of
from visavox.quality import NEXT_STEPS, QualityLimits, assess_voice
from visavox.types import (
    SAMPLE_RATE,
    VOICE_QUALITY,
    Modality,
    Reason,
    Rejected,
    VoiceEvidence,
    Waveform,
)

USUAL = QualityLimits()
LENGTH = 3 * SAMPLE_RATE
TIMES = np.arange(LENGTH) / SAMPLE_RATE


def evidence(waveform: Waveform, limits: QualityLimits = USUAL) -> VoiceEvidence:
    verdict = assess_voice(waveform, limits)
    assert isinstance(verdict, VoiceEvidence), verdict
    return verdict


def reason(waveform: Waveform, limits: QualityLimits = USUAL) -> Reason:
    verdict = assess_voice(waveform, limits)
    assert isinstance(verdict, Rejected)
    assert verdict.modality is Modality.VOICE
    assert verdict.next_step == NEXT_STEPS[verdict.reason]
    assert set(VOICE_QUALITY) <= set(verdict.measured)
    return verdict.reason


def white(level: float = 0.05, length: int = LENGTH) -> Waveform:
    return (np.random.default_rng(0).standard_normal(length) * level).astype(np.float32)


def coloured(slope: float) -> Waveform:
    spectrum = np.fft.rfft(white(1.0))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (slope / 2)
    noise = np.fft.irfft(spectrum)
    half: Waveform = (noise / np.abs(noise).max() * 0.5).astype(np.float32)
    return half


def hum(hertz: float) -> Waveform:
    overtones = np.arange(1, 8)[:, None]
    waves = (np.sin(2 * np.pi * hertz * overtones * TIMES) / overtones).sum(axis=0)
    return np.asarray(0.1 * waves, np.float32) + white(0.001)


def on_and_off(sound: Waveform) -> Waveform:
    return (sound * (np.sin(2 * np.pi * 2 * TIMES) > 0)).astype(np.float32) + white(0.001)


def whistle(hertz: float) -> Waveform:
    return (0.3 * np.sin(2 * np.pi * hertz * TIMES)).astype(np.float32)


def test_speech_is_let_through_with_its_measures(speech: Waveform) -> None:
    heard = evidence(speech)
    assert set(heard.quality) == set(VOICE_QUALITY)
    assert 1.0 < heard.quality["speech_s"] <= 3.0
    assert heard.quality["snr_db"] > 20
    assert -40 < heard.quality["level_db"] < 0
    assert heard.waveform.dtype == np.float32
    assert heard.waveform.flags.c_contiguous


def test_silence_around_the_speech_is_removed(speech: Waveform) -> None:
    alone = evidence(speech).waveform
    silence = white(1e-5, 2 * SAMPLE_RATE)
    heard = evidence(np.concatenate([silence, speech, silence])).waveform
    assert len(heard) == pytest.approx(len(alone), abs=0.2 * SAMPLE_RATE)
    assert len(alone) <= len(speech)


@pytest.mark.parametrize(
    "sound",
    [white(), white(0.3), coloured(1.0), coloured(2.0), hum(50.0), hum(120.0)],
    ids=["white", "loud", "pink", "brown", "hum", "buzz"],
)
def test_steady_noise_is_no_speech(sound: Waveform) -> None:
    assert reason(sound) is Reason.TOO_LITTLE_SPEECH


@pytest.mark.parametrize(
    "sound",
    [white(), whistle(300.0), whistle(440.0), whistle(1_000.0)],
    ids=["bursts", "low beep", "beep", "high beep"],
)
def test_bursts_and_beeps_are_no_speech(sound: Waveform) -> None:
    assert reason(on_and_off(sound)) is Reason.TOO_LITTLE_SPEECH


@pytest.mark.parametrize("sound", [np.zeros(LENGTH, np.float32), white(1e-4)])
def test_silence_is_too_quiet(sound: Waveform) -> None:
    assert reason(sound) is Reason.TOO_QUIET


def test_a_whisper_from_afar_is_too_quiet(speech: Waveform) -> None:
    assert reason(speech * np.float32(0.005)) is Reason.TOO_QUIET


def test_shouting_is_clipped(speech: Waveform) -> None:
    assert reason(np.clip(speech * 30, -1, 1)) is Reason.CLIPPED


def test_one_syllable_is_too_little(speech: Waveform) -> None:
    assert reason(speech, QualityLimits(speech_s=2.9)) is Reason.TOO_LITTLE_SPEECH
    loudest = int(np.abs(speech).argmax())
    word = np.zeros(LENGTH, np.float32)
    word[8_000:10_000] = speech[loudest - 1_000 : loudest + 1_000]
    assert reason(word + white(1e-4)) is Reason.TOO_LITTLE_SPEECH


def test_speech_below_the_noise_is_too_noisy(speech: Waveform) -> None:
    noise = coloured(1.0)
    assert reason(mixed(speech, noise, 12.0), QualityLimits(snr_db=20.0)) is Reason.TOO_NOISY
    assert reason(mixed(speech, noise, -12.0)) in (Reason.TOO_NOISY, Reason.TOO_LITTLE_SPEECH)


def mixed(speech: Waveform, noise: Waveform, snr_db: float) -> Waveform:
    """Speech is active about two thirds of the time: close enough for what is tested."""
    ratio = float(np.sqrt(np.mean(speech**2) / np.mean(noise[: len(speech)] ** 2)))
    both = speech + noise[: len(speech)] * np.float32(ratio * 10 ** (-snr_db / 20))
    return (both * np.float32(0.3 / np.abs(both).max())).astype(np.float32)


def test_the_estimate_follows_the_noise(speech: Waveform) -> None:
    estimates = [
        evidence(mixed(speech, coloured(1.0), snr_db)).quality["snr_db"]
        for snr_db in (3.0, 8.0, 13.0, 18.0)
    ]
    assert np.diff(estimates) == pytest.approx([5.0, 5.0, 5.0], abs=1.5)


@given(gain=st.floats(0.02, 1.9))
@settings(max_examples=15, deadline=None)
def test_gain_changes_the_level_and_nothing_else(speech: Waveform, gain: float) -> None:
    limits = QualityLimits(level_db=-100.0)
    noisy = speech + white(0.003, len(speech))
    one, other = (
        evidence(noisy, limits),
        evidence((noisy * np.float32(gain)).astype(np.float32), limits),
    )
    assert other.quality["snr_db"] == pytest.approx(one.quality["snr_db"], abs=0.2)
    assert other.quality["speech_s"] == pytest.approx(one.quality["speech_s"], abs=0.03)
    louder = other.quality["level_db"] - one.quality["level_db"]
    assert louder == pytest.approx(20 * np.log10(gain), abs=0.1)


def test_a_word_is_handed_on_with_enough_around_it(speech: Waveform) -> None:
    loudest = int(np.abs(speech).argmax())
    word = white(1e-4)
    word[20_000:26_400] += speech[loudest - 3_200 : loudest + 3_200]
    heard = evidence(word, QualityLimits(speech_s=0.1))
    assert len(heard.waveform) >= SAMPLE_RATE // 2


@given(
    waveform=arrays.arrays(
        np.float32, st.integers(1, 1_500), elements=st.floats(-1, 1, width=32), fill=st.just(0.5)
    )
)
@settings(max_examples=40, deadline=None)
def test_any_sound_gets_a_verdict(waveform: Waveform) -> None:
    verdict = assess_voice(waveform)
    measured = verdict.measured if isinstance(verdict, Rejected) else verdict.quality
    assert np.isfinite(list(measured.values())).all()


def test_ordinary_captures_of_personas_pass() -> None:
    """Up to a hardness of 1.5."""
    passed = 0
    for index in range(24):
        spoken = voice_of(person(POPULATIONS["test"], index), 0, 0, hardness=0.5 * (index % 4))
        passed += isinstance(assess_voice(spoken.waveform), VoiceEvidence)
    assert passed >= 23
