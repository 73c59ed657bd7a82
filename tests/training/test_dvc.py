"""The pipeline as DVC runs it: complete deps, nothing done twice, and only what changed."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]

NOT_WRITTEN = {
    # These say where, when and how loudly a step runs, or pass on what is validated elsewhere;
    # none of them decides what it writes.
    "src/visavox/__init__.py",
    "src/visavox/config.py",
    "src/visavox/errors.py",
    "src/visavox/training/__init__.py",
    "src/visavox/training/dataset.py",
    "src/visavox/training/progress.py",
    "src/visavox/training/provenance.py",
    "src/visavox/training/stage.py",
    "src/visavox/training/tracking.py",
}


def file_of(name: str) -> Path | None:
    path = SRC.joinpath(*name.split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def behind(module: str) -> set[str]:
    """Every file of the package that importing `module` runs."""
    found: set[Path] = set()
    todo = [module]
    while todo:
        path = file_of(todo.pop())
        if path is not None and path not in found:
            found.add(path)
            todo += [name for name in imported(path) if name.startswith("visavox")]
    return {str(path.relative_to(ROOT)) for path in found}


@pytest.mark.parametrize("name", list(STAGES))
def test_a_stage_depends_on_every_module_that_decides_what_it_writes(name: str) -> None:
    deps = [d for d in STAGES[name]["do"]["deps"] if d.startswith("src/")]
    needed = behind(f"visavox.training.{name}") - NOT_WRITTEN
    uncovered = {f for f in needed if not any(f == d or f.startswith(f"{d}/") for d in deps)}
    assert not uncovered, "add them to the stage's deps in dvc.yaml"
    unused = {d for d in deps if not any(f == d or f.startswith(f"{d}/") for f in needed)}
    assert not unused, "remove them from the stage's deps in dvc.yaml"


@pytest.mark.parametrize("name", list(STAGES))
def test_a_stage_its_module_its_function_and_its_config_share_one_name(name: str) -> None:
    from importlib import import_module

    from visavox.training.stage import Stage

    assert (ROOT / "configs" / f"{name}.yaml").is_file()
    assert STAGES[name]["do"]["cmd"].startswith(f"python -m visavox.training.{name} data=")
    module = import_module(f"visavox.training.{name}")
    assert isinstance(getattr(module, name), Stage)
    assert getattr(module, name).name == name


@pytest.mark.parametrize("name", list(STAGES))
def test_a_stage_follows_its_own_config(name: str) -> None:
    params = [key for entry in STAGES[name]["do"]["params"] for key in entry]
    assert f"configs/{name}.yaml" in params


TINY: dict[str, Any] = {
    "configs/data/cohort.yaml": {
        "name": "cohort",
        "personas": {"population": 3, "fridges": 0, "members": 0, "cohort": 20, "seconds": 2.0,
                     "cohort_captures": 3, "cohort_sessions": 3},
    },
    "configs/data/demo.yaml": {
        "name": "demo", "cohort": "cohort", "reports": "reports/demo",
        "personas": {"population": 5, "members": 2, "enrol": 2, "enrol_sessions": 1, "probe": 1,
                     "probe_sessions": 1, "strangers": 2, "stranger_captures": 1, "seconds": 2.0},
    },
    "configs/gate/demo.yaml": {
        "population": "personas",
        "limits": [{"metric": "fused.cllr", "at_most": 100.0}],
    },
}  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout whose datasets are tiny."""
    skip = shutil.ignore_patterns("__pycache__", "*.pyc", "tmp", "cache")
    for name in ("configs", "src/visavox", ".dvc"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
    (tmp_path / "data").mkdir()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", "data/.gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name, values in TINY.items():
        (tmp_path / name).write_text(yaml.safe_dump(values))
    edit(tmp_path / "configs/train.yaml", validation={"rounds": 0}, discriminator={"folds": 2})
    edit(tmp_path / "configs/discriminator/base.yaml", least_people=8)
    edit(tmp_path / "configs/base.yaml", discriminator={"folds": 2}, newcomers={"members": 4})
    edit(tmp_path / "configs/evaluate/reporting/full.yaml", replicates=20)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def edit(path: Path, **values: Any) -> None:
    known = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(known | values))


def repro(checkout: Path, target: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", target],
        cwd=checkout,
        env=os.environ
        | {
            "DVC_SITE_CACHE_DIR": str(checkout / ".cache" / "dvc"),
            "MLFLOW_TRACKING_URI": "off",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(checkout / "src"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_pipeline_runs_from_nothing_and_does_nothing_twice(checkout: Path) -> None:
    first = repro(checkout, "gate@demo")
    for name, described in STAGES.items():
        if "demo" in described["foreach"]:
            assert f"Running stage '{name}@demo'" in first
    assert "demo: 8 captures, 8 embedded anew" in first
    assert "benchmark" not in first
    for made in (
        "reports/demo/evaluate.json",
        "reports/demo/gate.json",
        "data/bundles/demo/fridge-00",
    ):
        assert (checkout / made).exists()
    untracked = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all", "data", ".dvc"],
        cwd=checkout, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert {line.split()[-1] for line in untracked.splitlines()} <= {
        "data/.gitignore", ".dvc/config", ".dvc/.gitignore"
    }, "captures and models stay out of git"  # fmt: skip

    assert "Running stage" not in repro(checkout, "gate@demo")

    made = repro(checkout, "base@cohort")
    assert "Running stage 'base@cohort'" in made
    assert "Running stage 'features@cohort'" not in made
    assert list((checkout / "data/bundles/cohort/base").glob("*/manifest.json"))

    demo = TINY["configs/data/demo.yaml"]
    edit(checkout / "configs/data/demo.yaml", personas=demo["personas"] | {"clips": 1})
    changed = repro(checkout, "features@demo")
    assert "demo: 9 captures, 1 embedded anew" in changed
    assert "Running stage 'data@cohort'" not in changed
