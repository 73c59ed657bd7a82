"""Errors on the wire: RFC 9457 problem details. Which error has which status is written here alone.

Everything in an answer comes from our own words: no input is repeated, no cause is shown.
"""

import http
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from visavox import errors
from visavox.errors import ServiceError, VisavoxError

MEDIA_TYPE: Final = "application/problem+json"
_TYPE = "https://visavox.dev/problems/"
_log = logging.getLogger("visavox.api")

STATUS: Final[Mapping[type[VisavoxError], int]] = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Stale: 412,
    errors.Sealed: 410,
    errors.BadCursor: 422,
    errors.BlobError: 503,
    errors.Busy: 503,
    errors.NotMigrated: 503,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Invalid: 422,
    errors.Refused: 422,
    errors.SeveralPeople: 422,
    errors.AlreadyEnrolled: 409,
    errors.ChallengeRefused: 409,
    errors.RateLimited: 429,
    errors.Overloaded: 503,
    errors.Unavailable: 503,
    errors.IdempotencyInFlight: 409,
    errors.IdempotencyMismatch: 422,
    errors.CaptureError: 422,
    errors.ConfigError: 500,
}
"""Any other error is a fault of ours: 500."""

TITLES: Final[Mapping[int, str]] = {
    400: "The request cannot be read",
    401: "No valid key",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "No such representation",
    408: "The body took too long",
    409: "Conflict",
    410: "Gone",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not acceptable as it is",
    429: "Too many requests",
    500: "A fault of ours",
    503: "Not now",
    504: "Too slow",
}
_NEXT: Final[Mapping[int, str]] = {
    400: "Send what the API's description asks for, at /openapi.json.",
    404: "Check the address; /openapi.json lists them.",
    405: "Use a method that /openapi.json lists for this address.",
    413: "Send less at once.",
    415: "Send JSON, or multipart/form-data where captures are asked for.",
    500: "Try again; if it stays so, tell the operator the request id.",
}
_CODES: Final[Mapping[int, str]] = {
    400: "malformed",
    404: "no_such_address",
    405: "method_not_allowed",
    408: "upload_too_slow",
    413: "too_large",
    415: "media_type",
    500: "internal",
    504: "too_slow",
}
_RETRY_S = 1.0


class FieldProblem(BaseModel):
    """One thing that is wrong with a request."""

    field: str | None = Field(None, examples=["name"])
    problem: str = Field(examples=["It must have 1 to 100 characters."])
    next_step: str = Field(examples=["Give a shorter name."])
    code: str | None = Field(None, examples=["string_too_long"])
    member: str | None = Field(None, description="Whom it is about.", examples=[None])


class Problem(BaseModel):
    """Why a request was not granted, for programs (`code`) and people (`detail`, `next_step`)."""

    type: str = Field(examples=[f"{_TYPE}not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no fridge 'attic'."])
    instance: str = Field(examples=["/v1/fridges/attic"])
    code: str = Field(examples=["not_found"])
    next_step: str = Field(examples=["Check the id."])
    request_id: str = Field(examples=["3f0b3c2a9d5e4c1f"])
    errors: list[FieldProblem] | None = Field(None, examples=[None])


def may(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem answers that a route documents, beside those that every route may give."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    example = {
        "type": f"{_TYPE}{_CODES.get(status, 'code')}",
        "title": TITLES[status],
        "status": status,
        "detail": "What went wrong, in a sentence.",
        "instance": "/v1/…",
        "code": _CODES.get(status)
        or next((kind.code for kind, s in STATUS.items() if s == status), "code"),
        "next_step": _NEXT.get(status, "What to do about it."),
        "request_id": "3f0b3c2a9d5e4c1f",
    }
    example["type"] = f"{_TYPE}{example['code']}"
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": TITLES[status],
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }


def problem(
    status: int,
    *,
    detail: str,
    instance: str,
    request_id: str,
    code: str | None = None,
    next_step: str | None = None,
    found: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says why not."""
    code = code or _CODES.get(status) or f"http_{status}"
    body: dict[str, Any] = {
        "type": f"{_TYPE}{code}",
        "title": TITLES.get(status) or http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "next_step": next_step or _NEXT.get(status, "Read /openapi.json."),
        "request_id": request_id,
    }
    if found:
        body["errors"] = list(found)
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, status, dict(headers or {}), MEDIA_TYPE)


def answer(error: VisavoxError, *, instance: str, request_id: str) -> Response:
    """An error of the house as it is told outside."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    headers: dict[str, str] = {}
    found: list[dict[str, Any]] = []
    wait = _RETRY_S if status == 503 else None
    if isinstance(error, ServiceError):
        wait = error.retry_after_s if error.retry_after_s is not None else wait
        found = [
            {
                "field": f.field,
                "problem": f.problem,
                "next_step": f.next_step,
                "code": f.code,
                "member": f.member,
            }
            for f in error.findings
        ]
    if wait is not None:
        headers["Retry-After"] = str(max(1, -int(-wait // 1)))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="visavox"'
    detail, code = error.problem, error.code
    next_step: str | None = error.next_step
    if status == 500:
        _log.error("%s in request %s: %s", type(error).__name__, request_id, error)
        detail, next_step, code = "Something failed inside the service.", None, "internal"
    return problem(
        status,
        detail=detail,
        instance=instance,
        request_id=request_id,
        code=code,
        next_step=next_step,
        found=found,
        headers=headers,
    )


def install(app: FastAPI) -> None:
    """Let every error of `app` be answered as a problem."""
    app.add_exception_handler(VisavoxError, _house_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


class _Told(TypedDict):
    """What each problem says about its request."""

    instance: str
    request_id: str


def told(request: Request) -> _Told:
    request_id = str(getattr(request.state, "request_id", ""))
    return {"instance": request.url.path, "request_id": request_id}


def _house_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, VisavoxError)
    return answer(error, **told(request))


def http_answer(error: HTTPException, *, instance: str, request_id: str) -> Response:
    """The framework's own errors: no such address, method or media type; too large, too slow."""
    said = {404: "There is nothing at this address.", 405: "This address has no such method."}
    plain = http.HTTPStatus(error.status_code).phrase
    own = error.detail if isinstance(error.detail, str) and error.detail != plain else None
    return problem(
        error.status_code,
        detail=own or said.get(error.status_code, f"{plain}."),
        headers=error.headers,
        instance=instance,
        request_id=request_id,
    )


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return http_answer(error, **told(request))


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = error.errors()
    if any(e["type"] == "json_invalid" for e in wrong):
        place = next(e["loc"][-1] for e in wrong if e["type"] == "json_invalid")
        return problem(400, detail=f"The body is no JSON (character {place}).", **told(request))
    return problem(
        422,
        detail="Some values cannot be.",
        code="invalid",
        next_step="Correct the fields named in `errors`.",
        found=[_field_problem(e) for e in wrong[:50]],
        **told(request),
    )


def _field_problem(wrong: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with one field; its value is not repeated, it may be a secret."""
    where = wrong["loc"][1:] if len(wrong["loc"]) > 1 else wrong["loc"]
    kind, message = str(wrong["type"]), str(wrong["msg"])
    if kind in {"value_error", "assertion_error"}:
        message = message.split(", ", 1)[-1]
    place = ".".join(str(step)[:80] for step in where)
    next_step = {
        "missing": "Give it.",
        "extra_forbidden": "Leave it out.",
        "string_pattern_mismatch": "See the pattern in /openapi.json.",
    }.get(kind, "Give a value that fits.")
    return {"field": place, "problem": f"{message}.", "next_step": next_step, "code": kind}
