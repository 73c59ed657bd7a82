"""Templates and their cohort statistics, against a slow reading of their definition."""

import numpy as np
import pytest

from visavox.training import fit_prototype
from visavox.training.fit_prototype import PrototypeModel
from visavox.training.fit_settings import PrototypeSettings


def test_templates_know_their_closest_cohort_captures() -> None:
    rng = np.random.default_rng(0)
    cohort, owner = rng.normal(size=(30, 6)), np.repeat(np.arange(10), 3)
    model = PrototypeModel.train(cohort, owner, PrototypeSettings(top=5, cohort=7))
    members = rng.normal(size=(4, 6))
    scorer = model.enrol(members, np.array([0, 0, 2, 2]), 3, seed=0)

    assert scorer.cohort.shape == (6, 7)
    centre = cohort.mean(axis=0)
    template = sum((x - centre) / np.linalg.norm(x - centre) for x in members[:2])
    template = template / np.linalg.norm(template)
    cosines = sorted(float(template @ (c - centre) / np.linalg.norm(c - centre)) for c in cohort)[
        -5:
    ]
    np.testing.assert_allclose(scorer.templates[:, 0], template)
    np.testing.assert_allclose(scorer.mean[0], np.mean(cosines))
    np.testing.assert_allclose(scorer.spread[0], np.std(cosines))


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    model = PrototypeModel.train(
        rng.normal(size=(30, 6)), np.repeat(np.arange(10), 3), PrototypeSettings(top=5)
    )
    members, owner = rng.normal(size=(9, 6)), np.arange(9)
    whole = model.enrol(members, owner, 9, seed=0)
    monkeypatch.setattr(fit_prototype, "_BATCH", 2)
    parts = model.enrol(members, owner, 9, seed=0)
    np.testing.assert_allclose(whole.mean, parts.mean)
    np.testing.assert_allclose(whole.spread, parts.spread)
