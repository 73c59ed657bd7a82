"""The API's description: what FastAPI knows, and what the middleware does to every request."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import problems
from api.paths import takes_captures
from visavox import __version__

VERSION: Final = __version__

_DESCRIPTION = """
Face and voice open a shared fridge. A kiosk sends a capture and gets a decision; an admin keeps
fridges, members and keys; an auditor reads what was decided.

* **Keys**: `Authorization: Bearer vx_<key id>_<secret>`, of the role `kiosk`, `admin` or `auditor`.
* **Errors** are problem details (RFC 9457) with a `code` for programs, and a `detail` and
  `next_step` for people.
* **Lists** come in pages: send `next_cursor` back as `cursor`.
* **Changes** may name the version that they are meant for: `If-Match: "<version>"`, else 412.
* **Creating twice** is avoided by an `Idempotency-Key`, kept for 24 hours.
* Every answer has an `X-Request-ID`: yours if you sent one.
"""

_TAGS: Final = {
    "decisions": "What a kiosk asks for, and what was decided.",
    "fridges": "Fridges, their compartments and locks.",
    "compartments": "What a ticket opens.",
    "members": "People, their captures and PINs.",
    "grants": "Who may open what.",
    "models": "What decides.",
    "retrainings": "How members' changes come to be in the model.",
    "experiments": "A challenger beside the champion, and who really stood there.",
    "receipts": "What was erased, and the signed proof that the fridge forgot.",
    "keys": "Who may ask.",
    "tickets": "What a lock needs.",
    "audit": "The log that shows when it was altered.",
    "health": "For whoever keeps the service running.",
}

_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "A text of your own, once per thing to be made: the same request again gives the same"
        " answer, with `Idempotency-Replayed: true`. Kept for 24 hours."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "7f6c3c1e-9a55-4d0a-8a4e-0c3a3f6f6f10",
}
_REQUEST_ID: Final = {
    "description": "The request's id, as in the logs and the audit.",
    "schema": {"type": "string"},
    "example": "3f0b3c2a9d5e4c1f",
}


def install(app: FastAPI) -> None:
    """Let `app.openapi()` give the whole description."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=_DESCRIPTION.strip(),
        routes=app.routes,
        tags=[{"name": name, "description": said} for name, said in _TAGS.items()],
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (problems.Problem, problems.FieldProblem):
        made = model.model_json_schema(ref_template="#/components/schemas/{model}")
        made.pop("$defs", None)
        schemas[model.__name__] = made
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, method, operation in operations(document):
        _complete(path, method, operation, schemas)
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation with its path and method."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield path, method.upper(), operation


def _complete(
    path: str, method: str, operation: dict[str, Any], schemas: Mapping[str, Any]
) -> None:
    answers = operation["responses"]
    body = operation.get("requestBody")
    if body is not None:
        answers |= {
            str(s): problems.may(s)[s] for s in (400, 408, 413, 415) if str(s) not in answers
        }
    if takes_captures(method, path):
        answers.setdefault("504", problems.may(504)[504])
    if method == "POST" and path.startswith("/v1/"):
        operation.setdefault("parameters", []).append(_IDEMPOTENCY)
        answers.setdefault("409", problems.may(409)[409])
    for status, answer in answers.items():
        answer.setdefault("headers", {})["X-Request-ID"] = _REQUEST_ID
        if status in {"429", "503"}:
            answer["headers"]["Retry-After"] = {
                "description": "Seconds to wait.", "schema": {"type": "integer"}, "example": 1,
            }  # fmt: skip
    operation["responses"] = dict(sorted(answers.items()))
    for content in _contents(operation):
        schema = content.get("schema")
        if schema and "example" not in content and "examples" not in content:
            content["example"] = example(schema, schemas)


def _contents(operation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for part in (operation.get("requestBody"), *operation["responses"].values()):
        yield from (part or {}).get("content", {}).values()


def example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """What a value of `schema` looks like, from the examples of its fields."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    for given in ("example", "const", "default"):
        if given in schema:
            return schema[given]
    if schema.get("examples"):
        return schema["examples"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return example(schema[choice][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    return _plain(schema, schemas)


def _plain(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: example(field, schemas) for name, field in fields.items()}
        case "array":
            return [example(schema.get("items", {}), schemas)]
        case "integer":
            return schema.get("minimum", 1)
        case "number":
            return 0.5
        case "boolean":
            return True
        case "null":
            return None
    if schema.get("format") == "date-time":
        return "2026-03-01T12:00:00Z"
    if schema.get("format") == "binary" or "contentMediaType" in schema:
        return "(bytes)"
    return "text"
