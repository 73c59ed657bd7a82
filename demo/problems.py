"""What the demo says when something does not work.

DemoProblem
├── ApiProblem      the API answered with an error
└── ApiAway         the API did not answer
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class DemoProblem(Exception):
    """What went wrong, and what to do about it."""

    def __init__(self, problem: str, *, next_step: str) -> None:
        super().__init__(f"{problem} {next_step}")
        self.problem = problem
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of a request that was not taken."""

    field: str
    problem: str
    next_step: str
    member: str = ""  # whom it is about
    code: str = ""


class ApiProblem(DemoProblem):
    """An answer of the API that is an error (RFC 9457)."""

    def __init__(
        self,
        problem: str,
        *,
        next_step: str,
        status: int,
        code: str = "",
        request_id: str = "",
        retry_after: str = "",
        fields: tuple[FieldProblem, ...] = (),
    ) -> None:
        super().__init__(problem, next_step=next_step)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.fields = fields

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: Any) -> "ApiProblem":
        """Of any error answer: what is missing in it is filled in, never left blank."""
        told: Mapping[str, Any] = body if isinstance(body, dict) else {}
        retry = headers.get("retry-after", "")
        errors = told.get("errors")
        fields = tuple(
            FieldProblem(
                str(e.get("field") or ""),
                str(e.get("problem") or ""),
                str(e.get("next_step") or ""),
                str(e.get("member") or ""),
                str(e.get("code") or ""),
            )
            for e in (errors if isinstance(errors, list) else [])
            if isinstance(e, dict)
        )
        return cls(
            str(told.get("detail") or told.get("title") or _UNSAID.get(status, _UNKNOWN)[0]),
            next_step=str(told.get("next_step") or _UNSAID.get(status, _UNKNOWN)[1]),
            status=status,
            code=str(told.get("code") or ""),
            request_id=str(told.get("request_id") or headers.get("x-request-id", "")),
            retry_after=retry,
            fields=fields,
        )


class ApiAway(DemoProblem):
    """Nobody answered at the API's address, or not in time."""


_UNKNOWN = ("The API answered with an error.", "Try again; the API's log says more.")
_UNSAID = {
    401: ("The API does not know this key.", "Run `make demo` again: it makes new keys."),
    403: ("This key may not do that.", "Use a key with the right role."),
    404: ("The API knows nothing of that name.", "Refresh the page: it may have been removed."),
    413: ("That recording is too large.", "Record a shorter one."),
    429: ("Too many requests.", "Wait a moment and try again."),
    503: ("The service is busy.", "Wait a moment and try again."),
}
