"""At the kiosk: who is let in, what is said of it, and to whom."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.api.conftest import Caller, caller, enrol, files
from tests.load.people import Shot, poor_shot, shot, who
from visavox.service.house import House
from visavox.store.records import Role
from visavox.tickets import Ticket, Verifier


@pytest.fixture
def open_to_ada(admin: Caller, kitchen: str, ada: tuple[Shot, ...]) -> str:
    made = enrol(admin, kitchen, "ada", *ada[:2], compartments=["top"], pin="481902")
    assert made.status_code == 201, made.text
    return kitchen


class Once:
    def claim(self, ticket: Ticket) -> bool:  # noqa: ARG002
        return True


def test_a_member_is_let_in_and_given_a_ticket_that_a_lock_believes(
    kiosk: Caller, house: House, open_to_ada: str, ada: tuple[Shot, ...]
) -> None:
    answer = kiosk.post("/v1/authentications", data={"fridge": open_to_ada}, files=files(ada[2]))
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["outcome"], said["reasons"]) == ("granted", ["match"])
    assert said["member"] == {"id": "ada", "name": "Ada", "locale": "en"}
    assert said["compartments"] == [{"id": "top", "name": "Top"}]
    assert said["modalities"] == {"face": "accepted", "voice": "accepted"}
    assert said["kiosk"] == kiosk.key
    assert said["provisional"] is True
    assert said["expires_at"].endswith("Z")
    verifier = Verifier(house.signer.public_keys, fridge=open_to_ada, seen=Once())
    ticket = verifier.redeem(said["ticket"])
    assert (ticket.decision, ticket.member, ticket.compartments) == (said["id"], "ada", ("top",))


def test_a_kiosk_sees_the_scores_of_whom_it_opens_to_and_nobody_elses(
    admin: Caller,
    auditor: Caller,
    kiosk: Caller,
    open_to_ada: str,
    ada: tuple[Shot, ...],
    bob: tuple[Shot, ...],
) -> None:
    assert enrol(admin, open_to_ada, "bob", *bob[:2]).status_code == 201
    let_in = kiosk.post("/v1/authentications", data={"fridge": open_to_ada}, files=files(ada[2]))
    assert [c["member"] for c in let_in.json()["scores"]["candidates"]] == ["ada"]
    carol = files(shot(who(3), 0))
    refused = kiosk.post("/v1/authentications", data={"fridge": open_to_ada}, files=carol).json()
    assert (refused["outcome"], refused["scores"], refused["member"]) == ("refused", None, None)
    assert refused["ticket"] is None
    for reader in (admin, auditor):
        seen = reader.get(f"/v1/decisions/{refused['id']}").json()
        assert {c["member"] for c in seen["scores"]["candidates"]} == {"ada", "bob"}
        assert seen["scores"]["threshold"] is not None
    again = auditor.get(f"/v1/decisions/{let_in.json()['id']}").json()
    assert (again["member"]["name"], again["ticket"]) == ("Ada", None)


def test_a_poor_capture_is_to_be_tried_again_like_this(kiosk: Caller, open_to_ada: str) -> None:
    poor = files(poor_shot(who(1), 0))
    said = kiosk.post("/v1/authentications", data={"fridge": open_to_ada}, files=poor).json()
    assert said["outcome"] == "retry"
    assert said["modalities"]["face"] != "accepted"
    assert said["next_step_code"] in said["reasons"]
    assert said["next_step"]


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], 415),
        ([("image", ("a.jpg", b"no picture", "image/jpeg"))], 422),
        ([("clip", ("a.mp4", b"no clip", "video/mp4"))], 422),
        ([("image", ("a.jpg", b"x"))] * 6, 422),
        ([("clip", ("a", b"x")), ("image", ("a", b"x"))], 422),
        ([("photo", ("a", b"x"))], 422),
        ([("image", ("a", b"x"))] * 70, 400),
    ],
    ids=["nothing", "no picture", "no clip", "six", "both", "unknown", "seventy"],
)
def test_captures_that_cannot_be_are_told_so(
    kiosk: Caller, kitchen: str, parts: list[tuple[str, tuple[str, bytes]]], status: int
) -> None:
    answer = kiosk.post("/v1/authentications", data={"fridge": kitchen}, files=parts)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_challenge_is_drawn_used_once_and_of_one_kiosk(
    client: TestClient, house: House, kiosk: Caller, open_to_ada: str, ada: tuple[Shot, ...]
) -> None:
    drawn = kiosk.post("/v1/challenges", json={"fridge": open_to_ada})
    assert drawn.status_code == 201
    challenge = drawn.json()
    assert challenge["digits"].isdecimal()
    other = caller(client, house, Role.KIOSK, (open_to_ada,))
    form = {"fridge": open_to_ada, "challenge": challenge["id"]}
    foreign = other.post("/v1/authentications", data=form, files=files(ada[2]))
    assert (foreign.status_code, foreign.json()["code"]) == (409, "challenge_refused")
    first = kiosk.post("/v1/authentications", data=form, files=files(ada[2]))
    assert first.json()["outcome"] == "granted"
    second = kiosk.post("/v1/authentications", data=form, files=files(ada[2]))
    assert (second.status_code, second.json()["code"]) == (409, "challenge_refused")


def test_the_pin_pad_lets_in_and_locks_after_failures_in_a_row(
    admin: Caller, kiosk: Caller, open_to_ada: str
) -> None:
    number = admin.get("/v1/fridges/kitchen/members/ada").json()["number"]
    typed = {"fridge": open_to_ada, "number": number}
    good = kiosk.post("/v1/pin-authentications", json={**typed, "pin": "481902"}).json()
    assert (good["outcome"], good["method"], good["scores"]) == ("granted", "pin", None)
    assert good["ticket"]
    for _ in range(5):
        wrong = kiosk.post("/v1/pin-authentications", json={**typed, "pin": "000000"})
        assert wrong.json()["outcome"] == "refused"
    locked = kiosk.post("/v1/pin-authentications", json={**typed, "pin": "481902"})
    assert (locked.status_code, locked.json()["outcome"]) == (200, "locked")
    assert 0 < locked.json()["retry_after_s"] <= 30
    assert 0 < int(locked.headers["Retry-After"]) <= 30
    assert admin.post("/v1/fridges/kitchen/unlock").status_code == 200
    after = kiosk.post("/v1/pin-authentications", json={**typed, "pin": "481902"})
    assert after.json()["outcome"] == "granted"
    kinds = [e["kind"] for e in admin.get("/v1/events?fridge=kitchen").json()["items"]]
    assert {"locked"} <= set(kinds)


@pytest.mark.parametrize(
    ("number", "pin"), [("a", "481902"), ("1", "48 1902"), ("", "1"), ("1", ""), ("1", "1" * 13)]
)
def test_what_no_pad_can_type_is_refused_without_counting(
    kiosk: Caller, kitchen: str, number: str, pin: str
) -> None:
    typed = {"fridge": kitchen, "number": number, "pin": pin}
    answer = kiosk.post("/v1/pin-authentications", json=typed)
    assert answer.status_code == 422
    assert pin not in answer.text or len(pin) < 2


def test_only_kiosks_authenticate_and_only_at_their_own_fridge(
    admin: Caller, auditor: Caller, kiosk: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    assert admin.post("/v1/fridges", json={"id": "attic", "name": "Attic"}).status_code == 201
    for who_, fridge in ((admin, kitchen), (auditor, kitchen), (kiosk, "attic")):
        form = {"fridge": fridge}
        answer = who_.post("/v1/authentications", data=form, files=files(ada[2]))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        typed = {"fridge": fridge, "number": "1", "pin": "481902"}
        assert who_.post("/v1/pin-authentications", json=typed).status_code == 403
        assert who_.post("/v1/challenges", json={"fridge": fridge}).status_code == 403


def test_decisions_are_listed_newest_first_filtered_and_in_pages(
    auditor: Caller, kiosk: Caller, open_to_ada: str, ada: tuple[Shot, ...]
) -> None:
    for probe in (files(ada[2]), files(poor_shot(who(1), 0)), files(ada[2])):
        kiosk.post("/v1/authentications", data={"fridge": open_to_ada}, files=probe)
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = auditor.get(f"/v1/decisions?limit=2{cursor and f'&cursor={cursor}'}").json()
        pages.append([d["outcome"] for d in page["items"]])
        cursor = page["next_cursor"]
    assert pages == [["granted", "retry"], ["granted"]]
    every = auditor.get("/v1/decisions").json()["items"]
    assert every == sorted(every, key=lambda d: d["at"], reverse=True)
    for query, count in (
        ("fridge=kitchen", 3), ("fridge=attic", 0), ("member=ada", 2), ("outcome=retry", 1),
        ("method=pin", 0), (f"kiosk={kiosk.key}", 3), ("kiosk=other", 0),
        (f"since={every[1]['at']}", 2), (f"until={every[1]['at']}", 1),
    ):  # fmt: skip
        assert len(auditor.get(f"/v1/decisions?{query}").json()["items"]) == count, query
    assert auditor.get("/v1/decisions?outcome=maybe").status_code == 422
    assert auditor.get("/v1/decisions/dec_none").status_code == 404
    assert kiosk.get("/v1/decisions").status_code == 403


def test_what_is_counted_names_fridges_stages_and_models_but_no_people(
    client: TestClient, app: FastAPI, kiosk: Caller, open_to_ada: str, ada: tuple[Shot, ...]
) -> None:
    kiosk.post("/v1/authentications", data={"fridge": open_to_ada}, files=files(ada[2]))
    app.state.metrics.stage("characterizer.face", 0.01)
    said = app.state.metrics.text(app.state.house).decode()
    assert (
        'visavox_decisions_total{fridge="kitchen",method="biometric",outcome="granted"} 1.0' in said
    )
    assert 'route="/v1/authentications",status="200"' in said
    assert 'visavox_stage_seconds_count{stage="characterizer.face"} 1.0' in said
    assert 'visavox_model_info{base="' in said
    assert "visavox_requests_in_flight 0.0" in said
    assert "ada" not in said.lower().replace("readable", "")
    assert kiosk.key not in said
