"""Dependencies point one way, and serving stands without what only training needs."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "visavox"
MODULES = sorted(PACKAGE.rglob("*.py"))
SERVING = [m for m in MODULES if "training" not in m.relative_to(PACKAGE).parts]
API = sorted((ROOT / "api").rglob("*.py"))
DEMO = sorted((ROOT / "demo").rglob("*.py"))
TRAINING_ONLY = {
    "torch", "torchaudio", "torchvision", "lightning", "facenet_pytorch", "speechbrain",
    "hydra", "omegaconf", "dvc", "mlflow", "metaflow", "matplotlib", "pandas", "scipy",
    "sklearn", "onnx", "onnxscript", "optuna", "joblib",
}  # fmt: skip
TOP_LEVEL = {
    "configs", "data", "research", "src", "flows", "api", "demo", "ansible", "tests", "docs",
    "reports", "dvc.yaml", "dvc.lock", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE",
    "Makefile", "requirements.lock",
}  # fmt: skip


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named(module: Path) -> str:
    return str(module.relative_to(ROOT))


@pytest.mark.parametrize("module", SERVING, ids=named)
def test_serving_imports_neither_training_nor_what_training_needs(module: Path) -> None:
    for name in imports(module):
        assert name.split(".")[0] not in TRAINING_ONLY, name
        # The command line may start a training; it imports it only inside the command.
        if module.name != "cli.py":
            assert not name.startswith("visavox.training"), name


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_the_package_depends_on_nothing_that_depends_on_it(module: Path) -> None:
    for name in imports(module):
        assert name.split(".")[0] not in {"api", "flows", "demo", "research", "tests"}, name


@pytest.mark.parametrize("module", API, ids=named)
def test_the_api_imports_neither_training_nor_the_demo(module: Path) -> None:
    for name in imports(module):
        assert name.split(".")[0] not in {*TRAINING_ONLY, "demo", "flows", "research", "tests"}, (
            name
        )
        assert not name.startswith(("visavox.training", "visavox.personas")), name


@pytest.mark.parametrize("module", [m for m in API if m.parent.name == "routes"], ids=named)
def test_routes_speak_to_the_service_and_not_to_what_is_below_it(module: Path) -> None:
    below = ("visavox.store", "visavox.pipeline", "visavox.perception", "visavox.bundle")
    for name in imports(module):
        if not name.startswith("visavox.store.records"):  # what the service gives and takes
            assert not name.startswith(below), name


@pytest.mark.parametrize("module", DEMO, ids=named)
def test_the_demo_knows_the_service_over_http_alone(module: Path) -> None:
    """It may read what a training has written, and draw personas; the store and nets it may not."""
    for name in imports(module):
        assert name.split(".")[0] not in {"api", "flows", "research", "tests", "sqlalchemy"}, name
        assert not name.startswith(("visavox.store", "visavox.service", "visavox.training")), name


@pytest.mark.parametrize("module", [*MODULES, *API, *DEMO], ids=named)
def test_modules_stay_short_enough_to_read(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("module", [*MODULES, *API, *DEMO], ids=named)
def test_modules_are_named_for_what_they_hold(module: Path) -> None:
    stem = module.stem
    assert stem not in {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not stem.endswith(("_v2", "_old", "_deprecated"))


@pytest.mark.parametrize("module", [*MODULES, *API, *DEMO], ids=named)
def test_nothing_is_pickled_or_printed_and_left(module: Path) -> None:
    for name in imports(module):
        assert name.split(".")[0] not in {"pickle", "cPickle", "dill", "shelve"}, name


def test_serving_imports_without_torch() -> None:
    """A fresh interpreter in which the training packages cannot be found."""
    names = sorted(
        ".".join(m.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for m in SERVING
        if m.name not in {"cli.py", "__main__.py"}
    )
    assert_imports_without_training(names)


def test_the_api_imports_without_torch_and_opens_nothing(tmp_path: Path) -> None:
    assert_imports_without_training(["api.main", "api.__main__"], cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def assert_imports_without_training(names: list[str], *, cwd: Path = ROOT) -> None:
    program = (
        "import sys\n"
        f"for name in {sorted(TRAINING_ONLY)!r}:\n    sys.modules[name] = None\n"
        "import importlib\n"
        f"for name in {names!r}:\n    importlib.import_module(name)\n"
        "print('imported', len(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("imported")


def test_the_top_level_holds_what_the_house_says_and_nothing_else() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    tops = {line.split("/")[0] for line in listed if line}
    assert {t for t in tops if not t.startswith(".")} <= TOP_LEVEL


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, listed):
        path = ROOT / name
        if not path.is_file() or path.suffix in {".onnx", ".png", ".safetensors"}:
            continue
        text = path.read_text(encoding="utf-8")
        assert "--index-url" not in text or path.name == "test_architecture.py", name
        if path.name == "requirements.lock":
            assert "://" not in text, "the lock names a registry's address"
