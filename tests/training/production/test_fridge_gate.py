"""What is let through, what is refused, and that no verdict claims what so few cannot prove."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.production import ground
from tests.training.production.conftest import Bench
from visavox.errors import DataError
from visavox.training.production import backgrounds, fridge_fit, fridge_gate
from visavox.training.production.fridge_fit import Candidate, Kept
from visavox.training.production.fridge_gate import Verdict
from visavox.training.production.fridge_proof import Champion, Enrolled, Proved, figures
from visavox.training.trials import NOBODY, Kind, Served


def fitted(
    bench: Bench,
    enrolled: Enrolled | None = None,
    *,
    families: Sequence[str] = ("plda", "prototype"),
    champion: Champion | None = None,
) -> list[Kept]:
    return [
        kept(
            fridge_fit.train(
                bench.grounds[family], enrolled or bench.enrolled, bench.recipe, {},
                champion=champion,
            )
        )
        for family in families
    ]  # fmt: skip


def kept(made: Candidate) -> Kept:
    return Kept(fridge_fit.about(made), made.proved, made.champion)


def champion_of(bench: Bench, family: str = "plda", without: int = 1) -> Champion:
    return Champion("c" * 64, family, frozenset(bench.enrolled.members[without:]), frozenset())


def shuffled(of: Enrolled) -> Enrolled:
    """The same captures under names that were mixed up."""
    people = [of.people[i] for i in np.random.default_rng(3).permutation(len(of.people))]
    return replace(of, people=tuple(people))


@pytest.fixture(scope="module")
def good(bench: Bench) -> list[Kept]:
    return fitted(bench, champion=champion_of(bench))


def test_a_fridges_first_model_passes_without_a_champion(good: list[Kept], bench: Bench) -> None:
    verdict = fridge_gate.judge(good, bench.recipe)
    assert verdict.passed, verdict.reasons
    assert verdict.champion is None
    assert any(c.startswith("served.fpir") for c in verdict.claims)


def test_it_passes_against_a_champion_of_the_same_recipe(good: list[Kept], bench: Bench) -> None:
    verdict = fridge_gate.judge(good, bench.recipe, champion_of(bench))
    assert verdict.passed, verdict.reasons
    assert verdict.champion == "c" * 64
    assert sum("the champion's" in s for s in (*verdict.claims, *verdict.unproved)) == 3


def test_a_dozen_members_prove_nothing_that_only_hundreds_could(
    good: list[Kept], bench: Bench
) -> None:
    verdict = fridge_gate.judge(good, bench.recipe)
    assert not any(c.startswith("served.fnir") for c in verdict.claims)
    (said,) = (s for s in verdict.unproved if s.startswith("served.fnir"))
    assert "8.33 % on 12 people" in said
    assert "38.5 %" in said  # one of 12 erring, Clopper-Pearson


def test_shuffled_labels_are_refused(bench: Bench) -> None:
    verdict = fridge_gate.judge(fitted(bench, shuffled(bench.enrolled)), bench.recipe)
    assert not verdict.passed
    assert any(r.startswith("served.fnir") for r in verdict.reasons)
    assert any(r.startswith("fused.cllr") for r in verdict.reasons)


def test_a_threshold_that_lets_strangers_in_is_refused(bench: Bench) -> None:
    made = bench.grounds["plda"]
    open_door = replace(
        made, background=replace(made.background, settings=replace(
            made.background.settings, risks={"normal": 0.9}))
    )  # fmt: skip
    wrong = kept(fridge_fit.train(open_door, bench.enrolled, bench.recipe, {}))
    verdict = fridge_gate.judge([wrong], bench.recipe)
    assert any(r.startswith("served.fpir") for r in verdict.reasons)


def test_a_family_clearly_worse_than_the_champions_is_refused(bench: Bench) -> None:
    """Four directions of a space tell people apart worse than all of them do."""
    champion = champion_of(bench)
    recipe = ground.recipe(
        families=["logistic"], discriminator={"folds": 2, "plda": {"dimensions": 4}}
    )
    poor = backgrounds.ground(bench.rest, recipe, "logistic")
    worse = kept(fridge_fit.train(poor, bench.enrolled, recipe, {}, champion=champion))
    theirs = fitted(bench, families=["plda"], champion=champion)
    verdict = fridge_gate.judge([*theirs, worse], recipe, champion)
    assert verdict.family == "logistic"
    assert not verdict.passed
    for margin in ("fused.cllr", "served.fnir"):
        assert any(margin in r and "the champion's" in r for r in verdict.reasons), margin


def blunted(of: Kept) -> Kept:
    """The same searches, with scores of a family that hardly tells people apart."""
    rng = np.random.default_rng(0)
    trials = of.proved.trials
    llr = {s: 0.05 * v + rng.normal(0, 0.5, v.shape) for s, v in trials.llr.items()}
    return replace(of, proved=replace(of.proved, trials=replace(trials, llr=llr)))


def test_the_preferred_family_stays_unless_another_is_better_beyond_chance(
    good: list[Kept], bench: Bench
) -> None:
    plda, prototype = good
    proof = bench.recipe.proof
    for preferred in (["plda", "prototype"], ["prototype", "plda"]):
        same = [plda, replace(prototype, proved=plda.proved)]
        assert fridge_gate.choose(same, preferred, proof)[0].family == preferred[0]
    chosen, why = fridge_gate.choose([blunted(plda), prototype], ["plda", "prototype"], proof)
    assert chosen.family == "prototype"
    assert "lower by" in why


def test_the_champions_family_is_preferred(good: list[Kept], bench: Bench) -> None:
    plda, prototype = good
    same = [plda, replace(prototype, proved=plda.proved, champion=plda.champion)]
    champion = champion_of(bench, "prototype")
    assert fridge_gate.judge(same, bench.recipe, champion).family == "prototype"
    assert fridge_gate.judge(same, bench.recipe).family == "plda"


def test_what_is_unsound_is_neither_chosen_nor_let_through(good: list[Kept], bench: Bench) -> None:
    plda, prototype = good
    broken = replace(plda, about={**plda.about, "unsound": ["Its weights are not finite."]})
    assert fridge_gate.judge([broken, prototype], bench.recipe).family == "prototype"
    verdict = fridge_gate.judge([broken], bench.recipe)
    assert not verdict.passed
    assert verdict.reasons == ("Its weights are not finite.",)


def test_members_of_a_single_capture_are_said_to_be_unproved_and_are_no_failure(
    bench: Bench,
) -> None:
    lone = bench.enrolled.members[0]
    rows = [
        p != lone or s == bench.enrolled.sessions[0]
        for p, s in zip(bench.enrolled.people, bench.enrolled.sessions, strict=True)
    ]
    few = ground.only(bench.enrolled, rows)
    verdict = fridge_gate.judge(fitted(bench, few, families=["plda"]), bench.recipe)
    assert verdict.passed, verdict.reasons
    assert verdict.unproved_members == (lone,)
    assert any("1 of 12 members gave a single capture" in s for s in verdict.unproved)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_smallest_fridges_pass_and_are_claimed_nothing_of(bench: Bench, count: int) -> None:
    few = ground.only(
        bench.enrolled, [p in bench.enrolled.members[:count] for p in bench.enrolled.people]
    )
    champion = champion_of(bench, without=0)
    made = fitted(bench, few, families=["plda"], champion=champion)
    verdict = fridge_gate.judge(made, bench.recipe, champion)
    assert verdict.passed, verdict.reasons
    assert not any(c.startswith(("served.fnir", "served.wrong")) for c in verdict.claims)


@pytest.mark.parametrize("count", [2, 3])
def test_even_the_smallest_fridge_is_not_served_by_mixed_up_members(
    bench: Bench, count: int
) -> None:
    few = ground.only(
        bench.enrolled, [p in bench.enrolled.members[:count] for p in bench.enrolled.people]
    )
    turned = [  # the last session of each is another one's
        few.members[(few.members.index(p) + 1) % count] if s.endswith("2") else p
        for p, s in zip(few.people, few.sessions, strict=True)
    ]
    made = fitted(bench, replace(few, people=tuple(turned)), families=["plda"])
    assert not fridge_gate.judge(made, bench.recipe).passed


@pytest.mark.parametrize("metric", ["fused.cllr", "served.fnir"])
def test_one_person_who_is_served_worse_disproves_nothing(bench: Bench, metric: str) -> None:
    """Resampled, one person is the same person a thousand times: that is no certainty."""
    one = ground.only(
        bench.enrolled, [p == bench.enrolled.members[0] for p in bench.enrolled.people]
    )
    champion = champion_of(bench, without=0)
    made = fitted(bench, one, families=["plda"], champion=champion)[0]
    trials = made.proved.trials
    mine = trials.of(Kind.MEMBER)
    served, granted = trials.served.copy(), trials.granted.copy()
    served[mine], granted[mine] = Served.REFUSED, NOBODY
    llr = {s: np.where(trials.own, -20.0, v) for s, v in trials.llr.items()}
    low = replace(trials, served=served, granted=granted, llr=llr)
    missed = Proved(low, figures(low, bench.recipe.proof, risk="normal", population="personas"))
    proof = [m for m in bench.recipe.gate.margins if m.refuse == "disproved"]
    gate = replace(bench.recipe.gate, margins=tuple(proof))
    verdict = fridge_gate.judge(
        [replace(made, proved=missed)], replace(bench.recipe, gate=gate), champion
    )
    assert missed.figures["served"]["fnir"] == 1.0
    assert missed.figures["fused"]["cllr"] > 1.0
    assert not any(r.startswith(metric) for r in verdict.reasons)
    assert any(u.startswith(metric) for u in verdict.unproved)


def test_a_champion_nobody_fitted_is_no_reason_to_skip_it(good: list[Kept], bench: Bench) -> None:
    verdict = fridge_gate.judge([good[1]], bench.recipe, champion_of(bench, "plda"))
    assert not verdict.passed
    assert "was not fitted" in verdict.reasons[0]


def test_without_a_candidate_there_is_no_verdict(bench: Bench) -> None:
    with pytest.raises(DataError, match="no candidate"):
        fridge_gate.judge([], bench.recipe)


def test_a_verdict_is_plain_json(good: list[Kept], bench: Bench) -> None:
    verdict = fridge_gate.judge(good, bench.recipe)
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_a_folder_without_a_verdict_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no verdict"):
        fridge_gate.read(tmp_path)
