"""The API's description is complete: whoever has it needs nothing else."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from api.main import create_app
from api.openapi import operations
from api.paths import needs_key
from api.settings import Settings

DOCUMENT: dict[str, Any] = create_app(Settings()).openapi()
OPERATIONS = {f"{m} {p}": o for p, m, o in operations(DOCUMENT)}
KEYED = {name: o for name, o in OPERATIONS.items() if needs_key(name.split()[1])}

every = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
keyed = pytest.mark.parametrize("operation", KEYED.values(), ids=KEYED)


def fits(value: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole).validate(value)


def test_all_that_the_service_can_do_is_there() -> None:
    assert set(OPERATIONS) >= {
        "POST /v1/authentications", "POST /v1/pin-authentications", "POST /v1/challenges",
        "GET /v1/decisions", "GET /v1/decisions/{decision}", "GET /v1/events",
        "POST /v1/fridges", "GET /v1/fridges/{fridge}", "PATCH /v1/fridges/{fridge}",
        "DELETE /v1/fridges/{fridge}", "POST /v1/fridges/{fridge}/unlock",
        "POST /v1/fridges/{fridge}/members", "GET /v1/fridges/{fridge}/model", "GET /v1/models",
        "GET /v1/models/characterizer", "POST /v1/keys", "GET /v1/keys", "DELETE /v1/keys/{key}",
        "GET /v1/tickets/keys", "GET /v1/audit", "GET /v1/audit/verification", "GET /v1/me",
        "GET /healthz", "GET /readyz", "GET /metrics",
    }  # fmt: skip


@every
def test_every_operation_says_what_it_does(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert set(operation["tags"]) <= {t["name"] for t in DOCUMENT["tags"]}


@every
def test_every_answer_and_body_has_an_example_that_fits_its_schema(
    operation: dict[str, Any],
) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for part in (*bodies, *operation["responses"].values()):
        for content in part.get("content", {}).values():
            assert "example" in content
            if "(bytes)" not in str(content["example"]):
                fits(content["example"], content["schema"])


@every
def test_every_refusal_is_a_problem_and_every_answer_has_its_request_id(
    operation: dict[str, Any],
) -> None:
    for status, answer in operation["responses"].items():
        assert answer["description"]
        assert "X-Request-ID" in answer["headers"]
        if status >= "400" and "readyz" not in operation["operationId"]:
            assert list(answer["content"]) == ["application/problem+json"]
        if status in {"429", "503"}:
            assert "Retry-After" in answer["headers"]


@keyed
def test_every_operation_with_a_key_documents_what_may_come_of_it(
    operation: dict[str, Any],
) -> None:
    assert operation["security"] == [{"key": []}]
    assert set(operation["responses"]) >= {"400", "401", "403", "422", "429", "500", "503"}
    if "requestBody" in operation:
        assert set(operation["responses"]) >= {"408", "413", "415"}


@keyed
def test_every_post_takes_an_idempotency_key(operation: dict[str, Any]) -> None:
    names = [p["name"] for p in operation.get("parameters", ())]
    is_post = operation in [o for name, o in KEYED.items() if name.startswith("POST")]
    assert ("Idempotency-Key" in names) == is_post
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [r for v in value.values() for r in references(v)]
        return [r for v in value for r in references(v)] if isinstance(value, list) else []

    found = set(references(DOCUMENT))
    assert found
    for reference in found:
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_operations_can_be_told_apart() -> None:
    ids = [o["operationId"] for o in OPERATIONS.values()]
    assert len(ids) == len(set(ids))
