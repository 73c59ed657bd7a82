"""Scoring and storing, whatever the family."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from visavox.discriminator import FAMILIES, Discriminator, Expert
from visavox.discriminator.calibration import Calibration
from visavox.discriminator.scorer import Scorer
from visavox.errors import BundleError, DataError
from visavox.table import EmbeddingTable
from visavox.types import Modality

Maker = Callable[..., Discriminator]
Table = Callable[..., EmbeddingTable]
families = pytest.mark.parametrize("family", sorted(FAMILIES))


@families
@pytest.mark.parametrize("members", [0, 1, 5])
def test_stored_and_read_again_it_scores_the_same_to_the_last_bit(
    family: str, members: int, make_discriminator: Maker, make_table: Table
) -> None:
    original = make_discriminator(family, members)
    meta, tensors = original.to_parts()
    again = Discriminator.from_parts(meta, load(save(tensors)))
    table = make_table(6, no_face=(1,), no_voice=(2,))
    for name in ("face", "voice", "fused"):
        mine, other = getattr(original.score(table), name), getattr(again.score(table), name)
        assert mine.shape == (6, members)
        assert mine.tobytes() == other.tobytes()
    assert again.members == original.members
    assert again.family == family


@families
def test_missing_modalities_stay_missing(
    family: str, make_discriminator: Maker, make_table: Table
) -> None:
    scores = make_discriminator(family).score(make_table(4, no_face=(1, 3), no_voice=(2, 3)))
    assert np.isnan(scores.face).all(axis=1).tolist() == [False, True, False, True]
    assert np.isnan(scores.voice).all(axis=1).tolist() == [False, False, True, True]
    assert np.isnan(scores.fused).all(axis=1).tolist() == [False, False, False, True]
    assert np.isnan(scores.fused).any(axis=1).tolist() == [False, False, False, True]


@families
def test_a_member_enrolled_by_voice_alone_is_never_judged_by_face(
    family: str, make_discriminator: Maker, make_table: Table
) -> None:
    made = make_discriminator(family)
    enrolled = np.array([True, True, False, True, True])
    made = replace(made, face=replace(made.face, enrolled=enrolled))
    scores = made.score(make_table(3, no_voice=(1,)))
    assert np.isnan(scores.face[:, 2]).all()
    assert not np.isnan(scores.face[:, enrolled]).any()
    # Heard, or neither heard nor comparable.
    assert np.isnan(scores.fused[:, 2]).tolist() == [False, True, False]


@families
@given(order=st.permutations(range(5)), seed=st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_reordered_members_have_reordered_scores(
    family: str,
    order: list[int],
    seed: int,
    make_discriminator: Maker,
    make_table: Table,
) -> None:
    made = make_discriminator(family, 5, seed)
    moved = Discriminator.from_parts(*_reordered(made, order))
    table = make_table(4, seed, no_face=(1,))
    np.testing.assert_allclose(
        moved.score(table).fused, made.score(table).fused[:, order], rtol=1e-9, atol=1e-9
    )


def _reordered(made: Discriminator, order: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    meta, tensors = made.to_parts()
    per_member = {
        "templates", "mean", "spread", "square", "linear", "constant", "weights", "bias",
        "output", "output_bias", "calibration.slope", "calibration.offset", "enrolled",
    }  # fmt: skip
    moved = {}
    for name, array in tensors.items():
        modality, own = name.split(".", 1)
        # `mean` belongs to the members of prototypes, and to the projection elsewhere.
        mine = own in per_member and array.ndim > 0 and array.shape[-1] == 5
        moved[name] = array[..., order] if mine and modality != "fusion" else array
    return meta | {"members": [made.members[i] for i in order]}, moved


@families
def test_rows_do_not_know_of_each_other(
    family: str, make_discriminator: Maker, make_table: Table
) -> None:
    made, table = make_discriminator(family), make_table(5, no_voice=(3,))
    together = made.score(table).fused
    alone = [made.score(table.take(np.array([i]))).fused[0] for i in range(5)]
    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-9)


def test_a_table_without_rows_has_scores_without_rows(
    make_discriminator: Maker, make_table: Table
) -> None:
    assert make_discriminator().score(make_table(0)).fused.shape == (0, 5)


def test_embeddings_of_another_length_are_refused(
    make_discriminator: Maker, make_table: Table
) -> None:
    table = make_table(2)
    with pytest.raises(DataError, match=r"face embeddings have 10 dimensions.*fitted on 12"):
        make_discriminator().score(replace(table, face=table.voice))


def test_a_vector_that_is_not_finite_is_named_and_refused(
    make_discriminator: Maker, make_table: Table
) -> None:
    table = make_table(4, no_voice=(0,))
    table.voice.vectors[2, 3] = np.nan
    with pytest.raises(DataError, match="voice embedding of capture 'c2' is not finite"):
        make_discriminator().score(table)


def test_two_members_of_one_name_are_refused(make_discriminator: Maker) -> None:
    with pytest.raises(DataError, match="'m1' stands twice"):
        replace(make_discriminator(members=3), members=("m0", "m1", "m1"))


def test_calibration_rises(make_scorer: Callable[..., Scorer], make_table: Table) -> None:
    """Whoever has the higher raw score has the higher LLR."""
    scorer = make_scorer("plda", 1, 12, 0)
    expert = Expert(
        scorer, Calibration(np.array([0.4]), np.array([-2.0])), np.ones(1, dtype=np.bool_)
    )
    table = make_table(30)
    raw = scorer.raw(table.face.vectors)[:, 0]
    llr = expert.llr(table.face, table.captures, Modality.FACE)[:, 0]
    assert (np.argsort(raw) == np.argsort(llr)).all()
    np.testing.assert_allclose(llr, 0.4 * raw - 2.0)


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        ({"family": "oracle"}, "family 'oracle'"),
        ({"members": None}, "names no members"),
        ({"members": ["m0", 1]}, "names no members"),
        ({"members": ["a", "a", "b", "c", "d"]}, "a member twice"),
        ({"members": ["a", "b"]}, "2 members and holds weights for 5"),
        ({"face.linear": None}, "lacks the array 'linear'"),
        ({"fusion.weights": None}, "lacks the array 'weights'"),
        ({"voice.constant": np.zeros(2)}, "at odds"),
        ({"voice.constant": np.zeros((5, 1))}, "has 2 axes, not 1"),
        ({"face.shift": np.full(6, np.nan)}, "finite numbers"),
        ({"face.shift": np.zeros(6, np.int64)}, "finite numbers"),
        ({"face.calibration.slope": -np.ones(5)}, "that falls"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    spoiled: dict[str, Any], message: str, make_discriminator: Maker
) -> None:
    meta, tensors = make_discriminator().to_parts()
    for name, value in spoiled.items():
        part: dict[str, Any] = tensors if "." in name else meta
        if value is None:
            del part[name]
        else:
            part[name] = value
    with pytest.raises(BundleError, match=message):
        Discriminator.from_parts(meta, tensors)
