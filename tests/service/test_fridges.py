"""Fridges, their compartments, and how they stand."""

import pytest

from tests.service.scene import Hands, Kitchen, on_sqlite
from visavox.errors import Conflict, Forbidden, Invalid, NotFound, Stale, Unauthenticated
from visavox.service import audit, compartments, fridges, grants, keys, members
from visavox.service.house import Actor
from visavox.store.records import Role

SOMEBODY = Actor("key_1", Role.ADMIN, ("cellar",))


def test_a_fridge_is_made_changed_and_removed(kitchen: Kitchen) -> None:
    house, admin = kitchen.house, kitchen.admin
    made = fridges.create(house, admin, id="cellar", name=" Cellar ", locale="fr")
    assert (made.name, made.risk, made.locale) == ("Cellar", "normal", "fr")
    changed = fridges.change(house, admin, "cellar", risk="high", expected_version=made.version)
    assert (changed.name, changed.risk, changed.version) == ("Cellar", "high", made.version + 1)
    with pytest.raises(Stale):
        fridges.change(house, admin, "cellar", name="Attic", expected_version=made.version)
    fridges.remove(house, admin, "cellar", expected_version=changed.version)
    with pytest.raises(NotFound):
        fridges.read(house, admin, "cellar")


@on_sqlite
@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"risk": "none"}, {"locale": "de"}, {"name": "x" * 101}]
)
def test_what_cannot_be_is_refused_by_name(kitchen: Kitchen, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refusal:
        fridges.create(kitchen.house, kitchen.admin, **({"name": "Cellar"} | wrong))
    assert refusal.value.findings[0].field == next(iter(wrong))


def test_a_fridge_with_members_stays(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    with pytest.raises(Conflict):
        fridges.remove(kitchen.house, kitchen.admin, "kitchen")
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    fridges.remove(kitchen.house, kitchen.admin, "kitchen")


def test_a_fridge_that_is_made_again_knows_nothing_of_the_former(
    kitchen: Kitchen, hands: Hands
) -> None:
    kitchen.enrol(0)
    assert fridges.standing(kitchen.house, kitchen.admin, "kitchen").live.provisional == 1
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    fridges.remove(kitchen.house, kitchen.admin, "kitchen")
    hands.pass_by(1)
    fridges.create(kitchen.house, kitchen.admin, id="kitchen", name="Kitchen")
    assert fridges.standing(kitchen.house, kitchen.admin, "kitchen").live.provisional == 0


def test_a_key_reaches_its_own_fridges_only(kitchen: Kitchen) -> None:
    house = kitchen.house
    fridges.create(house, kitchen.admin, id="cellar", name="Cellar")
    assert [f.id for f in fridges.page(house, SOMEBODY).items] == ["cellar"]
    assert [f.id for f in fridges.page(house, kitchen.kiosk).items] == ["kitchen"]
    for forbidden in (
        lambda: fridges.read(house, SOMEBODY, "kitchen"),
        lambda: fridges.change(house, SOMEBODY, "kitchen", name="Mine"),
        lambda: fridges.create(house, SOMEBODY, name="Attic"),
        lambda: fridges.remove(house, kitchen.kiosk, "kitchen"),
        lambda: compartments.create(house, SOMEBODY, "kitchen", name="Top"),
        lambda: grants.grant(house, SOMEBODY, "kitchen", "p0", "left"),
    ):
        with pytest.raises(Forbidden):
            forbidden()


def test_a_removed_fridges_keys_are_not_for_the_next_one_of_its_id(kitchen: Kitchen) -> None:
    house, admin = kitchen.house, kitchen.admin
    fridges.create(house, admin, id="cellar", name="Cellar")
    one, both, every = (
        keys.create(house, admin, role=Role.KIOSK, name="Door", fridges=scope)
        for scope in (["kitchen"], ["kitchen", "cellar"], None)
    )
    fridges.remove(house, admin, "kitchen")
    fridges.create(house, admin, id="kitchen", name="Another kitchen")
    with pytest.raises(Unauthenticated):
        keys.identify(house, one.secret)
    assert keys.identify(house, both.secret).fridges == ("cellar",)
    assert keys.identify(house, every.secret).fridges is None
    noted = next(r for r in audit.page(house, admin).items if r.action == "fridge.remove")
    assert set(noted.detail["keys"]) == {kitchen.kiosk.key_id, one.key.id, both.key.id}


def test_a_standing_tells_locks_models_and_what_waits(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    other = kitchen.another_kiosk()
    standing = fridges.standing(kitchen.house, kitchen.admin, "kitchen")
    assert {kiosk for kiosk, _ in standing.kiosks} == {kitchen.kiosk.key_id, other.key_id}
    assert not standing.lock.locked
    assert standing.retraining == 1
    assert standing.live.provisional == 1
    mine = fridges.standing(kitchen.house, kitchen.kiosk, "kitchen")
    assert [kiosk for kiosk, _ in mine.kiosks] == [kitchen.kiosk.key_id]


def test_a_compartment_is_made_changed_and_removed(kitchen: Kitchen) -> None:
    house, admin = kitchen.house, kitchen.admin
    made = compartments.create(house, admin, "kitchen", id="top", name="Top")
    with pytest.raises(Conflict):
        compartments.create(house, admin, "kitchen", id="top", name="Top")
    changed = compartments.change(
        house, admin, "kitchen", "top", name="Upper", expected_version=made.version
    )
    assert compartments.read(house, kitchen.kiosk, "kitchen", "top") == changed
    with pytest.raises(Stale):
        compartments.remove(house, admin, "kitchen", "top", expected_version=made.version)
    compartments.remove(house, admin, "kitchen", "top")
    found = compartments.page(house, admin, "kitchen").items
    assert [c.id for c in found] == ["left", "right"]


def test_a_compartment_that_somebody_may_open_stays(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    with pytest.raises(Conflict):
        compartments.remove(kitchen.house, kitchen.admin, "kitchen", "left")


def test_a_grant_is_given_once_and_withdrawn_once(kitchen: Kitchen) -> None:
    house, admin = kitchen.house, kitchen.admin
    kitchen.enrol(0)
    first = grants.grant(house, admin, "kitchen", "p0", "right")
    assert grants.grant(house, admin, "kitchen", "p0", "right") == first
    assert [g.compartment for g in grants.page(house, admin, "kitchen", "p0").items] == [
        "left", "right",
    ]  # fmt: skip
    grants.withdraw(house, admin, "kitchen", "p0", "right")
    with pytest.raises(NotFound):
        grants.withdraw(house, admin, "kitchen", "p0", "right")
    with pytest.raises(NotFound):
        grants.grant(house, admin, "kitchen", "p0", "middle")
