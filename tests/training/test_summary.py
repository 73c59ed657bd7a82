"""What the person who waited for a run is told at its end."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from visavox.errors import DataError
from visavox.manifest import Manifest, Row
from visavox.training import summary
from visavox.training.summary import Asked
from visavox.types import Candidate, Decision, Outcome


def shown(renderable: object) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def row(person: str, fridge: str, split: str) -> Row:
    return Row(f"{person}-{split}", person, fridge, "s", split)


MEMBER, STRANGER = row("ada", "f00", "probe"), row("eve", "", "stranger")


def test_figures_stand_with_interval_and_people() -> None:
    report = {"fused": {"eer": 0.0012, "eer_ci": [0.0, 0.0111], "eer_people": 400}}
    said = shown(summary.figures(report))
    assert "0.12 %" in said
    assert "0.00 % – 1.11 %" in said
    assert "400" in said


def test_answers_say_who_stood_there_and_what_was_asked_for() -> None:
    granted = Decision(
        Outcome.GRANTED, "ada", ("match",), "Open.", (Candidate("ada", 9.5, 5.0, 4.5),), 5.5
    )
    retry = Decision(Outcome.RETRY, None, ("no_face",), "Come closer.", (), None)
    said = shown(summary.answers([Asked(MEMBER, granted), Asked(STRANGER, retry)]))
    for part in ("member ada", "granted ada", "+9.5", "+5.5", "stranger eve", "Come closer."):
        assert part in said


def test_it_shows_what_was_not_learnt_from(tmp_path: Path) -> None:
    people = Manifest(tmp_path, (row("ada", "f00", "enrol"), MEMBER, STRANGER))
    assert summary.some(people, "f00") == [MEMBER, STRANGER]
    with pytest.raises(DataError, match="no probe"):
        summary.some(Manifest(tmp_path, (MEMBER,)), "f00")
