"""Keys, challenges and failures in a row."""

from dataclasses import replace

import pytest

from tests.store.people import NOW, later
from visavox.errors import Conflict, NotFound
from visavox.store import Store
from visavox.store.records import Attempts, Key, Role


def add(store: Store, role: Role, fridges: list[str] | None, second: float = 0) -> Key:
    with store.begin() as unit:
        return unit.keys.add(
            name="Hall", role=role, fridges=fridges, digest="d" * 64, at=later(second)
        )


def test_a_key_is_read_as_it_was_made_with_its_scope(store: Store) -> None:
    every = add(store, Role.ADMIN, None)
    none = add(store, Role.AUDITOR, [], 1)
    some = add(store, Role.KIOSK, ["kitchen", "hall"], 2)
    with store.read() as unit:
        assert [unit.keys.get(key.id) for key in (every, none, some)] == [every, none, some]
        assert unit.keys.page().items == (every, none, some)
        with pytest.raises(NotFound):
            unit.keys.get("key_no")
    assert (every.fridges, none.fridges, some.fridges) == (None, (), ("kitchen", "hall"))
    with pytest.raises(Conflict), store.begin() as unit:
        unit.keys.add(name="x", role=Role.ADMIN, fridges=None, digest="", at=NOW, id=some.id)


def test_keys_within_some_fridges_fill_whole_pages(store: Store) -> None:
    made = [
        add(store, Role.KIOSK, fridges, second)
        for second, fridges in enumerate(
            [["kitchen"], None, ["hall"], ["kitchen", "hall"], ["hall", "attic"], [], ["attic"]]
        )
    ]
    kitchen, every, hall, both, beyond, none, attic = made
    with store.read() as unit:
        assert unit.keys.page(within=["kitchen", "hall"]).items == (kitchen, hall, both, none)
        assert unit.keys.page(within=["kitchen"], own=every.id).items == (kitchen, every, none)
        assert unit.keys.page(within=[]).items == (none,)
        first = unit.keys.page(within=["attic", "hall"], limit=2)
        assert first.items == (hall, beyond)
        assert unit.keys.page(
            within=["attic", "hall"], limit=2, cursor=first.next_cursor
        ).items == (none, attic)


def test_the_kiosks_of_a_fridge_are_those_that_may_ask_for_it(store: Store) -> None:
    add(store, Role.ADMIN, None)
    wanted = [add(store, Role.KIOSK, ["kitchen"], 1), add(store, Role.KIOSK, None, 2)]
    add(store, Role.KIOSK, ["hall"], 3)
    with store.read() as unit:
        assert list(unit.keys.kiosks("kitchen")) == wanted


def test_a_key_is_revoked_once_and_stays_listed(store: Store) -> None:
    key = add(store, Role.KIOSK, None)
    with store.begin() as unit:
        assert unit.keys.revoke(key.id, at=later(5)).revoked_at == later(5)
        assert unit.keys.revoke(key.id, at=later(9)).revoked_at == later(5)
        assert [k.id for k in unit.keys.page().items] == [key.id]
        with pytest.raises(NotFound):
            unit.keys.revoke("key_no", at=NOW)


def test_a_challenge_is_used_once_and_not_after_its_life(store: Store) -> None:
    with store.begin() as unit:
        fresh, old = (
            unit.challenges.add(
                fridge="kitchen", kiosk="hall", digits="12345", at=NOW, expires_at=later(60)
            )
            for _ in range(2)
        )
    with store.begin() as unit:
        assert unit.challenges.consume(fresh.id, at=later(59))
        assert not unit.challenges.consume(fresh.id, at=later(59))
        assert not unit.challenges.consume(old.id, at=later(60))
        assert not unit.challenges.consume("cha_no", at=NOW)
        assert unit.challenges.get(fresh.id) == replace(fresh, used_at=later(59))
        assert unit.challenges.get(old.id).used_at is None
        assert unit.challenges.sweep(before=later(60)) == 0
        assert unit.challenges.sweep(before=later(61)) == 2
        with pytest.raises(NotFound):
            unit.challenges.get(fresh.id)


def test_attempts_are_none_until_counted_and_none_after_they_are_cleared(store: Store) -> None:
    counted = Attempts("kiosk:a", 7, 2, later(30), capped=True)
    with store.begin() as unit:
        assert unit.attempts.get("kiosk:a") == Attempts("kiosk:a")
        assert unit.attempts.claim("kiosk:a", "fridge:b") == (
            Attempts("kiosk:a"),
            Attempts("fridge:b"),
        )
        unit.attempts.put(counted)
    with store.begin() as unit:
        assert unit.attempts.claim("fridge:b", "kiosk:a") == (Attempts("fridge:b"), counted)
        unit.attempts.clear("kiosk:a", "kiosk:never")
        assert unit.attempts.get("kiosk:a") == Attempts("kiosk:a")


def test_no_repr_shows_a_digest_or_the_digits_to_speak(store: Store) -> None:
    key = add(store, Role.KIOSK, None)
    with store.begin() as unit:
        challenge = unit.challenges.add(
            fridge="kitchen", kiosk="hall", digits="90210", at=NOW, expires_at=later(60)
        )
    assert "d" * 64 not in repr(key)
    assert "90210" not in repr(challenge)
