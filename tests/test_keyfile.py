"""Key files: read for their owner alone, whichever keys they hold."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from visavox import keyfile
from visavox.errors import ConfigError
from visavox.store.keyring import Keyring
from visavox.tickets import Signer

KEYS = [bytes([i]) * keyfile.SIZE for i in range(2)]
TEXT = "\n".join(base64.b64encode(key).decode() for key in KEYS)


def test_the_keys_of_a_text_come_in_its_order() -> None:
    assert keyfile.keys(TEXT, "key", where="here", next_step="") == tuple(KEYS)
    assert keyfile.keys(" \n", "key", where="here", next_step="") == ()


@pytest.mark.parametrize(
    "word",
    [
        "no-base64",
        "cl\N{LATIN SMALL LETTER E WITH ACUTE}",
        "QUJD",
        base64.b64encode(bytes(33)).decode(),
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(word: str) -> None:
    with pytest.raises(ConfigError, match="here holds something that is no key") as refusal:
        keyfile.keys(f"{TEXT} {word}", "key", where="here", next_step="Make one.")
    assert word not in str(refusal.value)
    assert refusal.value.next_step == "Make one."


@pytest.mark.parametrize(
    ("read", "what"), [(Keyring.file, "master key file"), (Signer.file, "ticket key file")]
)
def test_every_kind_of_key_file_is_for_its_owner_alone(
    tmp_path: Path, read: Callable[[Path], object], what: str
) -> None:
    path = tmp_path / "keys"
    with pytest.raises(ConfigError, match=f"The {what} .*/keys cannot be read"):
        read(path)
    path.write_text(TEXT)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=f"Others may read the {what}"):
        read(path)
    path.chmod(0o600)
    read(path)
