"""Face and voice as the way in: who is granted, what opens, and what an answer is worth."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.service.scene import (
    NO_FACE,
    Hands,
    Kitchen,
    on_sqlite,
    probe,
    sample,
    samples,
    talking,
    together,
)
from visavox.errors import (
    CaptureError,
    ChallengeRefused,
    Forbidden,
    NotFound,
    Sealed,
    Unavailable,
)
from visavox.service import (
    audit,
    authentication,
    challenges,
    decisions,
    fridges,
    grants,
    members,
)
from visavox.service.answer import Sample
from visavox.service.models import Models
from visavox.store import Store
from visavox.store.records import DecisionOutcome
from visavox.tickets import Memory, Signer, Ticket, Verifier

GRANTED, REFUSED, RETRY = DecisionOutcome.GRANTED, DecisionOutcome.REFUSED, DecisionOutcome.RETRY


class Once(Memory):
    def __init__(self) -> None:
        self.seen: set[str] = set()

    def claim(self, ticket: Ticket) -> bool:
        fresh = ticket.id not in self.seen
        self.seen.add(ticket.id)
        return fresh


def test_a_newcomer_is_granted_with_the_next_request(
    kitchen: Kitchen, hands: Hands, signer: Signer
) -> None:
    enrolled = kitchen.enrol(0)
    assert enrolled.provisional
    assert enrolled.usable_at_once
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is GRANTED, answer.decision
    assert answer.member == enrolled.member
    assert [c.id for c in answer.compartments] == ["left"]
    assert answer.verdicts == {"face": "accepted", "voice": "accepted"}
    assert answer.decision.provisional
    assert answer.next_step_code == "open"
    assert answer.ticket is not None
    verifier = Verifier(signer.public_keys, fridge="kitchen", seen=Once(), clock=hands)
    ticket = verifier.redeem(answer.ticket)
    assert ticket.decision == answer.decision.id
    assert ticket.compartments == ("left",)
    assert ticket.expires_at == answer.expires_at


def test_a_stranger_is_refused_and_gets_no_ticket(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    answer = kitchen.ask(probe(5))
    assert answer.decision.outcome is REFUSED
    assert answer.decision.member is None
    assert (answer.ticket, answer.member, answer.compartments) == (None, None, ())
    assert answer.next_step_code == "not_recognised"


def test_a_poor_capture_is_asked_for_again_and_counts_as_no_failure(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    nobody = Sample(images=(NO_FACE,))
    for _ in range(kitchen.house.settings.failures + 1):
        answer = kitchen.ask(nobody)
        assert answer.decision.outcome is RETRY
    assert answer.verdicts == {"face": "no_face", "voice": "not_captured"}
    assert answer.next_step_code == "no_face"
    assert not fridges.standing(kitchen.house, kitchen.admin, "kitchen").lock.locked


def test_bytes_that_are_no_picture_are_an_error_and_no_decision(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    with pytest.raises(CaptureError):
        kitchen.ask(Sample(images=(b"no picture",)))
    assert decisions.page(kitchen.house, kitchen.admin).items == ()


def test_an_empty_fridge_grants_nobody(kitchen: Kitchen) -> None:
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is REFUSED
    assert answer.decision.reasons == ("no_members",)
    assert answer.next_step_code == "nobody_enrolled"


def test_a_member_whom_nothing_was_granted_is_known_and_let_out(kitchen: Kitchen) -> None:
    kitchen.enrol(0, compartments=())
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is REFUSED
    assert answer.decision.reasons == ("no_compartment",)
    assert answer.ticket is None
    assert not answer.decision.provisional or answer.member is None
    grants.grant(kitchen.house, kitchen.admin, "kitchen", "p0", "right")
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is GRANTED
    assert answer.decision.compartments == ("right",)
    grants.withdraw(kitchen.house, kitchen.admin, "kitchen", "p0", "right")
    assert kitchen.ask(probe(0)).decision.outcome is REFUSED


def test_whoever_was_erased_is_granted_nothing_any_more(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    kitchen.enrol(1)
    assert kitchen.ask(probe(0)).decision.member == "p0"
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is REFUSED
    assert "p0" not in {c.member for c in answer.decision.candidates}


def test_an_answer_that_took_too_long_opens_nothing(kitchen: Kitchen, hands: Hands) -> None:
    kitchen.enrol(0)
    came = hands.now
    hands.pass_by(kitchen.house.settings.stale_after + 0.1)
    answer = kitchen.ask(probe(0), arrived=came)
    assert answer.decision.outcome is RETRY
    assert answer.decision.reasons == ("too_slow",)
    assert answer.next_step_code == "too_slow"
    assert (answer.ticket, answer.member, answer.expires_at) == (None, None, None)


def test_a_grant_expires_with_its_ticket(kitchen: Kitchen, hands: Hands) -> None:
    kitchen.enrol(0)
    answer = kitchen.ask(probe(0))
    assert answer.expires_at is not None
    assert (answer.expires_at - hands.now).total_seconds() == kitchen.house.settings.ticket_life


def test_the_members_face_with_a_strangers_voice_is_not_let_in(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    assert kitchen.ask(sample(0, 1, voice=5)).decision.outcome is not GRANTED


def test_two_people_in_the_picture_are_asked_to_come_one_by_one(kitchen: Kitchen) -> None:
    """Not even a voice that is known opens for a group."""
    kitchen.enrol(0)
    answer = kitchen.ask(Sample(images=(together(0, 5),), audio=probe(0).audio))
    assert answer.decision.outcome is RETRY
    assert answer.verdicts["face"] == "several_faces"
    assert answer.next_step_code == "several_faces"


def test_a_challenge_is_good_once(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    drawn = challenges.draw(kitchen.house, kitchen.kiosk, "kitchen")
    assert len(drawn.digits) == kitchen.house.settings.challenge_digits
    assert drawn.digits.isdecimal()
    answer = kitchen.ask(probe(0), challenge=drawn.id)
    assert answer.decision.outcome is GRANTED
    assert answer.decision.challenge == drawn.id
    with pytest.raises(ChallengeRefused):
        kitchen.ask(probe(0), challenge=drawn.id)
    assert len(decisions.page(kitchen.house, kitchen.admin).items) == 1


def test_a_challenge_is_good_for_a_while_only(kitchen: Kitchen, hands: Hands) -> None:
    drawn = challenges.draw(kitchen.house, kitchen.kiosk, "kitchen")
    hands.pass_by(kitchen.house.settings.challenge_life)
    with pytest.raises(ChallengeRefused):
        kitchen.ask(probe(0), challenge=drawn.id)


def test_a_challenge_is_good_at_its_own_kiosk_only(kitchen: Kitchen) -> None:
    drawn = challenges.draw(kitchen.house, kitchen.another_kiosk(), "kitchen")
    with pytest.raises(ChallengeRefused):
        kitchen.ask(probe(0), challenge=drawn.id)
    with pytest.raises(ChallengeRefused):
        kitchen.ask(probe(0), challenge="cha_of-nobody")


def test_digits_differ_from_one_challenge_to_the_next(kitchen: Kitchen) -> None:
    drawn = {challenges.draw(kitchen.house, kitchen.kiosk, "kitchen").digits for _ in range(8)}
    assert len(drawn) > 1


def test_only_kiosks_authenticate_and_only_at_their_own_fridge(kitchen: Kitchen) -> None:
    with pytest.raises(Forbidden):
        authentication.authenticate(kitchen.house, kitchen.admin, fridge="kitchen", sample=probe(0))
    with pytest.raises(Forbidden):
        kitchen.ask(probe(0), fridge="cellar")
    everywhere = replace(kitchen.kiosk, fridges=None)
    with pytest.raises(NotFound):
        authentication.authenticate(kitchen.house, everywhere, fridge="cellar", sample=probe(0))


def test_without_any_model_the_house_says_so(kitchen: Kitchen, tmp_path: Path) -> None:
    bare = replace(
        kitchen.house, models=Models(tmp_path / "none", kitchen.house.perception.characterizer)
    )
    with pytest.raises(Unavailable, match="base"):
        authentication.authenticate(bare, kitchen.kiosk, fridge="kitchen", sample=probe(0))


def test_a_decision_keeps_its_probe_sealed_for_replay(kitchen: Kitchen, store: Store) -> None:
    kitchen.enrol(0)
    granted, refused = kitchen.ask(probe(0)), kitchen.ask(probe(5))
    with store.read() as unit:
        again = unit.decisions.probe(granted.decision.id)
        found = kitchen.house.models.snapshot(unit, unit.fridges.get("kitchen"))
    verdict = authentication.judge(kitchen.house, found, again)
    assert (verdict.outcome, verdict.member) == (GRANTED, "p0")
    assert verdict.candidates == granted.decision.candidates
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    with store.read() as unit:
        assert unit.decisions.probe(refused.decision.id) is not None
        with pytest.raises(Sealed):
            unit.decisions.probe(granted.decision.id)


def test_every_decision_is_in_the_audit_log(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    answer = kitchen.ask(probe(0))
    last = audit.page(kitchen.house, kitchen.admin, limit=1).items[0]
    assert (last.action, last.actor) == ("decision", kitchen.kiosk.key_id)
    assert last.subject == f"kitchen/{answer.decision.id}"
    assert last.detail["outcome"] == "granted"
    assert last.detail["request"] == "req-kiosk"
    assert audit.verification(kitchen.house, kitchen.admin).valid


@on_sqlite
def test_a_clip_opens_as_pictures_and_sound_do(kitchen: Kitchen) -> None:
    kitchen.enrol(0, samples=[Sample(clip=talking(0, 0)), *samples(0)])
    answer = kitchen.ask(Sample(clip=talking(0, 1)))
    assert answer.decision.outcome is GRANTED, answer.decision


@on_sqlite
def test_a_locked_kiosk_is_told_so_before_anything_is_looked_at(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    for _ in range(5):
        kitchen.ask(probe(5))
    answer = kitchen.ask(Sample(images=(b"not even a picture",)))
    assert answer.decision.outcome is DecisionOutcome.LOCKED
    assert answer.verdicts == {}
    assert answer.decision.characterizer is None
    assert answer.retry_after == 30


@on_sqlite
def test_a_voice_that_would_be_enough_opens_for_no_group(kitchen: Kitchen) -> None:
    """With a policy so lenient that the voice alone is granted."""
    kitchen.enrol(0)
    with kitchen.house.store.read() as unit:
        found = kitchen.house.models.snapshot(unit, unit.fridges.get("kitchen"))
    assert found.base is not None
    lenient = {k: replace(v, voice_threshold=0.0) for k, v in found.policy.levels.items()}
    policy = replace(found.policy, levels=lenient, provisional=lenient)
    eased = replace(found, base=replace(found.base, policy=policy))
    heard = kitchen.house.perception
    alone = heard.perceive(heard.take(audio=probe(0).audio))
    assert authentication.judge(kitchen.house, eased, alone).outcome is GRANTED
    group = heard.perceive(heard.take(images=[together(0, 5)], audio=probe(0).audio))
    verdict = authentication.judge(kitchen.house, eased, group)
    assert (verdict.outcome, verdict.member) == (RETRY, None)
    assert verdict.reasons == ("several_faces",)
