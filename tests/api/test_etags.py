"""Versions of what changes: read with an ETag, changed only if it is still that one."""

from typing import Any

import pytest

from tests.api.conftest import Caller, enrol
from tests.load.people import Shot

RESOURCES = ["/v1/fridges/kitchen", "/v1/fridges/kitchen/compartments/top"]
MEMBER = "/v1/fridges/kitchen/members/ada"


@pytest.fixture
def everything(admin: Caller, kitchen: str, ada: tuple[Shot, ...]) -> Caller:
    assert enrol(admin, kitchen, "ada", ada[0]).status_code == 201
    return admin


def tagged(who: Caller, path: str) -> str:
    tag: str = who.get(path).headers["ETag"]
    return tag


@pytest.mark.parametrize("path", [*RESOURCES, MEMBER])
def test_a_tag_is_strong_and_new_with_every_change(everything: Caller, path: str) -> None:
    first = tagged(everything, path)
    assert first == f'"{everything.get(path).json()["version"]}"'
    assert tagged(everything, path) == first
    changed = everything.patch(path, json={"name": "Another"})
    assert changed.headers["ETag"] != first
    assert tagged(everything, path) == changed.headers["ETag"]


@pytest.mark.parametrize("path", [*RESOURCES, MEMBER])
def test_a_change_meant_for_what_was_read_is_made_once(everything: Caller, path: str) -> None:
    read = {"If-Match": tagged(everything, path)}
    assert everything.patch(path, json={"name": "First"}, headers=read).status_code == 200
    late = everything.patch(path, json={"name": "Second"}, headers=read)
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    assert late.headers["Content-Type"] == "application/problem+json"
    assert everything.get(path).json()["name"] == "First"


@pytest.mark.parametrize("path", [*RESOURCES[1:], MEMBER, "/v1/fridges/attic"])
def test_a_removal_meant_for_another_version_removes_nothing(everything: Caller, path: str) -> None:
    everything.post("/v1/fridges", json={"id": "attic", "name": "Attic"})
    read = {"If-Match": tagged(everything, path)}
    everything.patch(path, json={"name": "Changed"})
    assert everything.delete(path, headers=read).status_code == 412
    assert everything.get(path).json()["name"] == "Changed"
    now = {"If-Match": tagged(everything, path)}
    assert everything.delete(path, headers=now).status_code in {200, 204}


def test_a_pin_is_part_of_the_member_s_version(everything: Caller) -> None:
    read = {"If-Match": tagged(everything, MEMBER)}
    pin = f"{MEMBER}/pin"
    assert everything.put(pin, json={"pin": "481902"}, headers=read).status_code == 200
    assert everything.put(pin, json={"pin": "907214"}, headers=read).status_code == 412
    assert everything.delete(pin, headers=read).status_code == 412
    now = {"If-Match": tagged(everything, MEMBER)}
    assert everything.delete(pin, headers=now).status_code == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("*", 200),
        ('W/"1"', 412),  # weak tags never match
        ("1", 412),
        ('"one"', 412),
        ('"-1"', 412),
        ('"99999999999999999999"', 412),
        ("", 412),
        ('"1", "2"', 422),
    ],
)
def test_only_a_tag_as_it_was_given_matches(
    admin: Caller, kitchen: str, sent: str, status: int
) -> None:
    answer = admin.patch(
        f"/v1/fridges/{kitchen}", json={"name": "Changed"}, headers={"If-Match": sent}
    )
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_is_not_there_is_not_found_whatever_version_is_meant(
    admin: Caller, kitchen: str, method: str
) -> None:
    for path in (*(r.replace("top", "cellar").replace("kitchen", "attic") for r in RESOURCES),
                 f"/v1/fridges/{kitchen}/compartments/cellar", MEMBER):  # fmt: skip
        body: dict[str, Any] = {"json": {"name": "New"}} if method == "PATCH" else {}
        answer = admin.ask(method, path, headers={"If-Match": '"1"'}, **body)
        assert answer.status_code == 404, path
