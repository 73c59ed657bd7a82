"""Master keys: read from where they are kept, shown nowhere, noticed when they change."""

import base64
import stat
from pathlib import Path

import pytest

from visavox.errors import ConfigError, Sealed
from visavox.store.keyring import Keyring, MasterKey, write


def test_no_repr_shows_a_key(tmp_path: Path) -> None:
    key = MasterKey.made()
    write(tmp_path / "k", [key])
    shown = repr(key) + repr(Keyring.of(key)) + repr(Keyring.file(tmp_path / "k"))
    for secret in (key.text(), key.secret.hex(), repr(key.secret)):
        assert secret not in shown
    assert key.id in shown


def test_the_first_key_is_the_newest_and_the_others_are_found() -> None:
    new, old = MasterKey.made(), MasterKey.made()
    ring = Keyring.text(f"  {new.text()}\n{old.text()}\n")
    assert ring.newest == new
    assert ring.find(old.id) == old
    assert ring.ids == (new.id, old.id)
    with pytest.raises(Sealed, match="is not in VISAVOX_MASTER_KEY"):
        ring.find("0" * 16)


def test_a_key_that_came_into_the_file_later_is_found_without_a_restart(tmp_path: Path) -> None:
    old, new = MasterKey.made(), MasterKey.made()
    write(tmp_path / "k", [old])
    ring = Keyring.file(tmp_path / "k")
    write(tmp_path / "k", [new, old])
    assert ring.newest == old
    assert ring.find(new.id) == new
    assert ring.newest == new


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "k"
    write(path, [MasterKey.made()])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="Others may read"):
        Keyring.file(path)


def test_a_first_key_is_not_replaced_and_nothing_is_left_beside(tmp_path: Path) -> None:
    path, first = tmp_path / "k", MasterKey.made()
    write(path, [first], replace=False)
    write(path, [MasterKey.made()], replace=False)
    assert Keyring.file(path).newest == first
    write(path, [MasterKey.made()])
    assert Keyring.file(path).newest != first
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no master key"),
        ("not base64!", "no master key: 32 bytes"),
        (base64.b64encode(b"short").decode(), "no master key: 32 bytes"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        Keyring.text(text)
    assert not text or text not in str(caught.value)


def test_a_missing_file_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="VISAVOX_MASTER_KEY_FILE"):
        Keyring.file(tmp_path / "none")
