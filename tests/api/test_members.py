"""Members over HTTP: enrolled from captures, changed, and erased without a trace."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Caller, caller, enrol, files
from tests.load.people import Shot, poor_shot, who
from visavox.service.house import House
from visavox.store.records import Role


def blobs(house: House) -> list[str]:
    return [name for name, _ in house.store.blobs.names()]


def test_a_newcomer_is_usable_at_once(
    admin: Caller, kiosk: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    answer = enrol(
        admin, kitchen, "ada", *ada[:2], name="Ada Lovelace", locale="fr", pin="481902",
        compartments=["top", "bottom"],
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/fridges/{kitchen}/members/ada"
    said = answer.json()
    assert (said["id"], said["fridge"], said["name"]) == ("ada", kitchen, "Ada Lovelace")
    assert (said["locale"], said["has_pin"]) == ("fr", True)
    assert (said["captures"], said["taken"], said["warnings"]) == (2, 2, [])
    assert (said["provisional"], said["usable_at_once"]) == (True, True)
    assert said["number"].isdecimal()
    assert said["consent_at"].endswith("Z")

    seen = kiosk.post("/v1/authentications", data={"fridge": kitchen}, files=files(ada[2])).json()
    assert (seen["outcome"], seen["member"]["id"]) == ("granted", "ada")
    assert [c["id"] for c in seen["compartments"]] == ["bottom", "top"]
    pin = {"fridge": kitchen, "number": said["number"], "pin": "481902"}
    typed = kiosk.post("/v1/pin-authentications", json=pin).json()
    assert (typed["outcome"], typed["member"]["id"]) == ("granted", "ada")


def test_what_is_kept_of_captures_is_told_and_not_shown(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    enrol(admin, kitchen, "ada", *ada[:2])
    answer = admin.get(f"/v1/fridges/{kitchen}/members/ada/captures")
    kept = answer.json()["items"]
    assert len(kept) == 2
    for capture in kept:
        assert set(capture) == {"id", "created_at", "modalities", "sha256"}
        assert capture["modalities"] == ["face", "voice"]


def test_poor_captures_are_refused_each_with_its_reason_and_nothing_is_kept(
    admin: Caller, house: House, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    answer = enrol(admin, kitchen, "ada", ada[0], poor_shot(who(1), 0), ada[1])
    assert answer.status_code == 422
    said = answer.json()
    assert said["code"] == "captures_refused"
    assert {wrong["field"].split(".")[0] for wrong in said["errors"]} == {"captures[1]"}
    assert all(wrong["code"] and wrong["next_step"] for wrong in said["errors"])
    assert admin.get(f"/v1/fridges/{kitchen}/members/ada").status_code == 404
    assert blobs(house) == []


def test_captures_of_two_people_are_refused(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...], bob: tuple[Shot, ...]
) -> None:
    answer = enrol(admin, kitchen, "ada", ada[0], ada[1], bob[0])
    assert (answer.status_code, answer.json()["code"]) == (422, "several_people")


def test_whoever_is_enrolled_already_is_noticed_under_another_name(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    enrol(admin, kitchen, "ada", *ada[:2])
    twice = enrol(admin, kitchen, "eve", ada[2])
    assert (twice.status_code, twice.json()["code"]) == (409, "already_enrolled")
    assert [wrong["member"] for wrong in twice.json()["errors"]] == ["ada"]
    insisted = enrol(admin, kitchen, "eve", ada[2], accept_warnings="true")
    assert insisted.status_code == 201
    assert "already_enrolled" in {w["code"] for w in insisted.json()["warnings"]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"consent": "false"}, "consent"),
        ({"consent": "perhaps"}, "consent"),
        ({"name": ""}, "name"),
        ({"name": "nul\x00"}, "name"),
        ({"pin": "12345"}, "pin"),
        ({"pin": "111111"}, "pin"),
        ({"pin": "secret"}, "pin"),
        ({"id": "Ada Lovelace"}, "id"),
        ({"locale": "de"}, "locale"),
        ({"compartments": ["../top"]}, "compartments.0"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_enrolment_that_cannot_be_is_refused_and_the_field_named(
    admin: Caller, house: House, kitchen: str, ada: tuple[Shot, ...],
    fields: dict[str, str | list[str]], field: str,
) -> None:  # fmt: skip
    answer = enrol(admin, kitchen, "ada", ada[0], **fields)
    assert answer.status_code == 422, answer.text
    assert [wrong["field"] for wrong in answer.json()["errors"]] == [field]
    assert "secret" not in answer.text  # what was sent is not repeated
    assert admin.get(f"/v1/fridges/{kitchen}/members").json()["items"] == []
    assert blobs(house) == []


def test_consent_must_be_said(admin: Caller, kitchen: str, ada: tuple[Shot, ...]) -> None:
    answer = admin.post(f"/v1/fridges/{kitchen}/members", data={"name": "Ada"}, files=files(ada[0]))
    assert answer.status_code == 422
    assert [wrong["field"] for wrong in answer.json()["errors"]] == ["consent"]


def test_a_compartment_that_is_not_there_lets_nobody_in_at_all(
    admin: Caller, house: House, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    answer = enrol(admin, kitchen, "ada", ada[0], compartments=["top", "cellar"])
    assert answer.status_code == 404
    assert admin.get(f"/v1/fridges/{kitchen}/members/ada").status_code == 404
    assert blobs(house) == []


def test_more_captures_are_taken_in_and_those_of_others_are_not(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...], bob: tuple[Shot, ...]
) -> None:
    first = enrol(admin, kitchen, "ada", ada[0])
    path = f"/v1/fridges/{kitchen}/members/ada/captures"
    more = admin.post(path, files=files(ada[1], ada[2]))
    assert more.status_code == 201, more.text
    assert (more.json()["captures"], more.json()["taken"]) == (3, 2)
    assert more.headers["Location"] == path
    assert more.headers["ETag"] != first.headers["ETag"]
    others = admin.post(path, files=files(bob[0]))
    assert (others.status_code, others.json()["code"]) == (422, "several_people")
    assert len(admin.get(path).json()["items"]) == 3
    nobody = admin.post(f"/v1/fridges/{kitchen}/members/bob/captures", files=files(bob[0]))
    assert nobody.status_code == 404


def test_a_name_and_a_language_change_and_what_is_left_out_stays(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    enrol(admin, kitchen, "ada", ada[0])
    path = f"/v1/fridges/{kitchen}/members/ada"
    before = admin.get(path).json()
    changed = admin.patch(path, json={"name": "Zoë 王"}).json()
    assert changed == {**before, "name": "Zoë 王", "version": before["version"] + 1}
    assert admin.patch(path, json={"locale": "fr"}).json()["name"] == "Zoë 王"
    assert admin.patch(path, json={"number": "1"}).status_code == 422


def test_a_pin_is_replaced_and_taken_away(
    admin: Caller, kiosk: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    made = enrol(admin, kitchen, "ada", ada[0], pin="481902", compartments=["top"]).json()
    path = f"/v1/fridges/{kitchen}/members/ada/pin"

    def typed(pin: str) -> str:
        body = {"fridge": kitchen, "number": made["number"], "pin": pin}
        outcome: str = kiosk.post("/v1/pin-authentications", json=body).json()["outcome"]
        return outcome

    assert typed("481902") == "granted"
    replaced = admin.put(path, json={"pin": "907214"})
    assert (replaced.status_code, replaced.json()["has_pin"]) == (200, True)
    assert "907214" not in replaced.text
    assert [typed("481902"), typed("907214")] == ["refused", "granted"]
    for weak in ("123456", "000000", "1234567890123", "12345", "abcdef"):
        refused = admin.put(path, json={"pin": weak})
        assert refused.status_code == 422, weak
        assert weak not in refused.text
    gone = admin.delete(path)
    assert (gone.status_code, gone.json()["has_pin"]) == (200, False)
    assert typed("907214") == "refused"


def test_an_erased_member_leaves_nothing_that_opens(
    admin: Caller, kiosk: Caller, house: House, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    made = enrol(admin, kitchen, "ada", *ada[:2], pin="481902", compartments=["top"]).json()
    assert len(blobs(house)) == 4
    path = f"/v1/fridges/{kitchen}/members/ada"
    erased = admin.delete(path)
    assert erased.status_code == 200
    said = erased.json()["erased"]
    seq, receipt = said.pop("audit_seq"), said.pop("receipt")
    assert receipt.startswith("rec_")
    assert said == {"captures": 2, "blobs": 4, "key_destroyed": True}
    assert blobs(house) == []
    for gone in (admin.get(path), admin.get(f"{path}/captures"), admin.get(f"{path}/grants"),
                 admin.delete(path), admin.patch(path, json={"name": "A"})):  # fmt: skip
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    seen = kiosk.post("/v1/authentications", data={"fridge": kitchen}, files=files(ada[2])).json()
    assert (seen["outcome"], seen["ticket"]) == ("refused", None)
    pin = {"fridge": kitchen, "number": made["number"], "pin": "481902"}
    assert kiosk.post("/v1/pin-authentications", json=pin).json()["outcome"] == "refused"
    log = {r["seq"]: r for r in admin.get("/v1/audit").json()["items"]}
    assert log[seq]["action"] == "member.erased"
    assert log[seq]["subject"] == f"{kitchen}/ada"


def test_the_same_creation_again_is_one_member_whatever_the_form_s_boundary(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    data = {"name": "Ada", "consent": "true"}  # the id is made: only the key tells the two apart
    path, once = f"/v1/fridges/{kitchen}/members", {"Idempotency-Key": "enrol-1"}

    first = admin.post(path, data=data, files=files(ada[0]), headers=once)
    again = admin.post(path, data=data, files=files(ada[0]), headers=once)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.headers["Location"], again.headers["ETag"]) == (
        first.headers["Location"], first.headers["ETag"],
    )  # fmt: skip
    assert len(admin.get(path).json()["items"]) == 1
    other = admin.post(path, data={**data, "name": "Eve"}, files=files(ada[0]), headers=once)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    # Whoever was erased is not told of again.
    admin.delete(f"{path}/{first.json()['id']}")
    after = admin.post(path, data=data, files=files(ada[0]), headers=once)
    assert "Ada" not in after.text or after.json()["id"] != first.json()["id"]


def test_a_refused_creation_may_be_tried_again_with_its_key(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    once = {"Idempotency-Key": "enrol-2"}
    path = f"/v1/fridges/{kitchen}/members"
    data = {"name": "Ada", "consent": "true", "compartments": "cellar"}
    missing = admin.post(path, data=data, files=files(ada[0]), headers=once)
    assert missing.status_code == 404
    admin.post(f"/v1/fridges/{kitchen}/compartments", json={"id": "cellar", "name": "Cellar"})
    assert admin.post(path, data=data, files=files(ada[0]), headers=once).status_code == 201


@pytest.mark.parametrize("role", [Role.KIOSK, Role.AUDITOR])
def test_members_are_the_admins_business(
    role: Role, client: TestClient, house: House, admin: Caller, kitchen: str,
    ada: tuple[Shot, ...],
) -> None:  # fmt: skip
    enrol(admin, kitchen, "ada", ada[0])
    other = caller(client, house, role, (kitchen,))
    path = f"/v1/fridges/{kitchen}/members"
    answers = [
        other.get(path), other.get(f"{path}/ada"), other.get(f"{path}/ada/captures"),
        other.patch(f"{path}/ada", json={"name": "A"}), other.delete(f"{path}/ada"),
        other.put(f"{path}/ada/pin", json={"pin": "481902"}), other.delete(f"{path}/ada/pin"),
        enrol(other, kitchen, "eve", ada[1]),
        other.post(f"{path}/ada/captures", files=files(ada[1])),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {403}
    assert admin.get(f"{path}/ada").json()["version"] == 1
