"""No secret is made up outside development, and what is wrong is said by its name."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.__main__ import app as commands
from api.settings import Settings
from visavox.errors import ConfigError, NotMigrated
from visavox.store.keyring import MasterKey

GOOD = MasterKey.made().text()


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("VISAVOX_"):
            monkeypatch.delenv(name)


def production(monkeypatch: pytest.MonkeyPatch, folder: Path, **variables: str) -> Settings:
    monkeypatch.setenv("VISAVOX_ENVIRONMENT", "production")
    monkeypatch.setenv("VISAVOX_STATE", str(folder))
    for name, value in variables.items():
        monkeypatch.setenv(f"VISAVOX_{name}", value)
    return Settings.read()


def test_development_makes_its_own_secrets_once_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VISAVOX_STATE", str(tmp_path))
    first, again = Settings.read(), Settings.read()
    assert first.keyring().ids == again.keyring().ids
    assert first.signer().kid == again.signer().kid
    made = sorted((tmp_path / "development").iterdir())
    assert [p.name for p in made] == ["master.key", "ticket.key"]
    assert {p.stat().st_mode & 0o777 for p in made} == {0o600}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "VISAVOX_MASTER_KEY_FILE"),
        ({"TICKET_KEY": GOOD}, "VISAVOX_MASTER_KEY_FILE"),
        ({"MASTER_KEY": GOOD}, "VISAVOX_TICKET_KEY_FILE"),
    ],
)
def test_production_does_not_start_without_its_secrets_and_names_what_to_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], missing: str
) -> None:
    Settings(state=tmp_path).check()  # what development made is not taken
    with pytest.raises(ConfigError, match=missing):
        production(monkeypatch, tmp_path, **given).check()


def test_production_takes_secrets_from_values_or_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    production(monkeypatch, tmp_path, MASTER_KEY=GOOD, TICKET_KEY=GOOD).check()
    made = CliRunner().invoke(commands, ["secrets", str(tmp_path / "own")])
    monkeypatch.delenv("VISAVOX_MASTER_KEY")
    monkeypatch.delenv("VISAVOX_TICKET_KEY")
    for line in made.stdout.split():
        monkeypatch.setenv(*line.split("=", 1))
    Settings.read().check()


@pytest.mark.parametrize(
    "secret", [base64.b64encode(bytes(32)).decode(), base64.b64encode(b"password" * 4).decode()]
)
def test_production_refuses_secrets_that_nobody_drew_at_random(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str
) -> None:
    with pytest.raises(ConfigError, match="not random"):
        production(monkeypatch, tmp_path, MASTER_KEY=secret, TICKET_KEY=GOOD).check()


def test_one_secret_is_not_given_in_two_ways(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {"MASTER_KEY": GOOD, "TICKET_KEY": GOOD, "TICKET_KEY_FILE": str(tmp_path / "x")}
    with pytest.raises(ConfigError, match="Both"):
        production(monkeypatch, tmp_path, **given).check()


def test_secrets_stand_in_no_repr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = production(
        monkeypatch, tmp_path, MASTER_KEY=GOOD, TICKET_KEY=GOOD, METRICS_TOKEN="hidden-token",
        DATABASE_URL="postgresql://u:hidden-word@h/d", CAPTURES_SECRET="hidden-secret",
    )  # fmt: skip
    for text in (repr(settings), str(settings), repr(settings.signer()), repr(settings.keyring())):
        assert GOOD not in text
        assert "hidden" not in text


def test_limits_and_rules_are_set_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VISAVOX_LIMITS__AT_ONCE", "3")
    monkeypatch.setenv("VISAVOX_SERVICE__TICKET_LIFE", "5")
    monkeypatch.setenv("VISAVOX_ALLOWED_ORIGINS", '["https://a.example"]')
    settings = Settings.read()
    assert (settings.at_once, settings.service.ticket_life) == (3, 5.0)
    assert settings.allowed_origins == ("https://a.example",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VISAVOX_ENVIRONMENT", "staging"),
        ("VISAVOX_LIMITS__RATE", "-1"),
        ("VISAVOX_LIMITS__UNKNOWN", "1"),
        ("VISAVOX_SERVICE__TICKET_LIFE", "soon"),
        ("VISAVOX_WORKERS", "hidden"),
    ],
)
def test_a_variable_that_is_wrong_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name) as refused:
        Settings.read()
    assert "hidden" not in str(refused.value)


def test_workers_share_the_cores() -> None:
    alone, shared = Settings(), Settings(workers=64)
    assert alone.at_once == len(os.sched_getaffinity(0))
    assert shared.at_once == 1


def test_the_command_ends_with_a_message_and_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "api", "serve", "--port", "0"],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "VISAVOX_ENVIRONMENT": "production", "VISAVOX_STATE": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "VISAVOX_MASTER_KEY_FILE" in done.stderr
    assert "Traceback" not in done.stderr


def test_production_does_not_start_on_a_database_that_was_never_migrated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # `serve` sets WORKERS for its workers; named here, so that it is taken back.
    production(monkeypatch, tmp_path, MASTER_KEY=GOOD, TICKET_KEY=GOOD, WORKERS="1")
    made = ["key", "create", "--role", "admin", "--name", "Root"]
    for command in (["serve", "--port", "0"], made):
        refused = CliRunner().invoke(commands, command)
        assert isinstance(refused.exception, NotMigrated)
        assert "python -m api migrate" in str(refused.exception)
    for _ in range(2):
        assert CliRunner().invoke(commands, ["migrate"]).exit_code == 0
    shown = CliRunner().invoke(commands, made)
    assert shown.exit_code == 0
    assert shown.output.startswith("vx_")
    assert CliRunner().invoke(commands, [*made, "--role", "king"]).exit_code == 2


def test_secrets_are_never_made_over_others(tmp_path: Path) -> None:
    assert CliRunner().invoke(commands, ["secrets", str(tmp_path)]).exit_code == 0
    kept = (tmp_path / "master.key").read_bytes()
    refused = CliRunner().invoke(commands, ["secrets", str(tmp_path)])
    assert isinstance(refused.exception, ConfigError)
    assert (tmp_path / "master.key").read_bytes() == kept
