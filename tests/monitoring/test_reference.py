"""References of bundles of all ages."""

import json

import numpy as np
import pytest

from tests import cohort
from visavox.characterizer import Characterizer
from visavox.errors import BundleError
from visavox.monitoring import features
from visavox.monitoring.reference import read
from visavox.training.reference import reference
from visavox.types import Modality


@pytest.fixture(scope="module")
def made(embedded: Characterizer, base_bundle: object) -> dict[str, object]:
    from visavox.config import validated
    from visavox.training.fit import DiscriminatorSettings, fit

    table, people, sessions = cohort.read(embedded)
    known = np.array([i for i, p in enumerate(people) if p in set(people[:30])])
    others = np.setdiff1d(np.arange(len(people)), known)
    settings = validated(DiscriminatorSettings, {"folds": 2})
    owners = [people[i] for i in known]
    fitted = fit(
        table.take(known), owners, table.take(others), [people[i] for i in others], settings,
        seed=1, cohort_sessions=[sessions[i] for i in others],
    )  # fmt: skip
    d = fitted.discriminator
    visits = [f"{people[i]}/{sessions[i]}" for i in known]
    return reference(d, d, table.take(known), owners, table.take(others), table.take(known), visits)


def test_a_reference_has_every_feature_that_is_watched(made: dict[str, object]) -> None:
    found = read(json.loads(json.dumps(made, allow_nan=False)))
    assert set(found.features) == set(features.FEATURES)
    assert set(found.centres) == set(Modality)
    assert found.features["face.brightness"].n > found.features[features.SCORE].n >= 8


def test_an_older_reference_still_tells_of_quality(made: dict[str, object]) -> None:
    older = {key: value for key, value in made.items() if key != "drift"}
    found = read(older)
    assert set(found.features) == {
        f"{m.value}.{name}" for m in Modality for name in features.MEASURES[m]
    }
    assert found.centres == {}
    assert not read({})


@pytest.mark.parametrize(
    "said",
    [
        {"drift": 3},
        {"drift": {"features": {"x": {"edges": [1.0], "counts": [1]}}, "centres": {}}},
        {"drift": {"features": {}, "centres": {"smell": [1.0]}}},
        {"quality": {"face": {"size": {"edges": ["wide"], "counts": [1, 2]}}}},
    ],
)
def test_what_is_no_reference_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(BundleError):
        read(said)


def test_norms_are_distances_from_where_strangers_lie(embedded: Characterizer) -> None:
    table, _, _ = cohort.read(embedded)
    around = features.centres(table)
    norms = features.of_captures(table, around)["face.norm"]
    known = norms[np.isfinite(norms)]
    # Of unit vectors: their distance is below one where they lie to one side.
    assert 0.3 < known.mean() < 1.0
    assert known.std() > 0
