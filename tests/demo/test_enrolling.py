from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.client import Json, Shown
from demo.enrolling import leaving_out_poor, without_poor
from demo.problems import ApiProblem, FieldProblem

TAKES = tuple(Shown((Path(f"{i}.jpg"),)) for i in range(4))


def refusal(*fields: str) -> ApiProblem:
    return ApiProblem(
        "Poor.",
        next_step="Again.",
        status=422,
        fields=tuple(FieldProblem(f, "Poor.", "Again.") for f in fields),
    )


def test_only_the_captures_that_are_named_are_left_out() -> None:
    error = refusal("captures[1].face", "captures[1].voice", "captures[3]")
    assert without_poor(TAKES, error) == (TAKES[0], TAKES[2])


@pytest.mark.parametrize("field", ["", "name", "pin", "captures"])
def test_a_refusal_of_something_else_leaves_nothing_to_try(field: str) -> None:
    assert without_poor(TAKES, refusal(field)) == ()


def test_it_is_tried_until_what_is_left_is_good() -> None:
    sent: list[int] = []

    def send(takes: Sequence[Shown]) -> Json:
        sent.append(len(takes))
        if len(takes) > 2:
            raise refusal("captures[0].face")
        return {"id": "ada"}

    made = leaving_out_poor(TAKES, send)
    assert (made.answer, made.left_out, sent) == ({"id": "ada"}, 2, [4, 3, 2])


def test_when_none_is_good_the_refusal_is_told() -> None:
    def send(takes: Sequence[Shown]) -> Json:
        raise refusal(*(f"captures[{i}]" for i in range(len(takes))))

    with pytest.raises(ApiProblem):
        leaving_out_poor(TAKES, send)
