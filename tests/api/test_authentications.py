"""At the kiosk: who is let in, what is said of it, and to whom."""

import pytest

from tests.api.conftest import Caller, enrol, files
from tests.load.people import Shot, poor_shot, who
from visavox.service.house import House
from visavox.tickets import Ticket, Verifier


@pytest.fixture
def open_to_ada(admin: Caller, kitchen: str, ada: tuple[Shot, ...]) -> str:
    made = enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"], pin="481902")
    assert made.status_code == 201, made.text
    return kitchen


class Once:
    def claim(self, ticket: Ticket) -> bool:
        return True


def test_a_member_is_let_in_and_given_a_ticket_that_a_lock_believes(
    kiosk: Caller, house: House, open_to_ada: str, ada: tuple[Shot, ...]
) -> None:
    answer = kiosk.post("/v1/authentications", data={"fridge": open_to_ada}, files=files(ada[2]))
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["outcome"], said["reasons"]) == ("granted", ["match"])
    assert said["member"] == {"id": "ada", "name": "Ada", "locale": "en"}
    assert said["compartments"] == [{"id": "top", "name": "Top"}]
    assert said["modalities"] == {"face": "accepted", "voice": "accepted"}
    assert said["kiosk"] == kiosk.key
    assert said["provisional"] is True
    assert said["expires_at"].endswith("Z")
    verifier = Verifier(house.signer.public_keys, fridge=open_to_ada, seen=Once())
    ticket = verifier.redeem(said["ticket"])
    assert (ticket.decision, ticket.member, ticket.compartments) == (said["id"], "ada", ("top",))
