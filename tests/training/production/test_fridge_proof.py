"""What is held out, and what is said of it."""

import numpy as np
import pytest

from tests.training.production import ground
from tests.training.production.conftest import Bench
from visavox.errors import NotEnoughData
from visavox.training.production.fridge_proof import (
    Champion,
    Enrolled,
    fit_rows,
    hold_out,
    prove,
    prove_champion,
)
from visavox.training.trials import Kind


def test_the_last_session_is_held_out_of_every_member() -> None:
    split = hold_out(["a", "a", "b", "a", "b", "a"], ["1", "1", "1", "2", "2", "2"])
    assert split.held.tolist() == [3, 4, 5]
    assert split.kept.tolist() == [0, 1, 2]
    assert (split.unproved, split.same_session) == ((), ())


def test_of_one_session_the_last_capture_is_held_out_and_that_is_said() -> None:
    split = hold_out(["a", "b", "a", "b", "c"], ["1", "1", "1", "1", "1"])
    assert split.held.tolist() == [2, 3]
    assert split.same_session == ("a", "b")
    assert split.unproved == ("c",)
    assert set(split.kept) == {0, 1, 4}


def test_every_member_is_probed_at_home_and_every_stranger_once_a_capture(bench: Bench) -> None:
    split = hold_out(bench.enrolled.people, bench.enrolled.sessions)
    made = bench.grounds["plda"]
    fitted = fit_rows(made, bench.enrolled, split.kept)
    proved = prove(fitted, made, bench.enrolled, split.held, bench.recipe.proof)
    assert len(proved.trials.of(Kind.MEMBER)) == ground.MEMBERS
    assert len(proved.trials.of(Kind.STRANGER)) == len(made.strangers.people)
    assert proved.figures["fused"]["cllr"] < 0.3
    assert proved.figures["served"]["fpir_people"] == 36
    assert proved.figures["population"] == "personas"


def test_members_of_one_capture_each_still_meet_strangers(bench: Bench) -> None:
    few = ground.only(bench.enrolled, [s == "0" for s in bench.enrolled.sessions])
    split = hold_out(few.people, few.sessions)
    made = bench.grounds["plda"]
    proved = prove(fit_rows(made, few, split.kept), made, few, split.held, bench.recipe.proof)
    assert len(split.unproved) == ground.MEMBERS
    assert proved.figures["served"]["fpir"] is not None
    assert proved.figures["served"]["fnir"] is None
    assert proved.figures["fused"]["cllr"] is None


def test_the_champions_recipe_meets_the_same_captures_of_those_whom_it_knows(bench: Bench) -> None:
    enrolled, made = bench.enrolled, bench.grounds["plda"]
    split = hold_out(enrolled.people, enrolled.sessions)
    known = enrolled.members[:5]
    champion = Champion("d", "plda", frozenset([*known, "gone"]), frozenset())
    proved = prove_champion(champion, made, enrolled, split, bench.recipe.proof)
    assert proved is not None
    assert {m for _, m in proved.trials.members} == set(known)
    held = {enrolled.table.captures[i] for i in split.held if enrolled.people[i] in known}
    probed = proved.trials.capture[proved.trials.of(Kind.MEMBER)]
    assert {proved.trials.captures.names[i] for i in probed} == held


def test_the_champion_is_refitted_on_its_own_captures_alone(bench: Bench) -> None:
    enrolled, made = bench.enrolled, bench.grounds["plda"]
    split = hold_out(enrolled.people, enrolled.sessions)
    everybody = frozenset(enrolled.members)
    first = frozenset(
        c
        for c, s in zip(enrolled.table.captures, enrolled.sessions, strict=True)
        if s == enrolled.sessions[0]
    )
    less, more = (
        prove_champion(
            Champion("d", "plda", everybody, captures), made, enrolled, split, bench.recipe.proof
        )
        for captures in (first, frozenset(enrolled.table.captures))
    )
    assert less is not None
    assert more is not None
    assert not np.array_equal(less.trials.llr["fused"], more.trials.llr["fused"])


def test_a_champion_whose_members_have_all_gone_cannot_be_compared(bench: Bench) -> None:
    split = hold_out(bench.enrolled.people, bench.enrolled.sessions)
    champion = Champion("d", "plda", frozenset(["somebody"]), frozenset())
    made = bench.grounds["plda"]
    assert prove_champion(champion, made, bench.enrolled, split, bench.recipe.proof) is None


def test_a_fridge_without_captures_is_not_trained(bench: Bench) -> None:
    with pytest.raises(NotEnoughData, match="no captures"):
        Enrolled("kitchen", "normal", bench.enrolled.table.take(np.empty(0, np.intp)), (), ())
