"""Grants over HTTP, and what they change at the door."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Caller, caller, enrol, files
from tests.load.people import Shot
from visavox.service.house import House
from visavox.store.records import Role


@pytest.fixture
def grants(admin: Caller, kitchen: str, ada: tuple[Shot, ...]) -> str:
    """The path of the grants of a member who has none."""
    made = enrol(admin, kitchen, "ada", *ada[:2])
    assert made.status_code == 201, made.text
    return f"/v1/fridges/{kitchen}/members/ada/grants"


def held(who: Caller, path: str) -> list[str]:
    return [grant["compartment"] for grant in who.get(path).json()["items"]]


def test_a_grant_given_twice_is_one_grant(admin: Caller, grants: str) -> None:
    first, second = (admin.put(f"{grants}/top") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert (first.json()["member"], first.json()["compartment"]) == ("ada", "top")
    assert held(admin, grants) == ["top"]


def test_a_grant_opens_the_door_and_its_withdrawal_shuts_it(
    admin: Caller, kiosk: Caller, grants: str, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    def asked() -> dict[str, object]:
        answer = kiosk.post("/v1/authentications", data={"fridge": kitchen}, files=files(ada[2]))
        found: dict[str, object] = answer.json()
        return found

    assert asked()["outcome"] == "refused"  # recognised, and nothing to open
    admin.put(f"{grants}/top")
    granted = asked()
    assert granted["outcome"] == "granted"
    assert granted["compartments"] == [{"id": "top", "name": "Top"}]
    assert admin.delete(f"{grants}/top").status_code == 204
    shut = asked()
    assert (shut["outcome"], shut["ticket"]) == ("refused", None)


def test_what_was_not_granted_cannot_be_withdrawn(admin: Caller, grants: str) -> None:
    assert admin.delete(f"{grants}/top").status_code == 404


@pytest.mark.parametrize("path", ["members/nobody/grants/top", "members/ada/grants/cellar"])
def test_grants_are_between_those_that_are_there(
    admin: Caller, grants: str, kitchen: str, path: str
) -> None:
    answer = admin.put(f"/v1/fridges/{kitchen}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert held(admin, grants) == []


def test_a_compartment_that_somebody_may_open_stays(
    admin: Caller, grants: str, kitchen: str
) -> None:
    admin.put(f"{grants}/top")
    assert admin.delete(f"/v1/fridges/{kitchen}/compartments/top").status_code == 409
    admin.delete(f"{grants}/top")
    assert admin.delete(f"/v1/fridges/{kitchen}/compartments/top").status_code == 204


def test_an_auditor_sees_grants_and_gives_none_and_a_kiosk_not_even_that(
    client: TestClient, house: House, admin: Caller, kiosk: Caller, grants: str
) -> None:
    auditor = caller(client, house, Role.AUDITOR)
    admin.put(f"{grants}/top")
    assert held(auditor, grants) == ["top"]
    for other in (auditor, kiosk):
        assert other.put(f"{grants}/bottom").status_code == 403
        assert other.delete(f"{grants}/top").status_code == 403
    assert kiosk.get(grants).status_code == 403
    assert held(admin, grants) == ["top"]
