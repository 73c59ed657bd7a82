"""What is sealed opens for its owner's key alone, where it belongs, unaltered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.people import NOW, furnish
from visavox.errors import NotFound, NotMigrated, Sealed
from visavox.store import Store, database
from visavox.store.keyring import Keyring, MasterKey
from visavox.store.vault import HOUSE, Owner, Vault, unwrap, wrap

ZOE = Owner("kitchen", "zoe")


def test_content_comes_back_and_is_not_in_what_is_sealed(
    database_url: str, keyring: Keyring
) -> None:
    engine = database.connect(database_url)
    with database.transaction(engine, writes=True) as connection:
        vault = Vault(connection, keyring)
        vault.create(ZOE)
        sealed = vault.seal(ZOE, b"her name", "members|1|name")
        assert b"her name" not in sealed
        # The same again looks different: equal names cannot be told.
        assert vault.seal(ZOE, b"her name", "members|1|name") != sealed
    with database.transaction(engine, writes=False) as connection:
        vault = Vault(connection, keyring)
        assert vault.open(sealed, "members|1|name") == b"her name"
        for place in ("members|2|name", "members|1|pin", "captures|1|name"):
            with pytest.raises(Sealed, match="altered, or moved"):
                vault.open(sealed, place)
        for i in range(len(sealed)):
            with pytest.raises(Sealed):
                vault.open(sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :], "members|1|name")
        for short in (b"", b"\x01", sealed[:20], sealed[:-1]):
            with pytest.raises(Sealed):
                vault.open(short, "members|1|name")
        assert vault.open(vault.seal(HOUSE, b"x", "a"), "a") == b"x"
        with pytest.raises(NotFound):
            vault.seal(Owner("kitchen", "ben"), b"x", "a")
    engine.dispose()


def test_a_destroyed_key_opens_nothing_not_even_in_the_same_transaction(
    database_url: str, keyring: Keyring
) -> None:
    engine = database.connect(database_url)
    with database.transaction(engine, writes=True) as connection:
        vault = Vault(connection, keyring)
        vault.create(ZOE)
        sealed = vault.seal(ZOE, b"x", "a")
        assert vault.destroy(ZOE)
        assert not vault.destroy(ZOE)
        with pytest.raises(Sealed, match="destroyed"):
            vault.open(sealed, "a")
        with pytest.raises(NotFound):
            vault.seal(ZOE, b"x", "a")
        vault.create(ZOE)  # a new key is another key
        with pytest.raises(Sealed, match="destroyed"):
            vault.open(sealed, "a")
    engine.dispose()


def test_without_the_right_master_key_nothing_opens(store: Store, database_url: str) -> None:
    furnish(store)
    with store.begin() as unit:
        unit.members.add("kitchen", "zoe", name="Z", locale="en", consent_at=NOW, at=NOW)
    foreign = Store(database.connect(database_url), Keyring.of(MasterKey.made()), store.blobs)
    with foreign.read() as unit, pytest.raises(Sealed, match="is not in"):
        unit.members.get("kitchen", "zoe")
    with pytest.raises(Sealed):
        foreign.check()
    with pytest.raises(Sealed), foreign.begin() as unit:
        unit.fridges.add("hall", name="H", risk="low", locale="en", at=NOW)
    foreign.close()
    store.check()


def test_a_database_that_was_not_migrated_says_so(database_url: str, keyring: Keyring) -> None:
    engine = database.connect(database_url)
    with database.transaction(engine, writes=True) as connection:
        connection.exec_driver_sql("DELETE FROM master")
        with pytest.raises(NotMigrated):
            Vault(connection, keyring).create(ZOE)
    engine.dispose()


@given(st.binary(min_size=32, max_size=32), st.integers(0, 59), st.integers(0, 7))
def test_a_wrapped_key_is_bound_to_its_row_its_master_and_every_bit(
    secret: bytes, place: int, bit: int
) -> None:
    key, other = MasterKey(bytes(32)), MasterKey(bytes(31) + b"\x01")
    wrapped = wrap(key, "row", secret)
    assert unwrap(key, "row", wrapped) == secret
    altered = bytearray(wrapped)
    altered[place] ^= 1 << bit
    for master, row, content in (
        (key, "row2", wrapped),
        (other, "row", wrapped),
        (key, "row", bytes(altered)),
    ):
        with pytest.raises(Sealed):
            unwrap(master, row, content)
