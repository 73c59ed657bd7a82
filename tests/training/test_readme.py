"""The README shows what the reports hold, and nothing else."""

import re
from pathlib import Path

import pytest

from visavox.errors import DataError
from visavox.training import readme

ROOT = Path(__file__).parents[2]


def test_the_readme_is_what_the_reports_make_of_it() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert readme.fill(text, readme.read_reports(ROOT)) == text, "run: make readme"


def test_a_changed_figure_changes_the_table() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    reports = readme.read_reports(ROOT)
    other = {**reports, "bench.json": {**reports["bench.json"], "decision_ms_median": 123.4}}
    assert "123.4 ms" in readme.fill(text, other)


def test_figures_show_their_interval_and_absent_ones_say_so() -> None:
    lines = [readme.Line("EER", "fused/eer", readme.percent, "≤ 1 %"), readme.Line("x", "a/b", str)]
    made = readme.table({"fused": {"eer": 0.01, "eer_ci": [0.005, 0.02]}}, lines)
    assert "| EER | 1.00 % | 0.50 % – 2.00 % | ≤ 1 % |" in made
    assert "| x | not measured |  |  |" in made


def test_a_readme_without_the_place_for_a_table_is_refused() -> None:
    with pytest.raises(DataError, match="accuracy"):
        readme.fill("# nothing here", {"evaluate.json": {}, "bench.json": {}})


def test_every_make_target_that_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|\\$ )make ([a-z-]+)", text))
    assert named
    assert named <= targets


def test_every_module_and_file_that_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for module in re.findall(r"python -m (visavox[\w.]+)", text):
        path = ROOT / "src" / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link
