"""What auditors, locks and operators read: audit, models, ticket keys, health, counts, docs."""

from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.main import create_app
from api.readiness import Readiness
from api.settings import Settings
from tests.api.conftest import Caller, caller
from visavox import tickets
from visavox.service.house import House
from visavox.service.live import Models
from visavox.store import Store
from visavox.store.records import Role


def test_the_audit_is_read_in_pages_and_its_chain_holds(
    client: TestClient, house: House, admin: Caller, auditor: Caller, kiosk: Caller
) -> None:
    page = auditor.get("/v1/audit?limit=2").json()
    assert len(page["items"]) == 2
    older = auditor.get(f"/v1/audit?limit=2&cursor={page['next_cursor']}").json()
    assert page["items"][-1]["previous"] == older["items"][0]["digest"]
    said = auditor.get("/v1/audit/verification").json()
    assert said["valid"] is True
    assert said["records"] == said["head"]["seq"] == page["items"][0]["seq"]
    assert said["head"]["digest"] == page["items"][0]["digest"]
    assert kiosk.get("/v1/audit").status_code == 403
    local = caller(client, house, Role.AUDITOR, ("kitchen",))
    assert local.get("/v1/audit").status_code == 403


def test_what_is_live_is_told_with_its_lineage(
    admin: Caller, auditor: Caller, kiosk: Caller, house: House, kitchen: str
) -> None:
    live = auditor.get("/v1/models").json()["items"]
    base = house.models.base()
    assert base is not None
    assert [(m["fridge"], m["bundle"], m["base"]) for m in live] == [(kitchen, None, base.digest)]
    assert live[0]["lineage"]["cohort"] == "tests"
    assert admin.get("/v1/fridges/kitchen/model").json() == live[0]
    card = auditor.get("/v1/models/characterizer").json()
    assert card["digest"] == house.models.characterizer.digest == live[0]["characterizer"]
    assert kiosk.get("/v1/models").status_code == 403
    assert admin.get("/v1/fridges/nowhere/model").status_code == 404


def test_anybody_may_have_the_public_ticket_keys(client: TestClient, house: House) -> None:
    answer = client.get("/v1/tickets/keys")
    assert tickets.public_keys(answer.json()) == house.signer.public_keys


def test_the_service_lives_and_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready", "parts": {"database": "ok", "models": "ok", "keys": "ok"},
    }  # fmt: skip


def test_asking_whether_it_is_ready_costs_one_look_a_second(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, looks = [100.0], 0
    check = Store.check

    def counted(self: Store) -> None:
        nonlocal looks
        looks += 1
        check(self)

    monkeypatch.setattr(Store, "check", counted)
    readiness = Readiness(clock=lambda: now[0])
    for _ in range(50):
        assert readiness.parts(house)["database"] == "ok"
    assert looks == 1
    now[0] += 1
    assert [readiness.parts(house)["database"] for _ in range(2)] == ["ok", "ok"]
    assert looks == 2


def test_without_a_base_it_lives_and_is_not_ready(house: House, tmp_path: Path) -> None:
    bare = replace(house, models=Models(tmp_path / "none", house.models.characterizer))
    with TestClient(create_app(Settings(state=tmp_path), house=bare)) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["models"]) == (503, "no_base")


def counted(settings: Settings, house: House, host: str, headers: dict[str, str]) -> int:
    with TestClient(create_app(settings, house=house), client=(host, 5000)) as client:
        return client.get("/metrics", headers=headers).status_code


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 403),
        ("somewhere", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}, 403),  # a proxy speaks for somebody
    ],
)
def test_counts_are_for_this_machine_alone(
    house: House, tmp_path: Path, host: str, headers: dict[str, str], status: int
) -> None:
    assert counted(Settings(state=tmp_path), house, host, headers) == status


def test_in_production_counts_are_for_nobody_without_a_token(house: House, tmp_path: Path) -> None:
    """A proxy on this machine that does not say for whom it speaks would open them to all."""
    settings = Settings(state=tmp_path, environment="production")
    for headers in ({}, {"Authorization": "Bearer any"}):
        assert counted(settings, house, "127.0.0.1", headers) == 403
    settings = Settings(
        state=tmp_path, environment="production", metrics_token=SecretStr("right-token")
    )
    assert counted(settings, house, "127.0.0.1", {"Authorization": "Bearer right-token"}) == 200
    assert counted(settings, house, "127.0.0.1", {}) == 401


@pytest.mark.parametrize(
    ("shown", "status"),
    [("Bearer right-token", 200), ("Bearer wrong", 401), ("right-token", 401), ("", 401)],
)
def test_with_a_token_counts_are_for_whoever_has_it(
    house: House, tmp_path: Path, shown: str, status: int
) -> None:
    settings = Settings(state=tmp_path, metrics_token=SecretStr("right-token"))
    for host in ("127.0.0.1", "10.0.0.7"):
        assert counted(settings, house, host, {"Authorization": shown}) == status


def test_the_docs_are_one_page_without_scripts(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "/v1/authentications" in page.text
    assert client.get("/docs/style.css").status_code == 200
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]
