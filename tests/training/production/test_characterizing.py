"""Nets that tell people apart worse are refused; equal ones are not."""

from dataclasses import replace

import numpy as np

from tests.training.production.conftest import Bench
from visavox.table import Column, EmbeddingTable
from visavox.training.production.backgrounds import Cohort
from visavox.training.production.characterizing import WORSE, compared


def blurred(cohort: Cohort, by: float) -> Cohort:
    """As nets would see them that let much of everybody's vectors be chance."""
    rng = np.random.default_rng(1)

    def column(c: Column) -> Column:
        vectors = c.vectors + rng.normal(0, by, c.vectors.shape).astype(np.float32)
        vectors[c.present] /= np.linalg.norm(vectors[c.present], axis=1, keepdims=True)
        return replace(c, vectors=vectors.astype(np.float32))

    table = cohort.table
    return replace(
        cohort, table=EmbeddingTable(table.captures, column(table.face), column(table.voice))
    )


def test_nets_that_see_the_same_are_no_worse(bench: Bench) -> None:
    for one in compared(bench.rest, bench.rest, bench.recipe, replicates=20).values():
        assert one["before"] == one["after"]
        assert one["low"] == one["worse"] == one["high"] == 0.0


def test_nets_that_see_less_are_found_out(bench: Bench) -> None:
    found = compared(bench.rest, blurred(bench.rest, 0.2), bench.recipe, replicates=20)
    assert all(one["high"] > WORSE for one in found.values())
    assert all(one["low"] <= one["worse"] <= one["high"] for one in found.values())
    back = compared(blurred(bench.rest, 0.2), bench.rest, bench.recipe, replicates=20)
    assert all(one["high"] < 0 for one in back.values())
