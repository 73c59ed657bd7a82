"""Canaries tell the bundle that is served from any other."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.production.conftest import Bench
from visavox.errors import DataError
from visavox.table import EmbeddingTable, Scores
from visavox.training.production.fridge_canaries import Canaries
from visavox.training.production.fridge_fit import Candidate, train


@pytest.fixture(scope="module")
def made(bench: Bench) -> Candidate:
    return train(bench.grounds["plda"], bench.enrolled, bench.recipe, {})


def test_a_few_of_the_held_out_members_and_of_the_strangers(made: Candidate, bench: Bench) -> None:
    canaries = made.canaries
    assert len(canaries.table) == bench.recipe.canaries.members + bench.recipe.canaries.strangers
    held = {bench.enrolled.table.captures[i] for i in made.split.held}
    for capture, person in zip(canaries.table.captures, canaries.people, strict=True):
        assert (capture in held) == bool(person)
    assert bench.enrolled.members[-1] in canaries.people  # the newest member among them
    best = np.nanargmax(canaries.scores.fused[:5], axis=1)
    assert [canaries.scores.members[i] for i in best] == list(canaries.people[:5])


def test_they_survive_being_sealed_to_the_last_bit(made: Candidate) -> None:
    again = Canaries.unpack(made.canaries.pack())
    assert (again.digest, again.people) == (made.parcel.digest, made.canaries.people)
    assert again.pack() == made.canaries.pack()


def test_the_bundle_that_was_trained_answers_exactly_so(made: Candidate, bench: Bench) -> None:
    served = made.parcel.bundle(bench.rest.characterizer).discriminator
    assert made.canaries.wrong(served.score) == ()


def test_the_smallest_difference_is_noticed(made: Candidate, bench: Bench) -> None:
    served = made.parcel.bundle(bench.rest.characterizer).discriminator
    first = made.canaries.table.captures[0]

    def off(table: EmbeddingTable) -> Scores:
        scores = served.score(table)
        if table.captures[0] != first:
            return scores
        fused = scores.fused.copy()
        fused[0, 3] = np.nextafter(fused[0, 3], np.inf)
        return replace(scores, fused=fused)

    assert made.canaries.wrong(off) == (first,)


def test_another_family_and_another_fridges_model_are_noticed(
    made: Candidate, bench: Bench
) -> None:
    other = train(bench.grounds["prototype"], bench.enrolled, bench.recipe, {})
    served = other.parcel.bundle(bench.rest.characterizer).discriminator
    assert made.canaries.wrong(served.score) == made.canaries.table.captures
    renamed = replace(served, members=tuple(f"x{m}" for m in served.members))
    assert made.canaries.wrong(renamed.score) == made.canaries.table.captures


@pytest.mark.parametrize("packed", [b"", b"{}\n", b'{"format": 9}\n', b"\xff\n"])
def test_what_are_no_canaries_is_said(packed: bytes) -> None:
    with pytest.raises(DataError, match="no canaries"):
        Canaries.unpack(packed)
