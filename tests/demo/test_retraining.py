"""Following a retraining, and what the page says of it."""

import json
from typing import Any

import pytest

from demo import cards_retraining
from demo.retraining import Progress, follow
from tests.demo.script import Script, scripted

RUN = "run_1"


def stream(*events: tuple[str, dict[str, Any]]) -> bytes:
    return "".join(
        f"id: {i}\nevent: {kind}\ndata: {json.dumps(told)}\n\n"
        for i, (kind, told) in enumerate(events, 1)
    ).encode()


def line(step: str, state: str, fridge: str | None = "demo", **detail: Any) -> tuple[str, Any]:
    return "progress", {"step": step, "state": state, "fridge": fridge, "detail": detail}


def followed(script: Script, patience: float = 60.0) -> list[Progress]:
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    with scripted(script) as client:
        return list(follow(client, "demo", patience=patience, clock=lambda: now[0], pause=pause))


def test_a_change_is_followed_from_waiting_to_the_end_of_its_run() -> None:
    script = Script()
    script.say(200, [{"id": "ret_1", "run": None}])
    script.say(200, [{"id": "ret_1", "run": RUN}])
    script.say(
        200,
        stream(
            line("snapshot", "begun", None),
            line("snapshot", "done", None, commit="abcdef0123"),
            line("train", "failed", "another"),
            line("train", "begun"),
            ("end", {"state": "done", "data_version": "snapshot/run_1"}),
        ),
    )
    script.say(200, [])
    seen = followed(script)
    assert [p.run for p in seen[:2]] == [None, RUN]
    assert seen[-1].passed
    assert seen[-1].state("snapshot") == ("done", {"commit": "abcdef0123"})
    assert seen[-1].state("train")[0] == "begun"  # the other fridge's failure is not this one's


def test_a_run_that_fails_is_followed_into_the_next_one() -> None:
    script = Script()
    script.say(200, [{"id": "ret_1", "run": RUN}])
    script.say(200, stream(("end", {"state": "failed", "error": "The gate refused."})))
    script.say(200, [{"id": "ret_1", "run": RUN}])
    script.say(200, [{"id": "ret_1", "run": "run_2"}])
    script.say(200, stream(("end", {"state": "done"})))
    script.say(200, [])
    ends = [p for p in followed(script) if p.ended]
    assert [p.passed for p in ends] == [False, True]


def test_without_a_worker_the_page_stops_waiting_and_says_why() -> None:
    script = Script()
    for _ in range(10):
        script.say(200, [{"id": "ret_1", "run": None}])
    last = followed(script, patience=2.0)[-1]
    assert last.given_up
    assert "No worker" in cards_retraining.retraining(last)


def test_each_step_stands_with_its_sign_and_what_it_found() -> None:
    lines = [
        told
        for _, told in (
            line("judge", "done", reasons=["no worse than the champion"], family="plda"),
            line("register", "failed", error="<the registry is away>"),
        )
    ]
    shown = cards_retraining.retraining(Progress(RUN, tuple(lines)))
    assert "plda, no worse than the champion" in shown
    assert "&lt;the registry is away&gt;" in shown
    assert "vx-step-failed" in shown
    assert shown.count("vx-step-open") == 5


@pytest.mark.parametrize(
    ("state", "title"), [("pending", "Receipt to come"), ("complete", "Receipt")]
)
def test_a_receipt_is_told_as_it_stands(state: str, title: str) -> None:
    told = {
        "id": "rec_1",
        "state": state,
        "document": {
            "removed": {"captures": [1, 2, 3]},
            "proof": {"outcome": "refused", "answer": "another_member"},
        },
        "signature": "c2ln",
    }
    shown = cards_retraining.receipt(told, "Ada <Lovelace>")
    assert f"<h3>{title}</h3>" in shown
    assert "Ada &lt;Lovelace&gt;" in shown
    assert ("refused" in shown) is (state == "complete")
    # What the proof says is told, also where it is not what was hoped for.
    assert ("for <b>another member</b>" in shown) is (state == "complete")


def test_the_standing_names_champion_challenger_and_the_one_before() -> None:
    shown = cards_retraining.standing(
        {
            "bundle": "a" * 64,
            "challenger": {"digest": "b" * 64, "mode": "split", "share": 0.2},
            "previous": None,
            "lineage": {},
        }
    )
    assert "aaaaaaaaaaaa…" in shown
    assert "decides 20% of requests" in shown
    assert "none" in shown
