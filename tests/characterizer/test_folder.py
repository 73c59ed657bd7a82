"""A damaged, foreign or too new folder is a clear error, never a wrong embedding."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from visavox.characterizer import load
from visavox.characterizer.folder import CARD, read_card, write_card
from visavox.errors import CharacterizerError


@pytest.fixture
def copy(nets_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(nets_folder, tmp_path / "copy"))


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    values = json.loads((folder / CARD).read_text())
    change(values)
    (folder / CARD).write_text(json.dumps(values))


def test_a_card_is_read_as_it_was_written(copy: Path) -> None:
    card = read_card(copy)
    before = (copy / CARD).read_bytes()
    write_card(copy, card)
    assert read_card(copy) == card
    assert (copy / CARD).read_bytes() == before
    assert {"torch", "onnx"} <= set(card.versions)


@pytest.mark.parametrize("name", ["face.onnx", "voice.onnx"])
def test_one_changed_byte_is_noticed(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(CharacterizerError, match=f"{name} has SHA-256"):
        load(copy)


def test_a_missing_net_is_named(copy: Path) -> None:
    (copy / "voice.onnx").unlink()
    with pytest.raises(CharacterizerError, match=r"voice\.onnx cannot be read: No such file"):
        load(copy)


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(CharacterizerError, match=f"holds no {CARD}"):
        read_card(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '"face"', "\xff\xfe"])
def test_a_card_that_is_no_card_is_refused(copy: Path, text: str) -> None:
    (copy / CARD).write_bytes(text.encode("latin-1"))
    with pytest.raises(CharacterizerError, match="restore it"):
        load(copy)


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_is_refused(copy: Path, number: object) -> None:
    edit(copy, lambda card: card.update(format=number))
    with pytest.raises(CharacterizerError, match="this version reads format 1"):
        load(copy)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card["face"].update(crop="oval"), "face.crop"),
        (lambda card: card["voice"].pop("dim"), "voice.dim"),
        (lambda card: card.update(colour="blue"), "colour: unknown key"),
    ],
)
def test_a_wrong_entry_is_named(
    copy: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    edit(copy, change)
    with pytest.raises(CharacterizerError, match=said):
        load(copy)


def test_a_net_outside_of_the_folder_is_not_read(copy: Path) -> None:
    shutil.copy(copy / "face.onnx", copy.parent / "face.onnx")
    edit(copy, lambda card: card["face"].update(file="../face.onnx"))
    with pytest.raises(CharacterizerError, match="outside of it"):
        load(copy)


def test_a_net_that_is_no_net_is_refused(copy: Path) -> None:
    from visavox.manifest import sha256

    (copy / "face.onnx").write_bytes(b"not a net")
    edit(copy, lambda card: card["face"].update(sha256=sha256(b"not a net")))
    with pytest.raises(CharacterizerError, match="ONNX Runtime cannot load"):
        load(copy)


def test_the_digest_is_of_nets_not_of_names(copy: Path) -> None:
    digest = read_card(copy).digest
    edit(copy, lambda card: card.update(name="other", population="else", versions={}))
    assert read_card(copy).digest == digest
    edit(copy, lambda card: card["face"].update(crop="box-160"))
    assert read_card(copy).digest != digest
