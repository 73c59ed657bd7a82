"""Training of PLDA against distributions whose covariances are known."""

import numpy as np
import pytest

from visavox.training.fit_plda import PldaModel, discriminants, person_means, shrunk
from visavox.training.fit_settings import PldaSettings


def drawn(people: int, captures: int, between: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(people), captures)
    y = rng.standard_normal((people, len(between))) * np.sqrt(between)
    return y[owner] + rng.standard_normal((len(owner), len(between))), owner


def test_known_covariances_are_found_in_any_basis() -> None:
    between = np.array([9.0, 4.0, 1.0, 0.0])
    x, owner = drawn(2000, 6, between, 0)
    mixing = np.random.default_rng(1).normal(size=(4, 4))
    basis, found = discriminants(x @ mixing, owner, 3, shrinkage=0.0)
    np.testing.assert_allclose(found, between[:3], rtol=0.12, atol=0.05)
    z = x @ mixing @ basis
    within = z - person_means(z, owner, 2000)[owner]
    np.testing.assert_allclose(within.T @ within / (5 * 2000), np.eye(3), atol=0.05)


def test_people_with_different_numbers_of_captures_are_weighed_rightly() -> None:
    x, owner = drawn(3000, 6, np.array([4.0, 1.0]), 2)
    some = np.random.default_rng(3).uniform(size=len(x)) < 0.5
    _, found = discriminants(x[some], owner[some], 2, shrinkage=0.0)
    np.testing.assert_allclose(found, [4.0, 1.0], rtol=0.12)


def test_directions_that_tell_nobody_apart_are_dropped() -> None:
    x, owner = drawn(40, 4, np.array([5.0] + [0.0] * 9), 4)
    basis, found = discriminants(x, owner, 10, shrinkage=0.2)
    assert basis.shape[1] == len(found) < 10
    assert (found > 0).all()
    assert (np.diff(found) <= 0).all()


def test_shrinkage_pulls_towards_a_sphere_of_the_same_size() -> None:
    x = np.random.default_rng(5).normal(size=(60, 20)) * np.linspace(0.5, 2, 20)
    plain = x.T @ x / 30
    sphere = np.trace(plain) / 20 * np.eye(20)
    np.testing.assert_allclose(shrunk(x, 30, 0.0), plain)
    np.testing.assert_allclose(shrunk(x, 30, 1.0), sphere, atol=1e-12)
    np.testing.assert_allclose(shrunk(x, 30, 0.25), 0.75 * plain + 0.25 * sphere)


def test_fewer_people_than_dimensions_are_no_obstacle() -> None:
    x, owner = drawn(15, 3, np.full(64, 0.5), 6)
    model = PldaModel.train(x, owner, PldaSettings(), shrinkage=0.3, most=5)
    assert np.isfinite(model.enrol(x[:3], owner[:3], 1, seed=0).raw(x[3:9])).all()


def test_means_are_per_person_and_zero_for_those_without_rows() -> None:
    x = np.arange(12.0).reshape(6, 2)
    owner = np.array([3, 1, 3, 1, 1, 0])
    means = person_means(x, owner, 5)
    for person in range(5):
        mine = x[owner == person]
        expected = mine.mean(axis=0) if len(mine) else np.zeros(2)
        np.testing.assert_allclose(means[person], expected)
    assert person_means(x[:0], owner[:0], 2).shape == (2, 2)


@pytest.mark.parametrize("captures", [2, 6])
def test_genuine_probes_outscore_strangers(captures: int) -> None:
    x, owner = drawn(120, captures + 1, np.full(20, 2.0), 7)
    first = np.arange(len(x)) % (captures + 1) == 0
    trained = owner < 80
    model = PldaModel.train(x[trained], owner[trained], PldaSettings(), shrinkage=0.3, most=5)
    mine = ~trained & ~first
    scorer = model.enrol(x[mine], owner[mine] - 80, 40, seed=0)
    raw = scorer.raw(x[~trained & first])
    assert (raw.argmax(axis=1) == np.arange(40)).mean() > 0.9
