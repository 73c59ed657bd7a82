"""Every list comes in pages, and whoever follows them sees each item once."""

import base64
import json
from collections.abc import Iterator

import pytest

from tests.api.conftest import OPERATOR, Caller, enrol
from tests.load.people import Shot
from visavox.service import compartments
from visavox.service.house import House


def pages(who: Caller, path: str, limit: int, name: str = "id") -> Iterator[list[str]]:
    cursor: str | None = None
    while True:
        params = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        answer = who.get(path, params=params)
        assert answer.status_code == 200, answer.text
        yield [item[name] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return


@pytest.fixture
def shelves(house: House, kitchen: str) -> str:
    """The path of a list of nine: bottom, shelf-0 … shelf-6, top."""
    for i in range(7):
        compartments.create(house, OPERATOR, kitchen, name=f"Shelf {i}", id=f"shelf-{i}")
    return f"/v1/fridges/{kitchen}/compartments"


NINE = ["bottom", *(f"shelf-{i}" for i in range(7)), "top"]


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9, 10, 200])
def test_pages_of_any_size_hold_every_item_once_and_in_order(
    admin: Caller, shelves: str, limit: int
) -> None:
    found = list(pages(admin, shelves, limit))
    assert [item for page in found for item in page] == NINE
    assert all(len(page) == limit for page in found[:-1])
    assert 0 < len(found[-1]) <= limit  # the end is known at the end, not one page later


def test_a_page_is_of_fifty_where_nothing_is_said(
    admin: Caller, house: House, kitchen: str
) -> None:
    for i in range(60):
        compartments.create(house, OPERATOR, kitchen, name="Shelf", id=f"s-{i:02}")
    assert len(admin.get(f"/v1/fridges/{kitchen}/compartments").json()["items"]) == 50


def test_what_comes_and_goes_meanwhile_neither_repeats_nor_hides_the_rest(
    admin: Caller, shelves: str
) -> None:
    walk = pages(admin, shelves, 3)
    seen = next(walk)
    assert seen == NINE[:3]
    admin.delete(f"{shelves}/{seen[-1]}")  # the very one that the cursor names
    admin.delete(f"{shelves}/{NINE[4]}")
    admin.post(shelves, json={"id": "attic", "name": "Before the cursor"})
    admin.post(shelves, json={"id": "shelf-9", "name": "After it"})
    rest = [item for page in walk for item in page]
    assert rest == [NINE[3], *NINE[5:8], "shelf-9", "top"]


@pytest.mark.parametrize("limit", ["0", "-1", "201", "many", "", "1.5", "9" * 40])
def test_a_limit_that_cannot_be_is_refused(admin: Caller, shelves: str, limit: str) -> None:
    answer = admin.get(shelves, params={"limit": limit})
    assert answer.status_code == 422
    assert [wrong["field"] for wrong in answer.json()["errors"]] == ["limit"]


def forged(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


NO_CURSORS = [
    "x", "%00", "é", "A" * 500,
    *map(forged, ([7], ["a", "b"], {"a": 1}, "a", [None], [True], ["\x00"], ["\ud800"], [[]])),
]  # fmt: skip


@pytest.mark.parametrize("cursor", NO_CURSORS)
def test_a_cursor_that_no_list_gave_is_refused(admin: Caller, kitchen: str, cursor: str) -> None:
    answer = admin.get(f"/v1/fridges/{kitchen}/compartments", params={"cursor": cursor})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in {"bad_cursor", "invalid"}


@pytest.mark.parametrize("number", [-1, 2**31, 10**30, 1.0, "1", True])
def test_a_cursor_that_is_a_number_stays_within_what_databases_count(
    admin: Caller, number: object
) -> None:
    answer = admin.get("/v1/audit", params={"cursor": forged([number])})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


def test_a_cursor_shows_no_fridge_that_the_key_is_not_for(
    admin: Caller, kiosk: Caller, kitchen: str
) -> None:
    for name in ("attic", "cellar", "zoo"):
        admin.post("/v1/fridges", json={"id": name, "name": name})
    assert list(pages(admin, "/v1/fridges", 2)) == [["attic", "cellar"], [kitchen, "zoo"]]
    cursor = admin.get("/v1/fridges", params={"limit": "1"}).json()["next_cursor"]
    seen = kiosk.get("/v1/fridges", params={"cursor": cursor}).json()
    assert [fridge["id"] for fridge in seen["items"]] == [kitchen]


def test_members_and_their_captures_come_in_pages_too(
    admin: Caller, kitchen: str, ada: tuple[Shot, ...], bob: tuple[Shot, ...]
) -> None:
    enrol(admin, kitchen, "ada", *ada)
    enrol(admin, kitchen, "bob", bob[0])
    path = f"/v1/fridges/{kitchen}/members"
    assert list(pages(admin, path, 1)) == [["ada"], ["bob"]]
    walked = list(pages(admin, f"{path}/ada/captures", 2))
    assert [len(page) for page in walked] == [2, 1]
    assert len({capture for page in walked for capture in page}) == 3


def test_grants_and_models_come_in_pages_too(
    admin: Caller, shelves: str, kitchen: str, ada: tuple[Shot, ...]
) -> None:
    enrol(admin, kitchen, "ada", ada[0], compartments=NINE)
    grants = f"/v1/fridges/{kitchen}/members/ada/grants"
    assert list(pages(admin, grants, 4, "compartment")) == [NINE[:4], NINE[4:8], NINE[8:]]
    for name in ("attic", "cellar"):
        admin.post("/v1/fridges", json={"id": name, "name": name})
    assert list(pages(admin, "/v1/models", 2, "fridge")) == [["attic", "cellar"], [kitchen]]


@pytest.mark.parametrize(
    "path", ["/v1/keys", "/v1/audit", "/v1/events", "/v1/decisions", "/v1/models"]
)
def test_every_other_list_is_asked_for_in_the_same_way(
    admin: Caller, kitchen: str, path: str
) -> None:
    answer = admin.get(path, params={"limit": "1"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"items", "next_cursor"}
    assert len(answer.json()["items"]) <= 1
    assert admin.get(path, params={"limit": "0"}).status_code == 422
    assert admin.get(path, params={"cursor": "x"}).status_code == 422
