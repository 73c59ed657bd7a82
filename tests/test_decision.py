"""What the person at the kiosk is told, and why."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavox.decision import Level, Policy, decide
from visavox.errors import BundleError, ConfigError
from visavox.table import Scores
from visavox.types import Decision, Embedding, Embeddings, Modality, Outcome, Reason, Rejected

NAN = math.nan
LEVEL = Level(fpir=0.003, threshold=4.0, face_threshold=8.0, voice_threshold=9.0, margin=2.0)
POLICY = Policy(members=3, strangers=90, captures=540, levels={"normal": LEVEL})
SEEN = Embedding(np.full(4, 0.5, np.float32), {})
BOTH = Embeddings(SEEN, SEEN)
NO_FACE = Rejected(Modality.FACE, Reason.NO_FACE, "Look into the camera.")
NO_VOICE = Rejected(Modality.VOICE, Reason.TOO_QUIET, "Say it again, louder.")


def answer(
    fused: list[float],
    *,
    face: list[float] | None = None,
    voice: list[float] | None = None,
    seen: Embeddings = BOTH,
    policy: Policy = POLICY,
) -> Decision:
    scores = Scores(
        tuple("ABCDEFGH"[: len(fused)]),
        np.array([face or [f / 2 for f in fused]]),
        np.array([voice or [f / 2 for f in fused]]),
        np.array([fused]),
    )
    return decide(seen, scores, policy, risk="normal")


def test_a_clear_match_is_granted_and_explained() -> None:
    decision = answer([-9.0, 7.0, -3.0])
    assert decision.outcome is Outcome.GRANTED
    assert decision.member == "B"
    assert decision.reasons == ("match",)
    assert [c.member for c in decision.candidates] == ["B", "C", "A"]
    assert decision.candidates[0].face == 3.5
    assert decision.threshold == 4.0


def test_a_stranger_is_refused() -> None:
    decision = answer([-9.0, 3.9, -3.0])
    assert decision.outcome is Outcome.REFUSED
    assert decision.member is None
    assert decision.reasons == ("below_threshold",)


def test_two_members_who_both_match_are_asked_again() -> None:
    decision = answer([7.0, 5.5, -3.0])
    assert decision.outcome is Outcome.RETRY
    assert decision.member is None
    assert decision.reasons == ("ambiguous",)


def test_an_ambiguous_single_modality_asks_for_the_other() -> None:
    decision = answer([12.0, 11.0], voice=[NAN, NAN], seen=Embeddings(SEEN, NO_VOICE))
    assert decision.outcome is Outcome.RETRY
    assert decision.reasons == ("ambiguous", "too_quiet")
    assert "louder" in decision.next_step


@pytest.mark.parametrize(("llr", "outcome"), [(8.5, "granted"), (7.5, "retry")])
def test_a_face_alone_must_pass_its_own_threshold(llr: float, outcome: str) -> None:
    decision = answer([llr, -5.0], voice=[NAN, NAN], seen=Embeddings(SEEN, NO_VOICE))
    assert decision.outcome == outcome
    assert decision.threshold == 8.0
    assert decision.candidates[0].voice is None
    assert decision.rejected == (NO_VOICE,)
    assert decision.reasons[-1] == "too_quiet"


def test_a_voice_alone_that_fails_is_asked_for_the_face() -> None:
    decision = answer([8.5, -5.0], face=[NAN, NAN], seen=Embeddings(NO_FACE, SEEN))
    assert decision.outcome is Outcome.RETRY
    assert decision.threshold == 9.0
    assert decision.reasons == ("below_threshold", "no_face")
    assert "Look into the camera." in decision.next_step


def test_without_face_and_voice_the_most_useful_step_comes_first() -> None:
    decision = answer([NAN, NAN], seen=Embeddings(NO_FACE, NO_VOICE))
    assert decision.outcome is Outcome.RETRY
    assert decision.reasons == ("too_quiet", "no_face")
    assert decision.next_step == "Say it again, louder."
    assert decision.candidates == ()
    assert decision.threshold is None


def test_every_reason_has_its_place_in_the_order_of_advice() -> None:
    for reason in Reason:
        face = replace(NO_FACE, reason=reason)
        decision = answer([NAN], seen=Embeddings(face, NO_VOICE))
        assert set(decision.reasons) == {reason.value, "too_quiet"}


def test_an_empty_fridge_refuses_everybody() -> None:
    decision = answer([])
    assert decision.outcome is Outcome.REFUSED
    assert decision.reasons == ("no_members",)
    assert answer([], seen=Embeddings(NO_FACE, NO_VOICE)).outcome is Outcome.REFUSED


def test_a_lone_member_must_still_match() -> None:
    assert answer([3.0]).outcome is Outcome.REFUSED
    assert answer([5.0]).member == "A"


def test_members_who_gave_only_the_other_modality_cannot_be_compared() -> None:
    decision = answer(
        [NAN, NAN], face=[NAN, NAN], voice=[NAN, NAN], seen=Embeddings(SEEN, NO_VOICE)
    )
    assert decision.outcome is Outcome.RETRY
    assert decision.reasons == ("not_comparable", "too_quiet")


def test_a_member_without_evidence_is_no_candidate() -> None:
    decision = answer([NAN, 5.0], face=[NAN, 5.0], voice=[NAN, 1.0])
    assert [c.member for c in decision.candidates] == ["B"]
    assert decision.member == "B"


def test_no_more_than_three_candidates_are_shown() -> None:
    assert len(answer([1.0, 2.0, 3.0, 9.0, 5.0, 0.0]).candidates) == 3


def test_members_let_in_since_the_fit_raise_the_threshold() -> None:
    """Twice as many members give strangers twice the chances: e^-t halves with log 2."""
    decision = answer([4.5, *[-9.0] * 5])
    assert decision.threshold == pytest.approx(4.0 + math.log(2))
    assert decision.outcome is Outcome.REFUSED
    assert answer([4.5, -9.0]).threshold == 4.0


@given(
    fused=st.lists(st.floats(-30, 30), min_size=1, max_size=8),
    raised=st.floats(0.1, 10),
)
def test_only_the_best_member_above_both_bars_is_ever_granted(
    fused: list[float], raised: float
) -> None:
    decision = answer(fused)
    best = max(fused)
    if decision.outcome is Outcome.GRANTED:
        assert decision.member == "ABCDEFGH"[fused.index(best)]
        assert decision.threshold is not None
        assert best >= decision.threshold
        assert all(best - f >= LEVEL.margin for i, f in enumerate(fused) if i != fused.index(best))
    stricter = replace(POLICY, levels={"normal": replace(LEVEL, threshold=4.0 + raised)})
    if answer(fused, policy=stricter).outcome is Outcome.GRANTED:
        assert decision.outcome is Outcome.GRANTED


def test_an_unknown_risk_setting_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'extreme'.*normal"):
        POLICY.level("extreme")


def test_a_policy_survives_json() -> None:
    assert Policy.from_json(json.loads(json.dumps(POLICY.to_json()))) == POLICY


@pytest.mark.parametrize("spoiled", [{"members": "many"}, {"extra": 1}, {"levels": {"low": {}}}])
def test_a_spoiled_policy_is_a_spoiled_bundle(spoiled: dict[str, object]) -> None:
    with pytest.raises(BundleError):
        Policy.from_json(POLICY.to_json() | spoiled)
