"""What labels say of the answers, and how sure."""

import pytest

from visavox.monitoring.accuracy import Labelled, Rate, measured, wilson


def test_errors_are_counted_by_kind() -> None:
    found = measured(
        [
            Labelled("ada", "ada"),
            Labelled("bob", "ada"),
            Labelled(None, "ada"),
            Labelled(None, None),
            Labelled("ada", None),
        ]
    )
    assert (found.missed, found.mistaken, found.let_in) == (Rate(2, 3), Rate(1, 3), Rate(1, 2))


def test_without_labels_everything_is_possible() -> None:
    found = measured([]).missed
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)


@pytest.mark.parametrize(("errors", "trials"), [(0, 10), (3, 10), (10, 10), (1, 1000)])
def test_the_interval_is_scipys(errors: int, trials: int) -> None:
    from scipy.stats import binomtest

    known = binomtest(errors, trials).proportion_ci(0.99, method="wilson")
    assert wilson(errors, trials) == pytest.approx((known.low, known.high), abs=1e-12)
