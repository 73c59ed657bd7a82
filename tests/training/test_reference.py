"""The zero that drift is measured from."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from visavox.training.reference import BINS, histogram


def test_bins_hold_equal_shares_of_what_they_were_made_of() -> None:
    made = histogram(np.random.default_rng(0).standard_normal(5000))
    assert made["n"] == 5000
    assert made["counts"] == [500] * BINS
    assert abs(made["mean"]) < 0.1
    assert abs(made["sd"] - 1) < 0.1


@given(
    hnp.arrays(
        np.float64,
        st.integers(0, 60),
        elements=st.floats(-1e6, 1e6) | st.just(np.nan) | st.just(-np.inf),
    )
)
def test_every_finite_value_is_counted_once_and_the_rest_is_not(values: np.ndarray) -> None:
    made = histogram(values)
    assert made["n"] == sum(made["counts"]) == np.isfinite(values).sum()
    assert len(made["counts"]) == len(made["edges"]) + 1
    assert made["edges"] == sorted(set(made["edges"]))
    json.dumps(made, allow_nan=False)


def test_one_value_many_times_has_one_edge() -> None:
    made = histogram(np.full(7, 2.5))
    assert (made["edges"], made["counts"]) == ([2.5], [0, 7])
