"""Whatever goes wrong is told as a problem: for programs and people, without what was asked."""

import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import problems
from api.main import create_app
from api.settings import Settings
from tests.api.conftest import Caller
from visavox import errors
from visavox.errors import Finding, VisavoxError
from visavox.service.house import House

FIELDS = {"type", "title", "status", "detail", "instance", "code", "next_step", "request_id"}


def every(kind: type[VisavoxError]) -> list[type[VisavoxError]]:
    return [kind, *(k for sub in kind.__subclasses__() for k in every(sub))]


@pytest.mark.parametrize("kind", every(VisavoxError), ids=lambda k: k.__name__)
def test_every_error_of_the_house_has_an_answer(kind: type[VisavoxError]) -> None:
    said = problems.answer(kind("What.", next_step="Then."), instance="/v1/x", request_id="r")
    body = json.loads(bytes(said.body))
    assert set(body) == FIELDS
    assert body["status"] == said.status_code
    assert said.media_type == "application/problem+json"
    if said.status_code == 500:
        assert "What." not in body["detail"]
    else:
        assert (body["detail"], body["next_step"], body["code"]) == ("What.", "Then.", kind.code)


def test_every_status_that_an_error_can_have_has_a_title() -> None:
    assert set(problems.STATUS.values()) <= set(problems.TITLES)


def test_findings_and_waiting_times_are_told() -> None:
    found = Finding("face_blurred", "It is blurred.", "Hold still.", "captures[2].face", "ada")
    error = errors.Overloaded("Full.", next_step="Wait.", findings=[found], retry_after_s=1.2)
    said = problems.answer(error, instance="/", request_id="r")
    assert said.headers["Retry-After"] == "2"
    assert json.loads(bytes(said.body))["errors"] == [
        {"field": "captures[2].face", "problem": "It is blurred.", "next_step": "Hold still.",
         "code": "face_blurred", "member": "ada"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "no_such_address"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
        ("GET", "/v1/fridges/attic", 404, "not_found"),
        ("GET", "/v1/nowhere", 404, "no_such_address"),
        ("GET", "/v1/fridges/", 404, "no_such_address"),
        ("GET", "/v1/fridges?limit=0", 422, "invalid"),
        ("GET", "/v1/fridges?cursor=xx", 422, "bad_cursor"),
        ("GET", "/v1/decisions?since=yesterday", 422, "invalid"),
        ("GET", "/v1/decisions?since=0001-01-01T00:00:00%2B23:00", 422, "invalid"),
    ],
)
def test_wrong_requests_are_told_what_is_wrong(
    admin: Caller, method: str, path: str, status: int, code: str
) -> None:
    answer = admin.ask(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) - {"errors"} == FIELDS
    assert answer.json()["instance"] == path.split("?")[0]
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("body", [b"{", b"", b'{"name": "x"', b"\xff\xfe", b"{} {}", b"[" * 10_000])
def test_a_body_that_is_no_json_is_told_so(admin: Caller, body: bytes) -> None:
    answer = admin.post("/v1/fridges", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in ({400} if body else {422}), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_kind_is_refused(admin: Caller, kind: str) -> None:
    answer = admin.post("/v1/fridges", content=b'{"name": "x"}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "media_type")


def test_captures_come_as_a_form_only(admin: Caller, kitchen: str) -> None:
    assert admin.post("/v1/fridges/kitchen/members", json={"name": "Ada"}).status_code == 415
    half = {"Content-Type": "multipart/form-data"}
    assert admin.post("/v1/authentications", content=b"x", headers=half).status_code == 415


def test_what_was_sent_is_never_repeated(admin: Caller) -> None:
    made = {"role": "admin", "name": "x\u0000SECRET", "SECRET2": 1, "fridges": ["SECRET3!"]}
    answer = admin.post("/v1/keys", json=made)
    assert answer.status_code == 422
    assert {"name", "SECRET2", "fridges.0"} <= {e["field"] for e in answer.json()["errors"]}
    assert "SECRET3" not in answer.text
    assert "x\\u0000" not in answer.text
    assert all(e["next_step"] for e in answer.json()["errors"])


def test_a_fault_of_ours_says_nothing_of_its_cause(
    house: House, api_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app, secret = create_app(api_settings, house=house), str(1233 + 1)

    @app.get("/breaks")
    def breaks() -> None:
        raise RuntimeError("the secret is", secret)

    with TestClient(app) as client:
        answer = client.get("/breaks")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "1234" not in answer.text
    assert "1234" not in caplog.text
    assert "RuntimeError" in caplog.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_importing_the_app_opens_nothing(tmp_path: Path) -> None:
    app = create_app(Settings(state=tmp_path / "state"))
    assert isinstance(app, FastAPI)
    assert not (tmp_path / "state").exists()
