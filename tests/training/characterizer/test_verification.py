"""Trials of held-out people: counted by hand, and intervals that know how little they know."""

import numpy as np
import pytest

from visavox.errors import NotEnoughData
from visavox.training.characterizer.verification import trials, verify


def people(
    count: int, captures: int, *, spread: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((count, 1, 16))
    vectors = centres + spread * rng.standard_normal((count, captures, 16))
    return vectors.reshape(-1, 16).astype(np.float32), np.repeat(np.arange(count), captures)


def test_each_probe_meets_each_template_once() -> None:
    vectors, labels = people(4, 5, spread=0.3)
    seen = trials(vectors, labels, enrol=3)
    assert seen.scores.shape == (8, 4)
    assert len(seen.mated) == 8
    assert len(seen.foreign) == 24
    template = (vectors[:3] / np.linalg.norm(vectors[:3], axis=1, keepdims=True)).mean(0)
    probe = vectors[3]
    wanted = probe @ template / np.linalg.norm(probe) / np.linalg.norm(template)
    assert seen.scores[0, 0] == pytest.approx(wanted, abs=1e-6)


def test_people_far_apart_give_no_error_yet_no_proof_of_none() -> None:
    found = verify(trials(*people(10, 6, spread=0.01), enrol=3), resamples=20)
    assert found.eer == 0
    assert found.low == 0
    assert found.high > 0.2
    assert (found.people, found.mated, found.foreign) == (10, 30, 270)


def test_the_interval_holds_the_rate_and_narrows_with_more_people() -> None:
    few = verify(trials(*people(12, 8, spread=1.6), enrol=3), resamples=60)
    many = verify(trials(*people(100, 8, spread=1.6), enrol=3), resamples=60)
    assert few.low <= few.eer <= few.high
    assert many.low <= many.eer <= many.high
    assert many.high - many.low < few.high - few.low


def test_too_few_captures_to_enrol_and_probe_is_said() -> None:
    with pytest.raises(NotEnoughData, match="has 3 captures"):
        trials(*people(3, 3, spread=0.1), enrol=3)
