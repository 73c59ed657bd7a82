"""What is known of a member before they are erased."""

import pytest
from sqlalchemy import Connection, update

from tests.store.people import NAME, NOW, embeddings, raw
from visavox.store import Store, holdings
from visavox.store.tables import captures


@pytest.fixture
def ada(store: Store) -> str:
    with store.begin() as unit:
        unit.fridges.add("kitchen", name="Kitchen", risk="normal", locale="en", at=NOW)
        unit.members.add("kitchen", "ada", name=NAME, locale="en", consent_at=NOW, at=NOW)
        unit.captures.add("kitchen", "ada", embeddings=embeddings(), raw=raw(), at=NOW)
    return "ada"


def test_their_last_capture_stands_for_a_probe(store: Store, ada: str) -> None:
    with store.read() as unit:
        held = unit.holdings.of("kitchen", ada)
    assert len(held.captures) == 1
    assert held.last is not None
    assert held.last_of == held.captures[0]["id"]


def test_what_does_not_open_keeps_nobody_from_being_erased(store: Store, ada: str) -> None:
    with store.begin() as unit:
        _damage(unit.holdings._connection)
    with store.begin() as unit:
        held = unit.holdings.of("kitchen", ada)
        assert (held.last, held.last_of) == (None, "")
        assert held.captures[0]["embeddings_sha256"]
        unit.members.delete("kitchen", ada)


def _damage(connection: Connection) -> None:
    sealed = connection.scalar(captures.select().with_only_columns(captures.c.embeddings_sealed))
    assert sealed is not None
    spoilt = sealed[:-1] + bytes([sealed[-1] ^ 1])
    connection.execute(update(captures).values(embeddings_sealed=spoilt))
    assert holdings.sha256(spoilt) != holdings.sha256(sealed)
