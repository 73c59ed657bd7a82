"""What the tabs make of the API's answers, where no browser is needed to see it."""

import json
from pathlib import Path

import pytest

from demo.tabs import decisions, lab, members

MEMBER = {
    "id": "f00m00",
    "name": "Alex",
    "number": "17",
    "locale": "fr",
    "captures": 5,
    "has_pin": True,
    "created_at": "2026-11-28T19:40:00Z",
}


def test_a_line_per_member_under_the_headings() -> None:
    lines = members.rows([MEMBER, {**MEMBER, "id": "f00m01", "has_pin": False}])
    assert lines[0] == ["Alex", "f00m00", "17", "Français", "5", "yes", "28 Nov 19:40:00"]
    assert lines[1][5] == "no"
    assert all(len(line) == len(members.HEADERS) for line in lines)


def test_a_line_per_decision_even_of_those_that_scored_nothing() -> None:
    granted = {
        "id": "dec_1",
        "at": "2026-11-28T19:40:00Z",
        "outcome": "granted",
        "method": "biometric",
        "member": {"id": "f00m00", "name": "Alex"},
        "reasons": ["match"],
        "scores": {"threshold": 3.7, "candidates": [{"member": "f00m00", "fused": 9.04}]},
    }
    locked = {"id": "dec_2", "outcome": "locked", "member": None, "reasons": ["locked"]}
    lines = decisions.rows([granted, locked], {})
    assert lines[0][1:7] == ["Granted", "Alex", "biometric", "face and voice match", "+9.0", "+3.7"]
    assert lines[1][1:7] == ["Locked", "–", "", "too many failures", "–", "–"]
    # The last cell is what a click on the line asks for.
    assert [line[-1] for line in lines] == ["dec_1", "dec_2"]
    assert all(len(line) == len(decisions.HEADERS) for line in lines)


@pytest.mark.parametrize(
    ("passed", "word"), [(True, "<b>passed</b>"), (False, "<b>did not pass</b>.<br>EER &lt; 1")]
)
def test_the_gates_verdict_is_told_with_its_reasons(
    passed: bool, word: str, tmp_path: Path
) -> None:
    reasons = [] if passed else ["EER < 1"]
    (tmp_path / "gate.json").write_text(json.dumps({"passed": passed, "reasons": reasons}))
    assert word in lab.gate(tmp_path)


def test_no_verdict_is_told_where_there_is_none(tmp_path: Path) -> None:
    assert lab.gate(tmp_path) == ""
    (tmp_path / "gate.json").write_text("{")
    assert lab.gate(tmp_path) == ""


def test_trials_are_read_again_when_they_were_measured_again(tmp_path: Path) -> None:
    from tests.demo.test_lab import stored

    path = tmp_path / "trials.safetensors"
    stored(path)
    first = lab.trials(path)
    assert lab.trials(path) is first
    path.unlink()
    stored(path, seed=1)
    assert lab.trials(path) is not first
