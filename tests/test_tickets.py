"""Tickets open once, for seconds, one fridge; anything else is refused by name."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavox import tickets
from visavox.errors import (
    ConfigError,
    TicketError,
    TicketExpired,
    TicketForeign,
    TicketForged,
    TicketMalformed,
    TicketTooEarly,
    TicketUsed,
)
from visavox.tickets import PublicKey, Signer, Ticket, Verifier

AT = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LIFE = timedelta(seconds=8)


class Remembered:
    """The memory of a lock that is never restarted."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def claim(self, ticket: Ticket) -> bool:
        new = ticket.id not in self.ids
        self.ids.add(ticket.id)
        return new


def issued(
    signer: Signer, *, at: datetime = AT, life: timedelta = LIFE, fridge: str = "cellar"
) -> str:
    return signer.issue(
        fridge=fridge,
        compartments=("top", "door"),
        decision="dec_1",
        member="ada",
        at=at,
        expires_at=at + life,
    )


def lock(signer: Signer, *, now: datetime = AT, fridge: str = "cellar") -> Verifier:
    return Verifier(signer.public_keys, fridge=fridge, seen=Remembered(), clock=lambda: now)


def test_a_ticket_says_what_was_granted() -> None:
    signer = Signer.made()
    ticket = lock(signer).redeem(issued(signer))
    assert (ticket.fridge, ticket.compartments, ticket.decision, ticket.member) == (
        "cellar", ("top", "door"), "dec_1", "ada",
    )  # fmt: skip
    assert (ticket.issued_at, ticket.expires_at, ticket.kid) == (AT, AT + LIFE, signer.kid)


def test_a_ticket_opens_once() -> None:
    signer = Signer.made()
    verifier, text = lock(signer), issued(signer)
    verifier.redeem(text)
    with pytest.raises(TicketUsed):
        verifier.redeem(text)
    verifier.redeem(issued(signer))


@pytest.mark.parametrize(
    ("late", "error"),
    [
        (timedelta(seconds=8), TicketExpired),
        (timedelta(days=900), TicketExpired),
        (timedelta(seconds=-2.1), TicketTooEarly),
    ],
)
def test_a_ticket_opens_in_its_time_only(late: timedelta, error: type[TicketError]) -> None:
    signer = Signer.made()
    with pytest.raises(error):
        lock(signer, now=AT + late).redeem(issued(signer))


@pytest.mark.parametrize("late", [timedelta(seconds=7.999), timedelta(seconds=-2)])
def test_clocks_may_disagree_a_little(late: timedelta) -> None:
    signer = Signer.made()
    assert lock(signer, now=AT + late).redeem(issued(signer)).fridge == "cellar"


def test_a_ticket_that_claims_a_long_life_is_refused_even_when_signed() -> None:
    signer = Signer.made()
    with pytest.raises(TicketMalformed, match="lives longer"):
        lock(signer).redeem(issued(signer, life=timedelta(hours=1)))


def test_a_ticket_for_another_fridge_is_refused_and_not_used_up() -> None:
    signer = Signer.made()
    text = issued(signer, fridge="attic")
    with pytest.raises(TicketForeign):
        lock(signer).redeem(text)
    assert lock(signer, fridge="attic").redeem(text).fridge == "attic"


def test_a_ticket_of_an_unknown_signer_is_refused() -> None:
    with pytest.raises(TicketForged, match="does not know"):
        lock(Signer.made()).redeem(issued(Signer.made()))


def test_a_ticket_that_names_a_known_key_but_was_signed_by_another_is_refused() -> None:
    known, thief = Signer.made(), Signer.made()
    thief.kid = known.kid
    with pytest.raises(TicketForged, match="altered"):
        lock(known).redeem(issued(thief))


def test_what_is_altered_is_refused_wherever_it_was_altered() -> None:
    signer = Signer.made()
    text = issued(signer)
    for place in range(len(text)):
        for put in ("A" if text[place] != "A" else "B", ""):
            altered = text[:place] + put + text[place + 1 :]
            with pytest.raises((TicketForged, TicketMalformed)):
                lock(signer).redeem(altered)


def test_a_payload_that_was_changed_is_refused() -> None:
    signer = Signer.made()
    body, _, signature = issued(signer).partition(".")
    payload = json.loads(base64.urlsafe_b64decode(body + "=="))
    payload["compartments"].append("freezer")
    forged = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    with pytest.raises(TicketForged):
        lock(signer).redeem(f"{forged}.{signature}")


@given(st.text(max_size=300))
def test_any_text_is_refused_as_a_ticket_error(text: str) -> None:
    with pytest.raises(TicketError):
        lock(Signer.made()).redeem(text)


@given(st.binary(max_size=200), st.binary(max_size=70))
def test_any_bytes_in_the_form_of_a_ticket_are_refused(body: bytes, signature: bytes) -> None:
    text = ".".join(base64.urlsafe_b64encode(b).decode().rstrip("=") for b in (body, signature))
    with pytest.raises(TicketError):
        lock(Signer.made()).redeem(text)


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"7", b"[" * 4000, b'{"kid": 1}', b"{}", b'{"kid": "\xff"}', b'{"kid":"x"}'],
)
def test_json_of_another_shape_is_refused(payload: bytes) -> None:
    body = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    with pytest.raises((TicketMalformed, TicketForged)):
        lock(Signer.made()).redeem(f"{body}.{'A' * 86}")


def test_a_ticket_without_end_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TicketMalformed, match="too long"):
        lock(Signer.made()).redeem("A" * 1_000_000)


def test_a_new_key_signs_while_the_old_one_is_still_believed() -> None:
    old, new = "A" * 42 + "A=", "B" * 42 + "A="
    before, after = Signer.text(old), Signer.text(f"{new}\n{old}\n")
    ticket = issued(before)
    assert lock(after).redeem(ticket).kid == before.kid
    assert lock(after).redeem(issued(after)).kid == after.kid != before.kid


def test_the_public_keys_travel_as_json() -> None:
    signer = Signer.made()
    document = {"keys": [k.to_json() for k in signer.public_keys]}
    assert tickets.public_keys(json.loads(json.dumps(document))) == signer.public_keys


@pytest.mark.parametrize("document", [{}, {"keys": 1}, {"keys": [{}]}, {"keys": ["x"]}])
def test_a_document_that_holds_no_keys_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="no ticket keys"):
        tickets.public_keys(document)


def test_a_public_key_of_another_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="32 bytes"):
        PublicKey(b"short")


def test_a_key_file_is_made_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ticket"
    tickets.write_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert lock(Signer.file(path)).redeem(issued(Signer.file(path))).fridge == "cellar"
    with pytest.raises(ConfigError, match="there already"):
        tickets.write_key(path)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ticket"
    tickets.write_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        Signer.file(path)


@pytest.mark.parametrize("text", ["", "   ", "no base64!", "QUJD"])
def test_what_is_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Signer.text(text)
    assert not text.strip() or text.strip() not in str(refused.value)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent"):
        Signer.file(tmp_path / "absent")


def test_no_repr_shows_a_private_key(tmp_path: Path) -> None:
    secret = "C" * 42 + "A="
    assert secret not in repr(Signer.text(secret))
