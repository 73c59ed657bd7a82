"""A step is a function to code, and a command with clean errors to a shell."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from visavox.config import settings
from visavox.errors import ConfigError, DataError
from visavox.training import tracking
from visavox.training.stage import Stage, configs, stage
from visavox.training.tracking import Run

STEP = '''
from visavox.config import settings
from visavox.errors import DataError
from visavox.training.stage import stage
from visavox.training.tracking import Run

@settings
class Toy:
    x: float
    fail: bool = False
    mode: str = ""

@stage(Toy)
def toy(settings: Toy, run: Run) -> float:
    """Squares."""
    if settings.fail:
        raise DataError("Bad data came.", next_step="Mend it.")
    with open(f"out-{settings.x}", "w") as file:
        file.write(f"{settings.x ** 2} {settings.mode} {run.id}")
    return settings.x ** 2

if __name__ == "__main__":
    toy.main()
'''
CONFIG = """
defaults:
  - _self_
  - hydra: default
  - override hydra/launcher: joblib
x: 2
fail: false
mode: ${hydra:mode}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "configs" / "hydra").mkdir(parents=True)
    (tmp_path / "toy.py").write_text(STEP)
    (tmp_path / "configs" / "toy.yaml").write_text(CONFIG)
    house = Path(__file__).parents[2] / "configs" / "hydra" / "default.yaml"
    (tmp_path / "configs" / "hydra" / "default.yaml").write_text(house.read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.OFF)
    return tmp_path


def shell(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        env={"MLFLOW_TRACKING_URI": tracking.OFF, "PATH": "/usr/bin:/bin", "HOME": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def refused(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a step that refuses its overrides says; in this process, as Hydra takes a second."""
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "toy", raising=False)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # so that it is forgotten again:
    monkeypatch.delenv("HYDRA_FULL_ERROR")  # `main` sets it
    toy = importlib.import_module("toy")

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["toy", *arguments])
        with pytest.raises(SystemExit) as ended:
            toy.toy.main()
        assert ended.value.code == 2
        assert not list(place.glob("out-*"))
        return capsys.readouterr().err

    return call


def test_the_config_of_its_name_is_composed_and_overridden(place: Path) -> None:
    done = shell(place, "-m", "toy", "x=5")
    assert done.returncode == 0, done.stderr
    assert (place / "out-5.0").read_text() == "25.0 RUN "
    left = {p.name for p in place.iterdir()} - {"toy.py", "configs", "__pycache__"}
    assert left == {".cache", "out-5.0"}, "leftovers go to .cache"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fail=true"], "DataError: Bad data came.\n  → Mend it.\n"),
        (["+nope=1"], "nope: unknown key"),
        (["nope=1"], "Could not override 'nope'"),
        (["x=red"], "x: Input should be a valid number"),
        (["x=???"], "Missing mandatory value: x"),
        (["x=${nowhere}"], "'nowhere' not found"),
        (["-m", "x=1,3", "fail=true", "hydra.launcher.n_jobs=1"], "DataError: Bad data came."),
    ],
)
def test_what_is_wrong_is_said_in_one_message(
    refused: Callable[..., str], arguments: list[str], message: str
) -> None:
    said = refused(*arguments)
    assert message in said
    assert "Traceback" not in said


def test_a_step_started_as_a_file_says_how_to_start_it(place: Path) -> None:
    done = shell(place, "toy.py")
    assert done.returncode == 2
    assert "python -m" in done.stderr


def test_a_sweep_runs_every_combination_in_its_own_process(place: Path) -> None:
    done = shell(place, "-m", "toy", "-m", "x=1,3", "hydra.launcher.n_jobs=2")
    assert done.returncode == 0, done.stderr
    assert (place / "out-1.0").read_text() == "1.0 MULTIRUN "
    assert (place / "out-3.0").read_text() == "9.0 MULTIRUN "


@settings
class Doubling:
    x: int = 1


@stage(Doubling)
def doubling(settings: Doubling, run: Run) -> int:
    """Doubles."""
    run.metrics({"y": 2.0 * settings.x})
    return 2 * settings.x


def test_to_code_a_step_is_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(doubling, Stage)
    assert doubling(Doubling(x=4), tracking.untracked()) == 8
    assert (doubling.name, doubling.__doc__) == ("doubling", "Doubles.")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.OFF)
    assert doubling.run({"x": 3}) == 6


def test_composed_values_are_validated_at_the_door() -> None:
    with pytest.raises(ConfigError, match=r"configuration of 'doubling'.*y: unknown key"):
        doubling.run({"x": 1, "y": 2})


def test_a_name_may_be_given() -> None:
    @stage(Doubling, name="other")
    def some(settings: Doubling, run: Run) -> None:
        raise DataError("x", next_step="y")

    assert some.name == "other"


def test_configs_are_those_of_the_working_directory_then_of_the_checkout(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    assert configs("toy") == place / "configs"
    assert configs("features") == Path(__file__).parents[2] / "configs"
    with pytest.raises(ConfigError, match=r"no configs/nothing\.yaml"):
        configs("nothing")
