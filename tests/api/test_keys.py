"""Keys: made once, shown once, worth nothing when revoked, and never wider than who gives them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from api.settings import Settings
from tests.api.conftest import Caller, caller
from visavox.service.house import House
from visavox.store.records import Role


def test_a_key_opens_what_it_is_for_until_it_is_revoked(
    client: TestClient, admin: Caller, kitchen: str
) -> None:
    made = admin.post("/v1/keys", json={"role": "kiosk", "name": "Door", "fridges": [kitchen]})
    assert made.status_code == 201
    key = made.json()
    assert made.headers["Location"] == f"/v1/keys/{key['id']}"
    kiosk = Caller(client, key["secret"], key["id"])
    assert kiosk.get("/v1/me").json() == {
        "key_id": key["id"], "name": "Door", "role": "kiosk", "fridges": [kitchen],
    }  # fmt: skip
    assert kiosk.get("/v1/fridges/kitchen").status_code == 200
    revoked = admin.delete(f"/v1/keys/{key['id']}")
    assert revoked.json()["revoked_at"] is not None
    assert kiosk.get("/v1/me").status_code == 401
    assert admin.delete(f"/v1/keys/{key['id']}").status_code == 200  # again is no error


def test_a_secret_is_in_one_answer_only(admin: Caller) -> None:
    made = admin.post("/v1/keys", json={"role": "auditor", "name": "Auditor"}).json()
    secret = made["secret"].rsplit("_", 1)[1]
    for path in ("/v1/keys", f"/v1/keys/{made['id']}", "/v1/audit"):
        answer = admin.get(path)
        assert answer.status_code == 200
        assert secret not in answer.text
        assert "digest" not in answer.text or path == "/v1/audit"


def test_a_key_expires(house: House, api_settings: Settings) -> None:
    now = [datetime.now(UTC)]
    later = replace(house, clock=lambda: now[0])
    with TestClient(create_app(api_settings, house=later)) as client:
        admin = caller(client, later, Role.ADMIN)
        ends = (now[0] + timedelta(hours=1)).isoformat()
        made = admin.post("/v1/keys", json={"role": "admin", "name": "Guest", "expires_at": ends})
        guest = Caller(client, made.json()["secret"], made.json()["id"])
        assert guest.get("/v1/me").status_code == 200
        now[0] += timedelta(hours=1)
        assert guest.get("/v1/me").status_code == 401


@pytest.mark.parametrize(
    "made",
    [
        {"role": "king", "name": "x"},
        {"role": "admin"},
        {"role": "admin", "name": ""},
        {"role": "kiosk", "name": "x", "fridges": []},
        {"role": "admin", "name": "x", "expires_at": "2001-01-01T00:00:00Z"},
        {"role": "admin", "name": "x", "expires_at": "2030-01-01T00:00:00"},
        {"role": "admin", "name": "x", "expires_at": "9999-12-31T23:59:59-23:00"},
        {"role": "admin", "name": "x", "secret": "mine"},
    ],
)
def test_a_key_that_cannot_be_is_refused(admin: Caller, made: dict[str, object]) -> None:
    answer = admin.post("/v1/keys", json=made)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_nobody_gives_away_more_than_they_have(
    client: TestClient, house: House, auditor: Caller, kiosk: Caller, kitchen: str
) -> None:
    local = caller(client, house, Role.ADMIN, (kitchen,))
    assert local.post("/v1/keys", json={"role": "admin", "name": "x"}).status_code == 403
    wider = {"role": "kiosk", "name": "x", "fridges": [kitchen, "attic"]}
    assert local.post("/v1/keys", json=wider).status_code == 403
    for who in (auditor, kiosk):
        assert who.post("/v1/keys", json={"role": "kiosk", "name": "x"}).status_code == 403
        assert who.get("/v1/keys").status_code == 403
        assert who.delete(f"/v1/keys/{local.key}").status_code == 403


def test_a_key_for_a_fridge_that_is_not_there_is_refused(admin: Caller) -> None:
    made = {"role": "kiosk", "name": "x", "fridges": ["nowhere"]}
    assert admin.post("/v1/keys", json=made).status_code == 404


@pytest.mark.parametrize("change", ["last", "id", "prefix", "empty"])
def test_a_key_that_is_nearly_right_is_wrong(
    client: TestClient, admin: Caller, change: str
) -> None:
    secret = {
        "last": admin.secret[:-1] + ("0" if admin.secret[-1] != "0" else "1"),
        "id": admin.secret.replace("key_", "key_0", 1),
        "prefix": admin.secret.removeprefix("vx_"),
        "empty": admin.secret.rsplit("_", 1)[0] + "_",
    }[change]
    assert Caller(client, secret, "").get("/v1/me").status_code == 401
