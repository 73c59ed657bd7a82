"""The environment says where the store is; outside development nothing is made up."""

from pathlib import Path

import pytest

from tests.store.people import furnish
from visavox.errors import ConfigError
from visavox.store.keyring import MasterKey, write
from visavox.store.settings import StoreSettings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [n for n in os.environ if n.startswith("VISAVOX_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VISAVOX_STATE", str(tmp_path / "state"))


def test_in_development_a_master_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first = StoreSettings.read().open()
    first.migrate()
    furnish(first)
    first.close()
    again = StoreSettings.read().open()
    with again.read() as unit:
        assert unit.fridges.get("kitchen").name == "Kitchen"
    assert again.keyring.newest == first.keyring.newest
    again.close()
    path = tmp_path / "state" / "development" / "master.key"
    assert path.stat().st_mode & 0o077 == 0


def test_in_production_a_missing_master_key_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVOX_ENVIRONMENT", "production")
    with pytest.raises(ConfigError, match="VISAVOX_MASTER_KEY_FILE"):
        StoreSettings.read().open()


def test_a_key_in_the_environment_is_used_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = MasterKey.made()
    monkeypatch.setenv("VISAVOX_MASTER_KEY", key.text())
    monkeypatch.setenv("VISAVOX_DATABASE_URL", "postgresql://me:hidden@/db")
    settings = StoreSettings.read()
    assert settings.keyring().newest == key
    assert key.text() not in repr(settings)
    assert "hidden" not in repr(settings) + repr(settings.open())


def test_two_places_for_the_key_are_one_too_many(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / "key", [MasterKey.made()])
    monkeypatch.setenv("VISAVOX_MASTER_KEY_FILE", str(tmp_path / "key"))
    assert StoreSettings.read().keyring().path == tmp_path / "key"
    monkeypatch.setenv("VISAVOX_MASTER_KEY", MasterKey.made().text())
    with pytest.raises(ConfigError, match="Both"):
        StoreSettings.read().keyring()


def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVOX_ENVIRONMENT", "hidden-value")
    with pytest.raises(ConfigError, match="VISAVOX_ENVIRONMENT") as caught:
        StoreSettings.read()
    assert "hidden-value" not in str(caught.value)


def test_captures_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VISAVOX_CAPTURES_URL", f"file://{tmp_path}/elsewhere")
    store = StoreSettings.read().open()
    store.blobs.put("a/b/c", b"x")
    assert (tmp_path / "elsewhere" / "a" / "b" / "c").read_bytes() == b"x"
    store.close()
