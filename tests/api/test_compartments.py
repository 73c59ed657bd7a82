"""Compartments over HTTP."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Caller, caller
from visavox.service.house import House
from visavox.store.records import Role


def test_a_compartment_belongs_to_its_fridge(admin: Caller, kitchen: str) -> None:
    answer = admin.post(f"/v1/fridges/{kitchen}/compartments", json={"id": "door", "name": "Door"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/fridges/{kitchen}/compartments/door"
    said = answer.json()
    assert (said["id"], said["fridge"], said["name"]) == ("door", kitchen, "Door")
    admin.post("/v1/fridges", json={"id": "attic", "name": "Attic"})
    assert admin.get("/v1/fridges/attic/compartments/door").status_code == 404
    # The same id is another compartment elsewhere.
    elsewhere = admin.post("/v1/fridges/attic/compartments", json={"id": "door", "name": "Trap"})
    assert elsewhere.status_code == 201
    assert admin.get(f"/v1/fridges/{kitchen}/compartments/door").json()["name"] == "Door"


def test_an_id_is_given_once_in_a_fridge(admin: Caller, kitchen: str) -> None:
    twice = admin.post(f"/v1/fridges/{kitchen}/compartments", json={"id": "top", "name": "Top"})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")


def test_a_compartment_is_renamed_and_removed(admin: Caller, kitchen: str) -> None:
    path = f"/v1/fridges/{kitchen}/compartments/top"
    assert admin.patch(path, json={"name": "Freezer"}).json()["name"] == "Freezer"
    assert admin.get(path).json()["name"] == "Freezer"
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404
    assert admin.delete(path).status_code == 404
    left = admin.get(f"/v1/fridges/{kitchen}/compartments").json()["items"]
    assert [c["id"] for c in left] == ["bottom"]


def test_a_change_of_nothing_is_a_mistake(admin: Caller, kitchen: str) -> None:
    answer = admin.patch(f"/v1/fridges/{kitchen}/compartments/top", json={})
    assert answer.status_code == 422
    assert [wrong["field"] for wrong in answer.json()["errors"]] == ["name"]


def test_a_fridge_that_is_not_there_has_no_compartments(admin: Caller) -> None:
    for answer in (
        admin.get("/v1/fridges/attic/compartments"),
        admin.post("/v1/fridges/attic/compartments", json={"name": "Top"}),
        admin.get("/v1/fridges/attic/compartments/top"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("role", [Role.KIOSK, Role.AUDITOR])
def test_whoever_is_no_admin_may_look_and_not_touch(
    role: Role, client: TestClient, house: House, kitchen: str
) -> None:
    other = caller(client, house, role, (kitchen,))
    path = f"/v1/fridges/{kitchen}/compartments"
    assert [c["id"] for c in other.get(path).json()["items"]] == ["bottom", "top"]
    assert other.post(path, json={"name": "Mine"}).status_code == 403
    assert other.patch(f"{path}/top", json={"name": "Mine"}).status_code == 403
    assert other.delete(f"{path}/top").status_code == 403
    assert other.get(f"{path}/top").json()["name"] == "Top"
