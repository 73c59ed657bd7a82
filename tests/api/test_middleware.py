"""What happens to every request: its id, headers, log line, key, rate, size and time."""

import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.logs import JsonLines
from api.main import create_app
from api.middleware.doorkeeper import Buckets
from api.settings import Settings
from tests.api.conftest import OPERATOR, Caller, caller
from tests.api.conversation import Conversation, json_headers, limited
from visavox.service import keys
from visavox.service.house import House
from visavox.store.access import Keys
from visavox.store.records import Key, Role

# --- Who this request is


def test_a_request_keeps_the_id_that_it_came_with(client: TestClient) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": "kiosk-7.a_B"})
    assert answer.headers["X-Request-ID"] == "kiosk-7.a_B"


@pytest.mark.parametrize("text", ["", "a b", "x" * 65, 'a"b', "a\tb"])
def test_an_id_that_could_confuse_a_log_is_replaced(client: TestClient, text: str) -> None:
    made = client.get("/healthz", headers={"X-Request-ID": text}).headers["X-Request-ID"]
    assert made != text
    assert len(made) == 16


def test_every_answer_carries_the_headers_that_keep_browsers_safe(
    client: TestClient, admin: Caller
) -> None:
    for answer in (client.get("/healthz"), client.get("/nowhere"), admin.get("/v1/me")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in answer.headers  # development


def test_the_kiosk_page_may_use_its_own_files_camera_and_lock_and_nothing_else(
    client: TestClient,
) -> None:
    answer = client.get("/kiosk/")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "https:" not in policy
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    assert client.get("/kiosk", follow_redirects=False).headers["Location"] == "/kiosk/"
    assert client.get("/kiosk/../settings.py").status_code == 404
    assert client.get("/kiosk/%2e%2e/settings.py").status_code == 404


def test_pages_of_other_origins_are_kept_out_unless_allowed(house: House, tmp_path: Path) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    with TestClient(create_app(Settings(state=tmp_path), house=house)) as closed:
        assert "Access-Control-Allow-Origin" not in closed.options("/v1/me", headers=asked).headers
        assert "Access-Control-Allow-Origin" not in closed.get("/healthz", headers=asked).headers
    allowing = Settings(state=tmp_path, allowed_origins=("https://a.example",))
    with TestClient(create_app(allowing, house=house)) as open_:
        allowed = open_.options("/v1/me", headers=asked)
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert allowed.headers["X-Content-Type-Options"] == "nosniff"
        asked["Origin"] = "https://b.example"
        assert "Access-Control-Allow-Origin" not in open_.get("/healthz", headers=asked).headers


# --- What is logged


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    caplog.set_level(logging.INFO, "visavox.request")
    said: list[dict[str, Any]] = []

    class Written(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(json.loads(JsonLines().format(record)))

    handler = Written()
    logging.getLogger("visavox.request").addHandler(handler)
    yield said
    logging.getLogger("visavox.request").removeHandler(handler)


def test_each_request_is_one_line_with_templates_and_ids_and_no_secrets(
    lines: list[dict[str, Any]], admin: Caller, kitchen: str
) -> None:
    lines.clear()
    admin.patch("/v1/fridges/kitchen", json={"name": "Very Private"})
    admin.get("/v1/fridges/kitchen/compartments/top?x=Private")
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("PATCH", "/v1/fridges/{fridge}", 200),
        ("GET", "/v1/fridges/{fridge}/compartments/{compartment}", 200),
    ]
    assert {line["key"] for line in lines} == {admin.key}
    assert all(line["ms"] > 0 and line["request_id"] for line in lines)
    text = json.dumps(lines)
    assert "Private" not in text
    assert admin.secret.rsplit("_", 1)[1] not in text


def test_what_is_refused_at_the_door_is_told_by_its_route_too(
    lines: list[dict[str, Any]], client: TestClient, kiosk: Caller
) -> None:
    lines.clear()
    client.post("/v1/authentications")
    client.delete("/v1/fridges/private/members/private")
    client.get("/v1/private")
    kiosk.post("/v1/fridges/private/members", json={})
    assert [(line["route"], line["status"]) for line in lines] == [
        ("/v1/authentications", 401),
        ("/v1/fridges/{fridge}/members/{member}", 401),
        ("unmatched", 401),
        ("/v1/fridges/{fridge}/members", 415),
    ]


def test_an_error_in_a_log_is_its_kind_and_place_without_its_words() -> None:
    try:
        int("the secret is 1234")
    except ValueError as error:
        record = logging.LogRecord(
            "x", 40, "f", 1, "broke", (), (type(error), error, error.__traceback__)
        )
    said = JsonLines().format(record)
    assert "1234" not in said
    assert json.loads(said)["error"] == "ValueError"
    assert "test_middleware.py" in json.loads(said)["where"]


# --- The key and its rate


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer ", "Basic dXNlcg==", "Bearer vx_a_b", "Bearer \xe9"]
)
def test_nobody_comes_in_without_a_valid_key(client: TestClient, shown: str | None) -> None:
    headers = [] if shown is None else [(b"Authorization", shown.encode("latin-1"))]
    answer = client.get("/v1/fridges", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_body_without_a_key_is_not_even_read(app: FastAPI, client: TestClient) -> None:
    asked = Conversation("POST", "/v1/authentications", {"Content-Length": "1000000"})
    asked.say(b"x" * 1000)
    asyncio.run(asked.held(app))
    assert (asked.status, asked.received) == (401, 0)


def test_a_key_that_asks_too_often_is_told_how_long_to_wait(house: House, tmp_path: Path) -> None:
    with TestClient(limited(house, tmp_path, rate=0.5, burst=3)) as client:
        first, second = (caller(client, house, Role.ADMIN) for _ in range(2))
        assert [first.get("/v1/me").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = first.get("/v1/me")
        assert refused.json()["code"] == "rate_limited"
        assert int(refused.headers["Retry-After"]) in {1, 2}
        assert second.get("/v1/me").status_code == 200
        assert client.get("/healthz").status_code == 200


def test_tokens_come_back_with_time_up_to_the_burst() -> None:
    buckets = Buckets(rate=2.0, burst=2)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert buckets.take("a", 0.5) == 0.0
    assert buckets.take("a", 0.5) > 0
    assert [buckets.take("a", 100.0) for _ in range(3)] == [0.0, 0.0, 0.5]


def test_who_keeps_showing_wrong_keys_waits_without_a_look_into_the_database(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    get = Keys.get

    def counted(self: Keys, key: str) -> Key:
        looked.append(key)
        return get(self, key)

    monkeypatch.setattr(Keys, "get", counted)
    app = limited(house, tmp_path, wrong_keys=3, wrong_keys_rate=0.5)
    with (
        TestClient(app, client=("10.0.0.7", 1)) as client,
        TestClient(app, client=("2001:db8::1", 1)) as other,
        TestClient(app, client=("2001:db8::2", 1)) as neighbour,
    ):

        def shown(to: TestClient, key: str) -> int:
            headers = {"Authorization": f"Bearer vx_{key}_{'0' * 64}"}
            return to.get("/v1/me", headers=headers).status_code

        known, late = (caller(client, house, Role.ADMIN) for _ in range(2))
        assert known.get("/v1/me").status_code == 200
        looked.clear()
        assert [shown(client, f"key_{i}") for i in range(6)] == [401, 401, 401, 429, 429, 429]
        assert looked == ["key_0", "key_1", "key_2"]
        refused = late.get("/v1/me")  # not seen here before: it might be any
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) in {1, 2}
        assert known.get("/v1/me").status_code == 200, "whom one knows is not kept out by others"
        assert [shown(other, "key_0") for _ in range(3)] == [401, 401, 401]
        assert shown(neighbour, "key_0") == 429  # of the same network


def test_right_keys_that_come_all_at_once_from_one_address_are_not_taken_for_wrong_ones(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = Keys.get

    def slow(self: Keys, key: str) -> Key:
        time.sleep(0.05)  # so that they are looked up at the same time
        return get(self, key)

    with TestClient(limited(house, tmp_path, wrong_keys=4, wrong_keys_rate=0.01)) as client:
        callers = [caller(client, house, Role.ADMIN) for _ in range(12)]
        monkeypatch.setattr(Keys, "get", slow)
        with ThreadPoolExecutor(len(callers)) as pool:
            told = list(pool.map(lambda who: who.get("/v1/me").status_code, callers))
    assert told == [200] * len(callers)


def test_a_revoked_key_is_known_no_longer(house: House, tmp_path: Path) -> None:
    with TestClient(limited(house, tmp_path, wrong_keys=2, wrong_keys_rate=0.01)) as client:
        who = caller(client, house, Role.ADMIN)
        assert [who.get("/v1/me").status_code for _ in range(5)] == [200] * 5
        keys.revoke(house, OPERATOR, who.key)
        assert [who.get("/v1/me").status_code for _ in range(4)] == [401, 401, 401, 429]


@pytest.mark.parametrize("host", ["::1", "::ffff:10.0.0.7", "fe80::1%eth0", "testclient", ""])
def test_an_address_of_any_kind_may_ask(house: House, tmp_path: Path, host: str) -> None:
    with TestClient(limited(house, tmp_path), client=(host, 1)) as client:
        assert caller(client, house, Role.ADMIN).get("/v1/me").status_code == 200


def test_no_more_than_so_many_are_remembered() -> None:
    buckets = Buckets(rate=1.0, burst=1, most=3)
    for key in "abcde":
        buckets.take(key, 0.0)
    assert len(buckets) == 3
    assert buckets.take("e", 0.0) > 0
    assert buckets.take("a", 0.0) == 0.0
    buckets.give("e")
    assert buckets.take("e", 0.0) == 0.0


# --- The body


def test_a_body_that_says_it_is_too_large_is_refused_unread(
    app: FastAPI, client: TestClient, admin: Caller
) -> None:
    asked = Conversation("POST", "/v1/fridges", json_headers(admin, Content_Length="65537"))
    asyncio.run(asked.held(app))
    assert (asked.status, asked.problem["code"], asked.received) == (413, "too_large", 0)


def test_a_body_that_grows_too_large_is_refused_while_it_comes(
    app: FastAPI, client: TestClient, admin: Caller
) -> None:
    asked = Conversation("POST", "/v1/fridges", json_headers(admin, Transfer_Encoding="chunked"))
    for _ in range(100):
        asked.say(b"x" * 10_000)
    asyncio.run(asked.held(app))
    assert (asked.status, asked.received) == (413, 7)


def test_a_body_that_does_not_come_is_not_waited_for(house: House, tmp_path: Path) -> None:
    app = limited(house, tmp_path, upload_s=0.05)
    with TestClient(app) as client:
        who = caller(client, house, Role.ADMIN)
        asked = Conversation("POST", "/v1/fridges", json_headers(who, Content_Length="100"))
        asked.say(b"{")
        asyncio.run(asked.held(app))
    assert (asked.status, asked.problem["code"]) == (408, "upload_too_slow")


def test_many_large_bodies_at_once_are_told_to_come_back(house: House, tmp_path: Path) -> None:
    app = limited(house, tmp_path, buffered_bytes=1000)
    with TestClient(app) as client:
        who = caller(client, house, Role.ADMIN)
        for _ in range(2):  # what was held is let go again
            asked = Conversation("POST", "/v1/fridges", json_headers(who, Content_Length="2000"))
            asked.say(b"x" * 2000, more=False)
            asyncio.run(asked.held(app))
            assert (asked.status, asked.problem["code"]) == (503, "overloaded")
        assert who.post("/v1/fridges", json={"name": "Attic"}).status_code == 201


def test_whoever_leaves_while_sending_is_forgotten(
    app: FastAPI, client: TestClient, admin: Caller
) -> None:
    asked = Conversation("POST", "/v1/fridges", json_headers(admin, Content_Length="100"))
    asked.say(b"{")
    asked.leave()
    asyncio.run(asked.held(app))
    assert asked.sent == []


def test_no_capture_touches_the_disk_in_the_clear(
    kiosk: Caller, kitchen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spilled(self: object) -> None:
        raise AssertionError("a capture was written to a temporary file")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", spilled)
    image = {"image": ("a.jpg", b"\xff\xd8" + bytes(5_000_000))}
    answer = kiosk.post("/v1/authentications", data={"fridge": kitchen}, files=image)
    assert (answer.status_code, answer.json()["code"]) == (422, "capture_unreadable")


@pytest.mark.parametrize("length", ["-1", "abc", "1" * 30, "1_0"])
def test_a_length_that_is_no_number_is_refused(
    app: FastAPI, client: TestClient, admin: Caller, length: str
) -> None:
    asked = Conversation("POST", "/v1/fridges", json_headers(admin, Content_Length=length))
    asyncio.run(asked.held(app))
    assert asked.status == 400


# --- Time


def test_an_answer_that_takes_too_long_is_a_504_and_the_work_goes_on(
    house: House, tmp_path: Path
) -> None:
    app = limited(house, tmp_path, request_s=0.05)
    done: list[int] = []

    @app.get("/slow")
    def slow() -> None:
        time.sleep(0.4)
        done.append(1)

    with TestClient(app) as client:
        answer = client.get("/slow")
        assert (answer.status_code, answer.json()["code"]) == (504, "too_slow")
        assert client.get("/healthz").status_code == 200
        until = time.monotonic() + 20
        while not done and time.monotonic() < until:
            time.sleep(0.01)
    assert done == [1]
