"""Where a figure comes from."""

import subprocess
from pathlib import Path

import pytest

from visavox.training import provenance


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    for name in ("code.py", "dvc.lock", "reports/evaluate.json"):
        (tmp_path / name).write_text("1")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    return tmp_path


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    assert provenance.commit() == provenance.Commit(git("rev-parse", "HEAD"), dirty=False)


def test_changed_code_is_dirty(checkout: Path) -> None:
    (checkout / "code.py").write_text("2")
    assert provenance.commit().dirty


def test_what_a_run_writes_is_not(checkout: Path) -> None:
    (checkout / "dvc.lock").write_text("2")
    (checkout / "reports" / "evaluate.json").write_text("2")
    (checkout / "untracked").write_text("2")
    assert not provenance.commit().dirty


def test_a_subfolder_is_of_the_same_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "code.py").write_text("2")
    assert provenance.commit(checkout / "reports").dirty


def test_no_checkout_is_said_to_be_unknown_and_dirty(tmp_path: Path) -> None:
    assert provenance.commit(tmp_path) == provenance.Commit("unknown", dirty=True)


def test_git_that_is_not_installed_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit().sha == "unknown"


def test_measured_names_time_code_and_machine(checkout: Path) -> None:
    found = provenance.measured()
    assert list(found) == ["date", "commit", "dirty", "processor", "cores", "python"]
    assert found["date"].endswith("+00:00")
    assert found["cores"] >= 1
    assert found["processor"]


def test_a_digest_names_values_not_their_order() -> None:
    one = provenance.digest({"a": 1, "b": {"c": [1, 2]}})
    assert one == provenance.digest({"b": {"c": [1, 2]}, "a": 1})
    assert one != provenance.digest({"a": 1, "b": {"c": [2, 1]}})
    assert len(one) == 64


def test_a_datasets_hash_follows_its_manifest(tmp_path: Path) -> None:
    assert provenance.data_hash(tmp_path) == "unknown"
    (tmp_path / "manifest.csv").write_text("a")
    first = provenance.data_hash(tmp_path)
    (tmp_path / "manifest.csv").write_text("b")
    assert provenance.data_hash(tmp_path) not in (first, "unknown")


def test_dvcs_hash_is_read_from_its_lock(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    out = Path("data/demo")
    assert provenance.dvc_hash(out, lock=lock) == "unknown"
    lock.write_text(
        "schema: '2.0'\nstages:\n"
        "  data@demo:\n    cmd: x\n    outs:\n    - path: data/demo\n      md5: abc.dir\n"
        "  gate@demo:\n    cmd: y\n"
    )
    assert provenance.dvc_hash(out, lock=lock) == "abc.dir"
    assert provenance.dvc_hash(Path("data/other"), lock=lock) == "unknown"
    lock.write_text("")
    assert provenance.dvc_hash(out, lock=lock) == "unknown"
