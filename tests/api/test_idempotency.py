"""The same POST again gives the same answer, and makes nothing twice."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.middleware.idempotency import fingerprint
from tests.api.conftest import Caller, caller, enrol, files
from tests.load.people import Shot
from visavox.service.house import House
from visavox.store.records import Role

KEY = {"Idempotency-Key": "7f6c3c1e-9a55-4d0a-8a4e-0c3a3f6f6f10"}


def test_the_same_request_again_gives_the_same_answer_and_makes_nothing(admin: Caller) -> None:
    first = admin.post("/v1/fridges", json={"name": "Attic"}, headers=KEY)
    again = admin.post("/v1/fridges", json={"name": "Attic"}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert len(admin.get("/v1/fridges").json()["items"]) == 1


def test_a_secret_key_is_made_once_and_its_secret_told_once(admin: Caller, house: House) -> None:
    made = {"role": "auditor", "name": "Auditor"}
    first, again = (admin.post("/v1/keys", json=made, headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    told, repeated = first.json(), again.json()
    assert (told["note"], repeated["secret"]) == (None, None)
    assert "not kept" in repeated["note"]
    assert {**repeated, "secret": told["secret"], "note": None} == told
    assert len(admin.get("/v1/keys").json()["items"]) == 2  # and the admin's own
    # Nor is it in what is kept, which the master key opens.
    asked = {"method": "POST", "path": "/v1/keys", "query_string": b"", "headers": [
        (b"content-type", b"application/json"),
        (b"authorization", f"Bearer {admin.secret}".encode()),
    ]}  # fmt: skip
    print_ = fingerprint(asked, first.request.content)
    with house.store.begin() as unit:
        kept = unit.idempotency.begin(admin.key, KEY["Idempotency-Key"], print_, at=house.clock())
    assert kept is not None
    assert told["secret"].rsplit("_", 1)[1].encode() not in kept.body


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/fridges", {"name": "Cellar"}), ("/v1/keys", {"name": "Attic"})]
)
def test_the_same_key_for_another_request_is_refused(
    admin: Caller, path: str, body: dict[str, str]
) -> None:
    admin.post("/v1/fridges", json={"name": "Attic"}, headers=KEY)
    other = admin.post(path, json=body, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_two_callers_may_use_the_same_key(client: TestClient, house: House, admin: Caller) -> None:
    other = caller(client, house, Role.ADMIN)
    for who in (admin, other):
        answer = who.post("/v1/fridges", json={"name": "Attic"}, headers=KEY)
        assert "Idempotency-Replayed" not in answer.headers
    assert len(admin.get("/v1/fridges").json()["items"]) == 2


def test_what_was_refused_is_judged_anew(admin: Caller) -> None:
    compartment = {"id": "top", "name": "Top"}
    path = "/v1/fridges/attic/compartments"
    assert admin.post(path, json=compartment, headers=KEY).status_code == 404
    admin.post("/v1/fridges", json={"id": "attic", "name": "Attic"})
    assert admin.post(path, json=compartment, headers=KEY).status_code == 201


def test_while_the_first_is_at_work_the_second_is_told_to_wait(
    app: FastAPI, admin: Caller, house: House
) -> None:
    asked = {
        "method": "POST", "path": "/v1/fridges", "query_string": b"",
        "headers": [
            (b"content-type", b"application/json"),
            (b"authorization", f"Bearer {admin.secret}".encode()),
        ],
    }  # fmt: skip
    print_ = fingerprint(asked, b'{"name":"Attic"}')
    with house.store.begin() as unit:
        unit.idempotency.begin(admin.key, KEY["Idempotency-Key"], print_, at=house.clock())
    waiting = admin.post("/v1/fridges", json={"name": "Attic"}, headers=KEY)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "idempotency_in_flight")
    assert waiting.headers["Retry-After"] == "1"
    with house.store.begin() as unit:  # as if the first had been cut off a while ago
        unit.idempotency.abandon(admin.key, KEY["Idempotency-Key"])
        unit.idempotency.begin(
            admin.key, KEY["Idempotency-Key"], print_, at=house.clock() - timedelta(minutes=5)
        )
    assert admin.post("/v1/fridges", json={"name": "Attic"}, headers=KEY).status_code == 201


def test_an_enrolment_sent_again_with_another_boundary_is_the_same(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    data = {"name": "Ada", "consent": "true"}
    path = f"/v1/fridges/{kitchen}/members"
    first, again = (admin.post(path, data=data, files=files(ada[0]), headers=KEY) for _ in range(2))
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.json() == first.json()
    assert len(admin.get(path).json()["items"]) == 1
    # What is kept of the answer is erased with the member.
    member = first.json()["id"]
    assert admin.delete(f"{path}/{member}").status_code == 200
    gone = admin.post(path, data=data, files=files(ada[0]), headers=KEY)
    assert (gone.status_code, gone.json()["code"]) == (410, "sealed")


def test_a_decision_asked_for_twice_is_made_once(
    admin: Caller, kiosk: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    assert enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"]).status_code == 201
    form = {"fridge": kitchen}
    first, again = (
        kiosk.post("/v1/authentications", data=form, files=files(ada[2]), headers=KEY)
        for _ in range(2)
    )
    assert first.json()["outcome"] == "granted"
    assert again.json() == first.json()
    assert len(admin.get("/v1/decisions").json()["items"]) == 1


def test_a_pin_cannot_be_guessed_from_what_is_kept_of_the_request(
    kiosk: Caller, kitchen: str, tmp_path: Path
) -> None:
    typed = {"fridge": kitchen, "number": "1234", "pin": "481902"}
    sent = kiosk.post("/v1/pin-authentications", json=typed, headers=KEY)
    assert sent.json()["outcome"] == "refused"
    with closing(sqlite3.connect(tmp_path / "api.db")) as stolen:
        ((kept,),) = stolen.execute("SELECT fingerprint FROM idempotency").fetchall()
    asked = {
        "method": "POST", "path": "/v1/pin-authentications", "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    assert kept != fingerprint(asked, sent.request.content), "all of it but the secret is known"
    asked["headers"] = [
        (b"content-type", b"application/json"),
        (b"authorization", f"Bearer {kiosk.secret}".encode()),
    ]
    assert kept == fingerprint(asked, sent.request.content)


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\x7f"])
def test_a_key_that_cannot_be_is_refused(admin: Caller, key: str) -> None:
    answer = admin.post("/v1/fridges", json={"name": "A"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert admin.get("/v1/fridges").json()["items"] == []


def test_many_at_once_make_one(app: FastAPI, admin: Caller) -> None:
    async def all_at_once() -> list[int]:
        ask = asyncio.to_thread
        made = [
            ask(admin.post, "/v1/fridges", json={"name": "Attic"}, headers=KEY) for _ in range(6)
        ]
        return sorted(answer.status_code for answer in await asyncio.gather(*made))

    statuses = asyncio.run(all_at_once())
    assert 201 in statuses
    assert set(statuses) <= {201, 409}
    assert len(admin.get("/v1/fridges").json()["items"]) == 1
    assert len(admin.get("/v1/fridges").json()["items"]) == 1
