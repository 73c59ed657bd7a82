"""API keys: random, shown once, scoped, revocable, and told apart in constant time."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.service.scene import Hands, Kitchen, on_sqlite
from visavox.errors import Forbidden, Invalid, NotFound, Unauthenticated
from visavox.service import audit, events, fridges, keys
from visavox.service.house import Actor
from visavox.store import Store
from visavox.store.records import Role


def test_a_key_is_who_it_was_made_for(kitchen: Kitchen, store: Store) -> None:
    issued = keys.create(
        kitchen.house, kitchen.admin, role=Role.AUDITOR, name="Audit", fridges=["kitchen"]
    )
    assert issued.secret.startswith(f"vx_{issued.key.id}_")
    who = keys.identify(kitchen.house, issued.secret, request_id="r1")
    assert who == Actor(issued.key.id, Role.AUDITOR, ("kitchen",), "r1", "Audit")
    secret = issued.secret.rpartition("_")[2]
    assert secret not in repr(issued)
    with store.read() as unit:
        assert secret not in unit.keys.get(issued.key.id).digest


def test_no_two_keys_are_alike(kitchen: Kitchen) -> None:
    made = {
        keys.create(kitchen.house, kitchen.admin, role=Role.KIOSK, name="K").secret
        for _ in range(5)
    }
    assert len(made) == 5


@on_sqlite
@pytest.mark.parametrize("spoil", [
    lambda _: "",
    lambda s: s[:-1],
    lambda s: s[:-1] + ("0" if s[-1] != "0" else "1"),
    lambda s: s.removeprefix("vx_"),
    lambda s: s.rpartition("_")[0] + "_",
    lambda s: "vx_key_of-nobody_" + s.rpartition("_")[2],
    lambda s: s + "\N{LATIN SMALL LETTER E WITH ACUTE}",
    lambda s: s * 100,
])  # fmt: skip
def test_anything_else_is_nobody(kitchen: Kitchen, spoil) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    secret = keys.create(kitchen.house, kitchen.admin, role=Role.KIOSK, name="K").secret
    with pytest.raises(Unauthenticated):
        keys.identify(kitchen.house, spoil(secret))


def test_a_revoked_or_expired_key_is_worth_nothing(kitchen: Kitchen, hands: Hands) -> None:
    house = kitchen.house
    lasting = keys.create(house, kitchen.admin, role=Role.KIOSK, name="K")
    short = keys.create(
        house,
        kitchen.admin,
        role=Role.KIOSK,
        name="K",
        expires_at=hands.now + timedelta(hours=1),
    )
    keys.identify(house, short.secret)
    hands.pass_by(3600)
    with pytest.raises(Unauthenticated):
        keys.identify(house, short.secret)
    assert keys.revoke(house, kitchen.admin, lasting.key.id).revoked_at == hands.now
    with pytest.raises(Unauthenticated):
        keys.identify(house, lasting.secret)


def test_nobody_gives_away_more_than_they_have(kitchen: Kitchen) -> None:
    house = kitchen.house
    fridges.create(house, kitchen.admin, id="cellar", name="Cellar")
    issued = keys.create(house, kitchen.admin, role=Role.ADMIN, name="A", fridges=["cellar"])
    who = keys.identify(house, issued.secret)
    for fridge in (None, ["kitchen"], ["cellar", "kitchen"]):
        with pytest.raises(Forbidden):
            keys.create(house, who, role=Role.KIOSK, name="K", fridges=fridge)
    mine = keys.create(house, who, role=Role.KIOSK, name="K", fridges=["cellar"])
    with pytest.raises(Forbidden):
        keys.revoke(house, who, kitchen.kiosk.key_id)
    assert {k.id for k in keys.page(house, who).items} == {issued.key.id, mine.key.id}
    with pytest.raises(Forbidden):
        keys.create(house, kitchen.kiosk, role=Role.KIOSK, name="K", fridges=["kitchen"])
    with pytest.raises(NotFound):
        keys.create(house, kitchen.admin, role=Role.KIOSK, name="K", fridges=["attic"])


def test_a_scoped_admin_sees_whole_pages_and_no_key_that_reaches_further(
    kitchen: Kitchen, hands: Hands
) -> None:
    house = kitchen.house
    fridges.create(house, kitchen.admin, id="cellar", name="Cellar")
    made: list[keys.Issued] = []
    for scope in (["cellar"], None, ["kitchen"], ["cellar"], None, ["cellar"]):
        hands.pass_by(1)  # ids are in the order of time
        role = Role.ADMIN if not made else Role.KIOSK
        made.append(keys.create(house, kitchen.admin, role=role, name="K", fridges=scope))
    who = keys.identify(house, made[0].secret)
    first = keys.page(house, who, limit=2)
    assert [k.id for k in first.items] == [made[0].key.id, made[3].key.id]
    last = keys.page(house, who, limit=2, cursor=first.next_cursor)
    assert ([k.id for k in last.items], last.next_cursor) == ([made[5].key.id], None)
    assert all(
        other.key.id not in base64.b64decode(f"{first.next_cursor}==").decode()
        for other in (made[1], made[2], made[4])
    )


def test_no_key_outlives_the_one_that_made_it(kitchen: Kitchen, hands: Hands) -> None:
    house, ends = kitchen.house, hands.now + timedelta(hours=1)
    issued = keys.create(house, kitchen.admin, role=Role.ADMIN, name="Guest", expires_at=ends)
    guest = keys.identify(house, issued.secret)
    for later in (None, ends + timedelta(seconds=1)):
        with pytest.raises(Forbidden, match="outlive") as refusal:
            keys.create(house, guest, role=Role.KIOSK, name="K", expires_at=later)
        assert ends.isoformat() in refusal.value.next_step
    made = keys.create(house, guest, role=Role.ADMIN, name="K", expires_at=ends)
    grandchild = keys.identify(house, made.secret)
    with pytest.raises(Forbidden, match="outlive"):
        keys.create(house, grandchild, role=Role.KIOSK, name="K")
    operated = keys.create(house, kitchen.admin, role=Role.ADMIN, name="Lasting")
    assert operated.key.expires_at is None


def test_a_key_may_be_read_by_itself(kitchen: Kitchen) -> None:
    found = keys.read(kitchen.house, kitchen.kiosk, kitchen.kiosk.key_id)
    assert (found.role, found.name) == (Role.KIOSK, "Door")
    other = kitchen.another_kiosk()
    with pytest.raises(Forbidden):
        keys.read(kitchen.house, kitchen.kiosk, other.key_id)


def test_what_cannot_be_is_refused(kitchen: Kitchen, hands: Hands) -> None:
    for wrong in cast(
        tuple[dict[str, Any], ...], ({"fridges": []}, {"name": ""}, {"expires_at": hands.now})
    ):
        given = {"role": Role.KIOSK, "name": "K", **wrong}
        with pytest.raises(Invalid):
            keys.create(kitchen.house, kitchen.admin, **given)


def test_logs_are_for_keys_of_the_whole_house(kitchen: Kitchen) -> None:
    auditor = Actor("key_1", Role.AUDITOR, None)
    assert audit.verification(kitchen.house, auditor).valid
    with pytest.raises(Forbidden):
        audit.page(kitchen.house, replace(auditor, fridges=("kitchen",)))
    with pytest.raises(Forbidden):
        audit.verification(kitchen.house, kitchen.kiosk)
    with pytest.raises(Forbidden):
        events.page(kitchen.house, kitchen.kiosk)
