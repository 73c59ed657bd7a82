"""Rates of attacks per species, and what cannot be said without a liveness score."""

import numpy as np
import pytest

from visavox.errors import NotEnoughData
from visavox.training.metrics import attack_rates, bpcer

SPECIES = ["print", "replay", "print", "print", "replay"]


def test_attacks_are_counted_per_species() -> None:
    made = attack_rates(SPECIES, np.array([True, False, False, True, False]))
    assert [(a.species, a.attempts) for a in made] == [("print", 3), ("replay", 2)]
    assert [a.iapar for a in made] == [pytest.approx(2 / 3), 0.0]


def test_without_a_liveness_score_apcer_is_empty_and_says_why() -> None:
    made = attack_rates(["print"], np.array([True]))
    assert made[0].apcer is None
    assert "liveness" in made[0].apcer_missing
    assert bpcer(None) is None


def test_with_a_liveness_score_apcer_and_bpcer_are_filled() -> None:
    live = np.array([True, False, False, False, True])
    made = attack_rates(SPECIES, np.zeros(5, np.bool_), live)
    assert [a.apcer for a in made] == [pytest.approx(1 / 3), 0.5]
    assert {a.apcer_missing for a in made} == {""}
    assert bpcer([True, True, True, False]) == 0.25


def test_no_attacks_give_no_rates() -> None:
    assert attack_rates([], np.empty(0, np.bool_)) == ()


def test_outcomes_that_do_not_match_the_attacks_are_refused() -> None:
    with pytest.raises(NotEnoughData, match="5 species were given for 1"):
        attack_rates(SPECIES, np.array([True]))
    with pytest.raises(NotEnoughData, match="no real captures"):
        bpcer([])
