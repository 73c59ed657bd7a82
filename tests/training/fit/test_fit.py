"""A fridge from end to end: every family, and every fridge that is out of the ordinary."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from visavox.config import validated
from visavox.decision import decide
from visavox.errors import ConfigError, DataError, NotEnoughData
from visavox.table import Column, EmbeddingTable, Scores
from visavox.training.fit import (
    Background,
    DiscriminatorSettings,
    Fitted,
    fit,
    fit_members,
    prepare,
)
from visavox.types import Embedding, Embeddings, Modality, Outcome, Reason, Rejected

Crowds = Callable[..., Any]
FAMILIES = ("prototype", "plda", "logistic", "mlp")
families = pytest.mark.parametrize("family", FAMILIES)
CONFIGS = Path(__file__).parents[3] / "configs" / "discriminator"


def settings_of(family: str) -> DiscriminatorSettings:
    small = {"mlp": {"steps": 40, "fridges": 2}, "logistic": {"players": 10, "negatives": 150}}
    return validated(DiscriminatorSettings, {"family": family, **small})


@pytest.fixture(scope="module")
def cohort(make_crowd: Crowds) -> Any:
    return make_crowd(80, 6, seed=1, name="c")


@pytest.fixture(scope="module")
def strangers(make_crowd: Crowds) -> Any:
    return make_crowd(100, 2, seed=2, name="s")


@pytest.fixture(scope="module")
def members(make_crowd: Crowds) -> Any:
    return make_crowd(10, 10, seed=3, name="m")


@pytest.fixture(scope="module")
def backgrounds(cohort: Any) -> dict[str, Background]:
    return {f: prepare(cohort.table, cohort.people, settings_of(f), seed=0) for f in FAMILIES}


@pytest.fixture(scope="module")
def fitted(backgrounds: dict[str, Background], members: Any) -> dict[str, Fitted]:
    enrolled = members.where(lambda i: i % 10 < 5)
    return {
        f: fit_members(b, enrolled.table, enrolled.people, seed=0) for f, b in backgrounds.items()
    }


def cllr(genuine: np.ndarray, foreign: np.ndarray) -> float:
    costs = np.logaddexp(0, -genuine).mean() + np.logaddexp(0, foreign).mean()
    return float(costs / (2 * np.log(2)))


def same(scores: Scores, other: Scores) -> bool:
    return all(
        np.array_equal(getattr(scores, n), getattr(other, n), equal_nan=True)
        for n in ("face", "voice", "fused")
    )


@families
def test_unseen_captures_get_honest_likelihood_ratios(
    family: str, fitted: dict[str, Fitted], members: Any, strangers: Any
) -> None:
    """Better than no information by far, and fused better than either modality."""
    discriminator = fitted[family].discriminator
    probes = members.where(lambda i: i % 10 >= 5)
    own = np.array(probes.people)[:, None] == np.array(discriminator.members)
    genuine, foreign = discriminator.score(probes.table), discriminator.score(strangers.table)
    costs = {
        n: cllr(getattr(genuine, n)[own], getattr(foreign, n).ravel())
        for n in ("face", "voice", "fused")
    }
    assert max(costs.values()) < 0.5
    assert costs["fused"] < 0.12
    assert costs["fused"] < min(costs["face"], costs["voice"])
    assert (genuine.fused.argmax(axis=1) == own.argmax(axis=1)).mean() > 0.95


@families
def test_few_strangers_pass_the_fitted_thresholds(
    family: str, fitted: dict[str, Fitted], strangers: Any
) -> None:
    one = fitted[family]
    best = one.discriminator.score(strangers.table).fused.max(axis=1)
    low, high = one.policy.levels["low"], one.policy.levels["high"]
    assert (best >= low.threshold).mean() <= 0.03
    assert high.threshold > low.threshold
    assert high.face_threshold >= high.threshold
    assert one.policy.members == 10
    assert one.policy.strangers == 40


@families
def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(
    family: str, cohort: Any, members: Any, fitted: dict[str, Fitted]
) -> None:
    enrolled = members.where(lambda i: i % 10 < 5)
    again, other = (
        fit(
            enrolled.table, enrolled.people, cohort.table, cohort.people, settings_of(family),
            seed=seed,
        )
        for seed in (0, 1)
    )  # fmt: skip
    probes = members.table
    assert same(again.discriminator.score(probes), fitted[family].discriminator.score(probes))
    assert again.policy == fitted[family].policy
    assert not same(other.discriminator.score(probes), again.discriminator.score(probes))


@families
def test_an_empty_fridge_refuses_everybody(
    family: str, backgrounds: dict[str, Background], members: Any
) -> None:
    empty = members.take([])
    one = fit_members(backgrounds[family], empty.table, empty.people, seed=0)
    scores = one.discriminator.score(members.table)
    assert scores.fused.shape == (100, 0)
    seen = Embedding(members.table.face.vectors[0], {})
    row = one.discriminator.score(members.table.take(np.array([0])))
    answer = decide(Embeddings(seen, seen), row, one.policy, risk="normal")
    assert answer.outcome is Outcome.REFUSED


@families
def test_a_lone_member_does_not_match_everybody(
    family: str, backgrounds: dict[str, Background], members: Any, strangers: Any
) -> None:
    lone = members.where(lambda i: i < 5)
    one = fit_members(backgrounds[family], lone.table, lone.people, seed=0)
    threshold = one.policy.levels["normal"].threshold
    genuine = one.discriminator.score(members.take(np.arange(5, 10)).table).fused
    foreign = one.discriminator.score(strangers.table).fused
    assert (foreign >= threshold).mean() <= 0.02
    assert genuine.mean() > threshold


@families
def test_members_with_one_capture_are_known_less_surely(
    family: str, backgrounds: dict[str, Background], members: Any, strangers: Any
) -> None:
    probes = members.where(lambda i: i % 10 >= 5)
    costs = []
    for captures in (1, 5):
        some = members.where(lambda i, n=captures: i % 10 < n)
        one = fit_members(backgrounds[family], some.table, some.people, seed=0).discriminator
        own = np.array(probes.people)[:, None] == np.array(one.members)
        genuine, foreign = one.score(probes.table).face, one.score(strangers.table).face
        costs.append(cllr(genuine[own], foreign.ravel()))
    assert costs[1] < costs[0] < 0.8


@families
def test_members_with_one_modality_are_known_by_that_one(
    family: str, backgrounds: dict[str, Background], members: Any
) -> None:
    table: EmbeddingTable = members.where(lambda i: i % 10 < 5).table
    people = members.where(lambda i: i % 10 < 5).people
    mute = np.array([p in ("m0", "m1") for p in people])
    one = fit_members(
        backgrounds[family], replace(table, voice=_blanked(table.voice, mute)), people, seed=0
    )
    scores = one.discriminator.score(members.table)
    assert np.isnan(scores.voice[:, :2]).all()
    assert np.isfinite(scores.voice[:, 2:]).all()
    assert np.isfinite(scores.fused).all()
    assert np.median(scores.fused[5:10, 0]) > 0


def _blanked(column: Column, rows: np.ndarray) -> Column:
    return Column(
        np.where(rows[:, None], np.nan, column.vectors).astype(np.float32),
        column.present & ~rows,
        np.where(rows[:, None], np.nan, column.quality).astype(np.float32),
        tuple("not_captured" if r else "" for r in rows),
    )


def test_nobody_with_a_face_leaves_a_fridge_of_voices(
    backgrounds: dict[str, Background], members: Any
) -> None:
    crowd = members.where(lambda i: i % 10 < 5)
    blind = replace(crowd.table, face=_blanked(crowd.table.face, np.ones(50, np.bool_)))
    one = fit_members(backgrounds["plda"], blind, crowd.people, seed=0)
    scores = one.discriminator.score(members.table)
    np.testing.assert_array_equal(np.isnan(scores.face), True)
    assert np.isfinite(scores.fused).all()
    seen = Embedding(members.table.face.vectors[0], {})
    unheard = Rejected(Modality.VOICE, Reason.TOO_QUIET, "Say it again, louder.")
    silent = replace(members.table, voice=_blanked(members.table.voice, np.ones(100, np.bool_)))
    row = one.discriminator.score(silent.take(np.array([0])))
    answer = decide(Embeddings(seen, unheard), row, one.policy, risk="normal")
    assert answer.outcome is Outcome.RETRY


@families
def test_identical_twins_are_asked_again_and_never_mixed_up(
    family: str, backgrounds: dict[str, Background], members: Any
) -> None:
    """One person enrolled under two names, by alternate captures."""
    crowd = members.where(lambda i: i % 10 < 6)
    people = tuple(
        ("left" if i % 2 else "right") if p == "m0" else p for i, p in enumerate(crowd.people)
    )
    one = fit_members(backgrounds[family], crowd.table, people, seed=0)
    outcomes = []
    for i in range(6, 10):
        row = one.discriminator.score(members.table.take(np.array([i])))
        seen = Embedding(members.table.face.vectors[i], {})
        outcomes.append(decide(Embeddings(seen, seen), row, one.policy, risk="normal"))
    assert {o.outcome for o in outcomes} <= {Outcome.RETRY, Outcome.REFUSED}
    assert any(o.reasons == ("ambiguous",) for o in outcomes)


@pytest.mark.parametrize("family", ["prototype", "plda"])
def test_five_thousand_members_cost_what_they_should(
    family: str, backgrounds: dict[str, Background], make_crowd: Crowds
) -> None:
    many = make_crowd(5000, 1, seed=4, name="k")
    one = fit_members(backgrounds[family], many.table, many.people, seed=0)
    assert one.discriminator.score(many.table.take(np.arange(20))).fused.shape == (20, 5000)
    assert one.policy.members == 5000


@pytest.mark.parametrize("family", ["prototype", "plda", "logistic"])
def test_another_member_never_moves_the_llrs_of_the_others(
    family: str, fitted: dict[str, Fitted], backgrounds: dict[str, Background], members: Any
) -> None:
    nine = members.where(lambda i: i % 10 < 5 and i < 90)
    fewer = fit_members(backgrounds[family], nine.table, nine.people, seed=0)
    np.testing.assert_allclose(
        fewer.discriminator.score(members.table).fused,
        fitted[family].discriminator.score(members.table).fused[:, :9],
        rtol=1e-6,
        atol=1e-6,
    )


# Not mlp: Adam sums in another order, so that its numbers are alike, but not to the digit.
@pytest.mark.parametrize("family", ["prototype", "plda", "logistic"])
def test_the_order_of_captures_is_no_matter(
    family: str, fitted: dict[str, Fitted], backgrounds: dict[str, Background], members: Any
) -> None:
    enrolled = members.where(lambda i: i % 10 < 5)
    turned = enrolled.take(np.arange(len(enrolled.people))[::-1])
    one = fit_members(backgrounds[family], turned.table, turned.people, seed=0)
    assert one.discriminator.members == tuple(f"m{i}" for i in range(9, -1, -1))
    np.testing.assert_allclose(
        one.discriminator.score(members.table).fused[:, ::-1],
        fitted[family].discriminator.score(members.table).fused,
        rtol=1e-5,
        atol=1e-5,
    )


def test_members_who_come_back_on_another_day_are_scored_honestly(make_crowd: Crowds) -> None:
    """Sessions leave their mark: who calibrates within them promises too much."""
    day = {"sessions": 3, "mood": 0.9, "noise": (0.3, 0.3)}
    cohort, strangers = make_crowd(80, 6, seed=1, **day), make_crowd(100, 2, seed=2, **day)
    members = make_crowd(20, 6, seed=3, **day)
    enrolled, back = members.where(lambda i: i % 3 < 2), members.where(lambda i: i % 3 == 2)
    costs = []
    for sessions in (cohort.sessions, None):
        one = fit(
            enrolled.table,
            enrolled.people,
            cohort.table,
            cohort.people,
            settings_of("plda"),
            seed=0,
            cohort_sessions=sessions,
        ).discriminator
        own = np.array(back.people)[:, None] == np.array(one.members)
        genuine, foreign = one.score(back.table).fused[own], one.score(strangers.table).fused
        costs.append(cllr(genuine, foreign.ravel()))
    assert costs[0] < costs[1]


def test_strangers_of_the_thresholds_did_nothing_else(
    backgrounds: dict[str, Background], members: Any, cohort: Any
) -> None:
    """Other strangers: the same discriminator, another policy."""
    roles = backgrounds["plda"].roles
    apart = np.isin(cohort.people, roles.strangers.names)
    shaken = cohort.table.face.vectors.copy()
    shaken[apart] = shaken[apart][::-1] + 0.1
    table = replace(cohort.table, face=replace(cohort.table.face, vectors=shaken))
    enrolled = members.where(lambda i: i % 10 < 5)
    one = fit(enrolled.table, enrolled.people, table, cohort.people, settings_of("plda"), seed=0)
    other = fit_members(backgrounds["plda"], enrolled.table, enrolled.people, seed=0)
    assert same(one.discriminator.score(members.table), other.discriminator.score(members.table))
    assert one.policy != other.policy


def test_a_cohort_that_is_too_small_says_so(members: Any, make_crowd: Crowds) -> None:
    few = make_crowd(12, 6, seed=0)
    with pytest.raises(NotEnoughData, match="20 are needed"):
        fit(members.table, members.people, few.table, few.people, DiscriminatorSettings(), seed=0)


def test_captures_of_another_characterizer_are_refused(
    backgrounds: dict[str, Background], make_crowd: Crowds
) -> None:
    other = make_crowd(3, 2, seed=0, dims=(32, 48))
    with pytest.raises(DataError, match="voice embeddings have 48 dimensions, the cohort's 24"):
        fit_members(backgrounds["plda"], other.table, other.people, seed=0)


def test_a_vector_that_is_not_finite_is_refused(
    backgrounds: dict[str, Background], make_crowd: Crowds
) -> None:
    spoiled = make_crowd(3, 2, seed=0)
    spoiled.table.face.vectors[2] = np.nan
    with pytest.raises(DataError, match="enrolment's face embedding of capture 'p1-2'"):
        fit_members(backgrounds["plda"], spoiled.table, spoiled.people, seed=0)


@families
def test_each_config_is_the_family_with_the_defaults_of_the_code(family: str) -> None:
    base = yaml.safe_load((CONFIGS / "base.yaml").read_text())
    own = yaml.safe_load((CONFIGS / f"{family}.yaml").read_text())
    assert own.pop("defaults") == ["base", "_self_"]
    assert validated(DiscriminatorSettings, base | own) == DiscriminatorSettings(family=family)  # type: ignore[arg-type]


def test_a_family_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="family"):
        validated(DiscriminatorSettings, {"family": "oracle"})


def test_other_families_do_not_pay_for_torch() -> None:
    code = "import sys, visavox.training.fit; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
