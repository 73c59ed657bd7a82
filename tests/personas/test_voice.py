"""Voices: measured back from the sound, they are the people they were made for."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from visavox.errors import ConfigError
from visavox.personas.voice import Day, Session, VoiceIdentity, speak, utter
from visavox.personas.voice_phones import DIGITS, PHONES, VOWELS
from visavox.types import SAMPLE_RATE, Waveform

STILL = Day(wander=0.0)


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _plain(**changes: object) -> VoiceIdentity:
    """The average speaker, without the habits that blur a measurement."""
    drawn = VoiceIdentity.draw(_rng(), register=0.3)
    plain = {
        "formant_factors": (1.0,) * 7,
        "bandwidth_factors": (1.0,) * 7,
        "vowel_habits": ((1.0, 1.0, 1.0),) * len(VOWELS),
        "f0_range_st": 0.5,
        "melody_slope_st": 0.0,
        "melody_final_st": 0.0,
        "creak": 0.0,
        "nasality": 0.0,
        "jitter": 0.003,
        "rate": 1.0,
    }
    return dataclasses.replace(drawn, **{**plain, **changes})  # type: ignore[arg-type]


def _pitch(waveform: Waveform) -> float:
    """Median f0 by autocorrelation over the loud frames."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform, 800)[::400].astype(np.float64)
    energy = np.square(frames).mean(axis=1)
    frames = frames[energy > 0.3 * energy.max()]
    spectra = np.square(np.abs(np.fft.rfft(frames * np.hanning(800), 2048, axis=1)))
    lags = np.fft.irfft(spectra, axis=1)[:, : SAMPLE_RATE // 60]
    lags /= np.fft.irfft(np.square(np.abs(np.fft.rfft(np.hanning(800), 2048))))[: lags.shape[1]]
    shortest = SAMPLE_RATE // 400
    return float(np.median(SAMPLE_RATE / (shortest + lags[:, shortest:].argmax(axis=1))))


def _formants(waveform: Waveform, order: int = 20) -> NDArray[np.float64]:
    """Resonances of the loudest 60 ms by linear prediction, lowest first."""
    power = np.convolve(np.square(waveform), np.ones(960), "same")
    middle = int(power.argmax())
    frame = waveform[middle - 480 : middle + 480].astype(np.float64)
    frame = np.append(frame[0], frame[1:] - 0.95 * frame[:-1]) * np.hanning(960)
    lags = np.correlate(frame, frame, "full")[959 : 959 + order + 1]
    table = lags[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    predictor = np.linalg.solve(table + 1e-6 * lags[0] * np.eye(order), lags[1:])
    roots = np.roots(np.append(1.0, -predictor))
    roots = roots[(roots.imag > 0) & (np.abs(roots) > 0.85)]
    return np.sort(np.angle(roots)) * SAMPLE_RATE / (2 * np.pi)


def _level_db(waveform: Waveform) -> float:
    loud = np.abs(waveform) > 1e-3
    return float(10 * np.log10(np.mean(np.square(waveform[loud], dtype=np.float64))))


def test_the_same_seed_says_the_same_and_another_seed_does_not() -> None:
    who = VoiceIdentity.draw(_rng(1))
    first, again, other = (speak(who, "4071", _rng(s)) for s in (2, 2, 3))
    assert np.array_equal(first.waveform, again.waveform)
    assert np.array_equal(first.mouth_opening, again.mouth_opening)
    assert not np.array_equal(first.waveform, other.waveform)
    assert VoiceIdentity.draw(_rng(1)) == who != VoiceIdentity.draw(_rng(2))


@settings(max_examples=12, deadline=None)
@given(
    digits=st.text("0123456789", min_size=1, max_size=7),
    seconds=st.floats(1.2, 4.0),
    hardness=st.floats(0.0, 2.0),
    seed=st.integers(0, 2**32),
)
def test_speech_is_exactly_as_long_as_asked_finite_and_within_full_scale(
    digits: str, seconds: float, hardness: float, seed: int
) -> None:
    who = VoiceIdentity.draw(_rng(seed))
    said = speak(who, digits, _rng(seed), seconds=seconds, hardness=hardness)
    assert said.digits == digits
    assert said.waveform.dtype == np.float32
    assert said.waveform.shape == (round(seconds * SAMPLE_RATE),)
    assert np.isfinite(said.waveform).all()
    assert np.abs(said.waveform).max() <= 1.0
    assert said.mouth_opening.min() >= 0.0
    assert said.mouth_opening.max() <= 1.0
    assert abs(len(said.mouth_opening) / said.opening_rate - seconds) < 0.01


@pytest.mark.parametrize("f0", [85.0, 120.0, 190.0, 260.0])
def test_the_pitch_that_is_heard_is_the_identity_s(f0: float) -> None:
    said = utter(_plain(f0_hz=f0), "1997", _rng(), day=STILL)
    assert _pitch(said.waveform) == pytest.approx(f0, rel=0.06)


def test_a_day_moves_the_pitch_by_its_semitones() -> None:
    heard = [
        _pitch(utter(_plain(f0_hz=130.0), "1997", _rng(), day=Day(pitch_st=s, wander=0)).waveform)
        for s in (-3.0, 3.0)
    ]
    assert 12 * np.log2(heard[1] / heard[0]) == pytest.approx(6.0, abs=0.8)


def test_a_short_tract_moves_all_formants_up_in_proportion() -> None:
    # A low voice has close harmonics, so that its formants can be read.
    long, short = (
        _formants(utter(_plain(f0_hz=80.0, tract_cm=cm), "4", _rng(), day=STILL).waveform)
        for cm in (17.5, 15.0)
    )
    assert long[0] == pytest.approx(570, rel=0.15)
    ratio = np.median(np.log(short[1:5] / long[1:5]))
    assert np.exp(ratio) == pytest.approx(17.5 / 15.0, rel=0.05)


def test_each_vowel_has_formants_of_its_own() -> None:
    open_vowel, close_vowel = (
        _formants(utter(_plain(f0_hz=80.0, tract_cm=17.5), d, _rng(), day=STILL).waveform)
        for d in ("5", "3")
    )
    assert open_vowel[0] > 1.5 * close_vowel[0]
    assert any(abs(close_vowel - 2250) < 250)


def test_voices_are_about_equally_loud_and_effort_is_heard() -> None:
    who = [VoiceIdentity.draw(_rng(s)) for s in range(8)]
    levels = [_level_db(utter(w, "4071", _rng(s)).waveform) for s, w in enumerate(who)]
    assert min(levels) > -32
    assert max(levels) < -16
    soft, loud = (
        _level_db(utter(who[0], "4071", _rng(), day=Day(effort=e, wander=0)).waveform)
        for e in (-1.0, 1.0)
    )
    assert loud - soft > 6


def test_the_mouth_is_open_when_the_voice_is_loud_and_shut_in_silence() -> None:
    said = utter(VoiceIdentity.draw(_rng(4)), "1594", _rng(5))
    rows = said.waveform.reshape(len(said.mouth_opening), -1)
    loud = np.sqrt(np.square(rows).mean(axis=1))
    assert np.corrcoef(loud, said.mouth_opening)[0, 1] > 0.6
    assert said.mouth_opening[loud < 1e-4].mean() < 0.1
    assert said.mouth_opening.max() > 0.6
    assert said.opening_at(-1.0) == said.opening_at(99.0) == 0.0
    at = int(said.mouth_opening.argmax())
    assert said.opening_at((at + 0.5) / said.opening_rate) == said.mouth_opening[at]


def test_hissing_digits_hiss_and_humming_ones_do_not() -> None:
    def share_above(digits: str) -> float:
        power = np.square(np.abs(np.fft.rfft(utter(_plain(), digits, _rng(), day=STILL).waveform)))
        return float(power[len(power) // 2 :].sum() / power.sum())

    assert share_above("6") > 5 * share_above("9")


def test_every_digit_is_made_of_known_phones_and_differs_from_the_others() -> None:
    assert set(DIGITS) == set("0123456789")
    assert {p for said in DIGITS.values() for p in said} <= set(PHONES)
    assert len(set(DIGITS.values())) == 10
    assert {p.vowel for p in PHONES.values()} - {""} == set(VOWELS)


def _traits(people: list[VoiceIdentity]) -> NDArray[np.float64]:
    """Traits as rows, each column of unit spread."""
    rows = np.array(
        [
            np.concatenate([np.ravel(getattr(p, f.name)) for f in dataclasses.fields(p)])
            for p in people
        ]
    )
    return np.asarray((rows - rows.mean(axis=0)) / rows.std(axis=0))


def test_relatives_are_closer_than_strangers_and_as_varied() -> None:
    rng = _rng(7)
    parents = [VoiceIdentity.draw(rng, register=0.3) for _ in range(60)]
    strangers = [VoiceIdentity.draw(rng, register=0.3) for _ in range(60)]
    kin = [
        VoiceIdentity.blend(p, s, 0.6, rng) for p, s in zip(parents, strangers[::-1], strict=True)
    ]
    table = _traits(parents + strangers + kin)
    old, new, child = table[:60], table[60:120], table[120:]
    near = np.linalg.norm(old - child, axis=1)
    far = np.linalg.norm(old - new, axis=1)
    assert near.mean() < 0.8 * far.mean()
    assert near.min() > 0.2 * far.mean()  # relatives, not copies
    assert child.std() > 0.85 * new.std()


def test_a_blend_of_full_share_is_the_person_and_of_none_the_other() -> None:
    a, b = VoiceIdentity.draw(_rng(1)), VoiceIdentity.draw(_rng(2))
    for share, whole in ((1.0, a), (0.0, b)):
        assert VoiceIdentity.blend(a, b, share, _rng(3)) == whole


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), share=st.floats(0.0, 1.0))
def test_every_blend_can_speak(seed: int, share: float) -> None:
    rng = _rng(seed)
    child = VoiceIdentity.blend(VoiceIdentity.draw(rng), VoiceIdentity.draw(rng), share, rng)
    assert np.isfinite(utter(child, "8", rng, seconds=0.6).waveform).all()
    assert hash(child) is not None


def test_the_population_has_human_pitches_and_tracts_in_every_slice() -> None:
    people = [VoiceIdentity.draw(rng) for rng in [_rng(11)] for _ in range(300)]
    pitch = np.array([p.f0_hz for p in people])
    tract = np.array([p.tract_cm for p in people])
    assert pitch.min() > 65
    assert pitch.max() < 325
    assert 13 <= tract.min() < 15
    assert 17 < tract.max() <= 19.5
    assert np.corrcoef(pitch, tract)[0, 1] < -0.5
    counts = {s: sum(p.pitch == s for p in people) for s in ("low", "middle", "high")}
    assert min(counts.values()) > 20
    assert sum(counts.values()) == 300


def test_hardness_widens_what_one_person_does() -> None:
    def spread(hardness: float) -> float:
        days = [Day.draw(rng, hardness) for rng in [_rng(3)] for _ in range(200)]
        return float(np.std([d.pitch_st for d in days]) + np.std([d.effort for d in days]))

    easy, usual, hard = (spread(h) for h in (0.0, 1.0, 2.0))
    assert easy == 0.0
    assert usual > 0.8
    assert hard > 1.5 * usual

    who = VoiceIdentity.draw(_rng(5))

    def wander(hardness: float) -> float:
        pitches = [
            _pitch(utter(who, "91", _rng(s), day=Day(wander=hardness)).waveform) for s in range(6)
        ]
        return float(np.std(pitches))

    assert wander(3.0) > 1.5 * wander(0.0)


def test_captures_of_one_session_share_the_day_and_the_room() -> None:
    who = VoiceIdentity.draw(_rng(1))
    session = Session.draw(_rng(2), hardness=1.0)
    pitches = [_pitch(utter(who, "917", _rng(s), day=session.day).waveform) for s in range(4)]
    others = [
        _pitch(utter(who, "917", _rng(s), day=Session.draw(_rng(s), 1.5).day).waveform)
        for s in range(4, 10)
    ]
    assert np.std(pitches) < np.std(others)


@pytest.mark.parametrize("digits", ["", "12a", "１２", " 1"])
def test_anything_but_digits_is_refused_with_a_next_step(digits: str) -> None:
    with pytest.raises(ConfigError, match="such as '4071'"):
        speak(VoiceIdentity.draw(_rng()), digits, _rng())


def test_more_digits_than_fit_are_refused_and_as_many_as_fit_are_said() -> None:
    who = VoiceIdentity.draw(_rng())
    with pytest.raises(ConfigError, match=r"cannot be said in 1 s.*fewer"):
        speak(who, "0123456789", _rng(), seconds=1.0)
    said = utter(who, "0123456789", _rng(), seconds=2.0)
    assert np.abs(said.waveform[-240:]).max() < 0.01  # and the last one is not cut off
    assert np.abs(said.waveform[:240]).max() < 0.01


def test_pairs_of_people_sound_different_by_more_than_one_person_does() -> None:
    """Long-term spectra: the coarsest thing a net could tell people by."""

    def spectrum(who: VoiceIdentity, seed: int) -> NDArray[np.float64]:
        waveform = utter(who, "59143", _rng(seed)).waveform
        power = np.square(np.abs(np.fft.rfft(waveform)))[: 160 * 150].reshape(160, -1)
        logs = np.log(power.mean(axis=1) + 1e-9)
        return np.asarray(logs - logs.mean())

    people = [VoiceIdentity.draw(_rng(s)) for s in range(6)]
    first = [spectrum(p, 100 + i) for i, p in enumerate(people)]
    second = [spectrum(p, 200 + i) for i, p in enumerate(people)]
    own = np.mean([np.linalg.norm(a - b) for a, b in zip(first, second, strict=True)])
    cross = np.mean([np.linalg.norm(a - b) for a, b in itertools.combinations(first, 2)])
    assert cross > 1.3 * own
