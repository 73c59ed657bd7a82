"""Fridges over HTTP: made, read, changed and removed by admins; their own shown to kiosks."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Caller, caller, enrol
from tests.load.people import Shot
from visavox.service.house import House
from visavox.store.records import Role

PROBLEM = "application/problem+json"


def test_a_fridge_is_made_with_what_was_said_and_defaults_for_the_rest(admin: Caller) -> None:
    answer = admin.post("/v1/fridges", json={"id": "attic", "name": "Attic", "locale": "fr"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/v1/fridges/attic"
    said = answer.json()
    assert said["created_at"].endswith("Z")
    del said["created_at"]
    assert said == {
        "id": "attic", "name": "Attic", "risk": "normal", "locale": "fr", "version": 1,
    }  # fmt: skip
    assert admin.get("/v1/fridges/attic").json() == answer.json()


def test_an_id_is_made_where_none_is_chosen(admin: Caller) -> None:
    made = [admin.post("/v1/fridges", json={"name": "Same name"}).json()["id"] for _ in range(2)]
    assert made[0] != made[1]
    for id_ in made:
        assert admin.get(f"/v1/fridges/{id_}").status_code == 200


def test_an_id_that_is_taken_is_a_conflict_and_changes_nothing(admin: Caller, kitchen: str) -> None:
    answer = admin.post("/v1/fridges", json={"id": kitchen, "name": "Another"})
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json()["code"] == "conflict"
    assert admin.get(f"/v1/fridges/{kitchen}").json()["name"] == "Kitchen"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": " Attic"}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "nul\x00"}, "name"),
        ({"name": "turned \u202e round"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": 7}, "name"),
        ({"name": "Attic", "id": "Attic"}, "id"),
        ({"name": "Attic", "id": "../up"}, "id"),
        ({"name": "Attic", "id": "x" * 65}, "id"),
        ({"name": "Attic", "risk": "reckless"}, "risk"),
        ({"name": "Attic", "locale": "de"}, "locale"),
        ({"name": "Attic", "colour": "red"}, "colour"),
    ],
)
def test_a_fridge_that_cannot_be_is_refused_and_the_field_named(
    admin: Caller, body: dict[str, Any], field: str
) -> None:
    answer = admin.post("/v1/fridges", json=body)
    assert answer.status_code == 422
    assert [wrong["field"] for wrong in answer.json()["errors"]] == [field]
    assert admin.get("/v1/fridges").json()["items"] == []


def test_what_is_left_out_of_a_change_stays(admin: Caller, kitchen: str) -> None:
    before = admin.get(f"/v1/fridges/{kitchen}").json()
    answer = admin.patch(f"/v1/fridges/{kitchen}", json={"risk": "high"})
    assert answer.status_code == 200
    assert answer.json() == {**before, "risk": "high", "version": before["version"] + 1}


def test_a_removed_fridge_is_gone_and_can_be_made_again(admin: Caller, kitchen: str) -> None:
    assert admin.delete(f"/v1/fridges/{kitchen}").status_code == 204
    for path in ("", "/compartments", "/standing", "/members"):
        gone = admin.get(f"/v1/fridges/{kitchen}{path}")
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found"), path
    assert admin.delete(f"/v1/fridges/{kitchen}").status_code == 404
    assert admin.post("/v1/fridges", json={"id": kitchen, "name": "New"}).status_code == 201
    assert admin.get(f"/v1/fridges/{kitchen}/compartments").json()["items"] == []


def test_a_fridge_with_members_cannot_be_removed(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    assert enrol(admin, kitchen, "ada", ada[0]).status_code == 201
    refused = admin.delete(f"/v1/fridges/{kitchen}")
    assert refused.status_code == 409
    assert admin.get(f"/v1/fridges/{kitchen}/members/ada").status_code == 200


def test_a_kiosk_reads_its_own_fridge_and_nothing_else(
    admin: Caller, kiosk: Caller, kitchen: str
) -> None:
    admin.post("/v1/fridges", json={"id": "attic", "name": "Attic"})
    assert kiosk.get(f"/v1/fridges/{kitchen}").status_code == 200
    assert kiosk.get("/v1/fridges/attic").status_code == 403
    assert [f["id"] for f in kiosk.get("/v1/fridges").json()["items"]] == [kitchen]


@pytest.mark.parametrize("role", [Role.KIOSK, Role.AUDITOR])
def test_only_admins_change_fridges(
    role: Role, client: TestClient, house: House, admin: Caller, kitchen: str
) -> None:
    other = caller(client, house, role)
    assert other.post("/v1/fridges", json={"name": "Attic"}).status_code == 403
    assert other.patch(f"/v1/fridges/{kitchen}", json={"name": "Mine"}).status_code == 403
    assert other.delete(f"/v1/fridges/{kitchen}").status_code == 403
    assert other.post(f"/v1/fridges/{kitchen}/unlock").status_code == 403
    assert admin.get(f"/v1/fridges/{kitchen}").json()["version"] == 1


def test_an_admin_of_one_fridge_is_none_of_another(
    client: TestClient, house: House, admin: Caller, kitchen: str
) -> None:
    admin.post("/v1/fridges", json={"id": "attic", "name": "Attic"})
    own = caller(client, house, Role.ADMIN, ("attic",))
    assert own.patch("/v1/fridges/attic", json={"name": "Loft"}).status_code == 200
    assert own.patch(f"/v1/fridges/{kitchen}", json={"name": "Mine"}).status_code == 403
    assert own.post("/v1/fridges", json={"name": "Third"}).status_code == 403


def test_failures_lock_and_an_admin_lifts_it(admin: Caller, kiosk: Caller, kitchen: str) -> None:
    wrong = {"fridge": kitchen, "number": "1", "pin": "000000"}
    outcomes = [kiosk.post("/v1/pin-authentications", json=wrong).json() for _ in range(6)]
    assert [o["outcome"] for o in outcomes] == ["refused"] * 5 + ["locked"]
    seen = kiosk.get(f"/v1/fridges/{kitchen}/standing").json()
    assert seen["lock"]["locked"]
    assert 0 < seen["lock"]["retry_after_s"] <= 30
    assert [k["kiosk"] for k in seen["kiosks"]] == [kiosk.key]

    lifted = admin.post(f"/v1/fridges/{kitchen}/unlock")
    assert lifted.status_code == 200
    assert not lifted.json()["lock"]["locked"]
    assert not lifted.json()["kiosks"][0]["lock"]["locked"]
    again = kiosk.post("/v1/pin-authentications", json=wrong).json()
    assert again["outcome"] == "refused"


def test_the_lock_of_a_kiosk_can_be_lifted_alone(
    admin: Caller, kiosk: Caller, kitchen: str
) -> None:
    wrong = {"fridge": kitchen, "number": "1", "pin": "000000"}
    for _ in range(5):
        kiosk.post("/v1/pin-authentications", json=wrong)
    lifted = admin.post(f"/v1/fridges/{kitchen}/unlock", json={"kiosk": kiosk.key}).json()
    assert not lifted["kiosks"][0]["lock"]["locked"]
    assert lifted["lock"]["locked"]  # the fridge's own
    assert admin.post(f"/v1/fridges/{kitchen}/unlock", json={"kiosk": "nobody"}).status_code == 404
