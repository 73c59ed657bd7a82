"""Face and voice as the way in: who is granted, what opens, and what an answer is worth."""

from tests.service.scene import Hands, Kitchen, probe
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
