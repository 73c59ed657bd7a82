"""What newcomers are enrolled on: fitted on strangers alone, and honest about its thresholds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from visavox import bundle
from visavox.decision import Newcomers as Enrolled
from visavox.decision import decide
from visavox.discriminator import newcomers
from visavox.errors import BundleError, ConfigError, NotEnoughData
from visavox.table import Column, EmbeddingTable, Scores
from visavox.training.base import Made, Newcomers, fit_base
from visavox.training.fit import DiscriminatorSettings
from visavox.types import Embedding, Embeddings, Modality, Outcome

FAST = DiscriminatorSettings(least_people=8, folds=2)
HOW = Newcomers(members=6)
SEEN = Embeddings(
    Embedding(np.zeros(1, np.float32), {}), Embedding(np.zeros(1, np.float32), {})
)  # `decide` asks only whether there is evidence


def crowd(count: int, captures: int, *, seed: int, noise: float = 0.5) -> EmbeddingTable:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(count), captures)
    columns = []
    for width in (4, 3):
        x = rng.standard_normal((count, 16))[owner]
        x = x + noise * rng.standard_normal((len(owner), 16))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        columns.append(
            Column(
                x.astype(np.float32),
                np.ones(len(owner), np.bool_),
                rng.uniform(size=(len(owner), width)).astype(np.float32),
                ("",) * len(owner),
            )
        )
    return EmbeddingTable(tuple(f"c{i}" for i in range(len(owner))), *columns)


def names(count: int, captures: int) -> list[str]:
    return [f"p{i:03d}" for i in range(count) for _ in range(captures)]


@pytest.fixture(scope="module")
def made() -> Made:
    return fit_base(crowd(120, 4, seed=1), names(120, 4), FAST, HOW, seed=1)


def one(table: EmbeddingTable, row: int) -> EmbeddingTable:
    return table.take(np.array([row], np.intp))


def outcomes(made: Made, table: EmbeddingTable, members: dict[str, EmbeddingTable]) -> list[str]:
    """The member granted for each row, or the outcome."""
    policy = made.fitted.policy
    newcomer = newcomers.enrol(made.fitted.discriminator, members)
    scores = newcomer.score(table)
    found = []
    for row in range(len(table)):
        mine = Scores(
            scores.members, *(m[row : row + 1] for m in (scores.face, scores.voice, scores.fused))
        )
        answer = decide(
            SEEN, mine, policy, risk="normal", newcomers=Enrolled(frozenset(members), policy)
        )
        found.append(answer.member or answer.outcome.value)
    return found


def test_newcomers_are_granted_and_strangers_are_not(made: Made) -> None:
    people = crowd(60, 5, seed=7)
    enrolled = {f"m{i}": people.take(np.arange(5 * i, 5 * i + 3)) for i in range(6)}
    own = people.take(np.array([5 * i + 4 for i in range(6)]))
    answers = outcomes(made, own, enrolled)
    assert sum(a == f"m{i}" for i, a in enumerate(answers)) >= 5
    strangers = people.take(np.arange(30, 300))
    assert set(outcomes(made, strangers, enrolled)) == {Outcome.REFUSED.value}


def test_more_is_asked_of_newcomers_than_of_trained_members(made: Made) -> None:
    policy = made.fitted.policy
    assert set(policy.provisional) == set(policy.levels) == {"low", "normal", "high"}
    for risk, level in policy.levels.items():
        stricter = policy.level(risk, provisional=True)
        assert stricter.fpir == pytest.approx(level.fpir / 10)
        assert stricter.threshold > level.threshold
        assert stricter.margin > level.margin


def test_a_newcomer_moves_nobody_elses_scores(made: Made) -> None:
    people = crowd(4, 3, seed=9)
    first = {"a": people.take(np.arange(0, 3)), "b": people.take(np.arange(3, 6))}
    alone = newcomers.enrol(made.fitted.discriminator, first).score(people)
    more = newcomers.enrol(
        made.fitted.discriminator, first | {"c": people.take(np.arange(6, 9))}
    ).score(people)
    np.testing.assert_allclose(more.fused[:, :2], alone.fused, rtol=1e-12)
    assert more.fused.shape == (12, 3)


def test_a_member_who_gave_no_voice_is_known_by_the_face_alone(made: Made) -> None:
    people = crowd(3, 3, seed=4)
    mute = replace(people.take(np.arange(0, 3)), voice=_absent(people.voice.take(np.arange(0, 3))))
    scores = newcomers.enrol(made.fitted.discriminator, {"a": mute}).score(people)
    assert np.isnan(scores.voice).all()
    assert np.isfinite(scores.fused).all()


def _absent(column: Column) -> Column:
    return Column(
        np.full_like(column.vectors, np.nan),
        np.zeros_like(column.present),
        np.full_like(column.quality, np.nan),
        ("not_captured",) * len(column.present),
    )


def test_it_travels_in_a_bundle_like_any_other(made: Made, tmp_path: Path) -> None:
    path = bundle.write(
        tmp_path,
        fridge="base",
        discriminator=made.fitted.discriminator,
        policy=made.fitted.policy,
        characterizer_digest="c" * 64,
        population="points",
        lineage={},
        reference=made.drift,
    )
    read = bundle.load(path, characterizer_digest="c" * 64)
    assert read.policy == made.fitted.policy
    assert read.discriminator.members == ()
    people = crowd(3, 3, seed=4)
    enrolled = {"a": people.take(np.arange(0, 3))}
    np.testing.assert_array_equal(
        newcomers.enrol(read.discriminator, enrolled).score(people).fused,
        newcomers.enrol(made.fitted.discriminator, enrolled).score(people).fused,
    )


def test_newcomers_cannot_be_enrolled_on_a_trained_fridge(made: Made) -> None:
    people = crowd(3, 3, seed=4)
    trained = newcomers.enrol(made.fitted.discriminator, {"a": people})
    with pytest.raises(BundleError, match="base bundle"):
        newcomers.enrol(trained, {"b": people})


def test_the_same_seed_gives_the_same_base_and_another_seed_another() -> None:
    cohort, people = crowd(60, 3, seed=1), names(60, 3)
    first, again, other = (fit_base(cohort, people, FAST, HOW, seed=s) for s in (1, 1, 2))
    assert first.fitted.policy == again.fitted.policy
    assert first.fitted.policy != other.fitted.policy


def test_a_cohort_too_small_to_play_fridges_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="strangers"):
        fit_base(crowd(30, 3, seed=1), names(30, 3), FAST, Newcomers(members=10), seed=1)


def test_a_family_that_cannot_enrol_newcomers_is_refused() -> None:
    with pytest.raises(ConfigError, match="prototype"):
        fit_base(crowd(30, 3, seed=1), names(30, 3), replace(FAST, family="prototype"), HOW, seed=1)


def test_the_base_tells_what_strangers_reach(made: Made) -> None:
    assert made.drift["scores"]["stranger"]["fused"]["n"] > 0
    assert {m.value for m in Modality} == set(made.drift["quality"])
