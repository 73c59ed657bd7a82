"""Weights come from where they may, are the ones that were asked for, or are missing by name."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import pytest

from visavox.errors import CharacterizerError, ConfigError, WeightsMissing
from visavox.training.weights import Sources, WeightsFile, weights

DATA = b"weights" * 1000
PIN = hashlib.sha256(DATA).hexdigest()
FILE = WeightsFile(url="https://example.org/releases/net.pt", sha256=PIN)


class _Answer(io.BytesIO):
    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Length": str(len(DATA))}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that were asked for; each answers with the right bytes."""
    addresses: list[str] = []

    def answer(address: str, timeout: float) -> _Answer:
        addresses.append(address)
        return _Answer(DATA)

    monkeypatch.setattr("urllib.request.urlopen", answer)
    return addresses


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(address: str, timeout: float) -> _Answer:
        raise URLError("no such host")

    monkeypatch.setattr("urllib.request.urlopen", fail)


def test_weights_are_fetched_once(tmp_path: Path, asked: list[str]) -> None:
    first = weights(FILE, Sources(), cache=tmp_path / "cache")
    again = weights(FILE, Sources(), cache=tmp_path / "cache")
    assert first == again == tmp_path / "cache" / "net.pt"
    assert first.read_bytes() == DATA
    assert asked == [FILE.url]
    assert [p.name for p in first.parent.iterdir()] == ["net.pt"]


def test_a_mirror_stands_in_for_the_makers(tmp_path: Path, asked: list[str]) -> None:
    weights(FILE, Sources(mirror="https://mirror.example/w/"), cache=tmp_path)
    assert asked == ["https://mirror.example/w/net.pt"]


def test_a_local_folder_comes_first(tmp_path: Path, asked: list[str]) -> None:
    local = tmp_path / "local"
    local.mkdir()
    (local / "net.pt").write_bytes(DATA)
    sources = Sources(folder=str(local), cache=str(tmp_path / "cache"))
    assert weights(FILE, sources, cache=tmp_path) == local / "net.pt"
    assert not asked


def test_a_chosen_cache_is_used(tmp_path: Path, asked: list[str]) -> None:
    found = weights(FILE, Sources(cache=str(tmp_path / "mine")), cache=tmp_path / "other")
    assert found == tmp_path / "mine" / "net.pt"
    assert not (tmp_path / "other").exists()


@pytest.mark.usefixtures("offline")
def test_missing_weights_are_told_by_name_hash_and_place(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        weights(FILE, Sources(folder=str(tmp_path / "usb")), cache=tmp_path / "cache")
    assert "net.pt" in caught.value.problem
    assert FILE.url in caught.value.problem
    assert str(tmp_path / "usb") in caught.value.problem
    assert PIN in caught.value.next_step
    assert str(tmp_path / "cache" / "net.pt") in caught.value.next_step


def test_only_https_is_fetched_from(tmp_path: Path, asked: list[str]) -> None:
    with pytest.raises(WeightsMissing, match="only https"):
        weights(FILE, Sources(mirror="http://mirror.example"), cache=tmp_path)
    with pytest.raises(WeightsMissing, match="only https"):
        weights(FILE, Sources(mirror="file:///etc"), cache=tmp_path)
    assert not asked


def _in_folder(root: Path) -> Sources:
    (root / "net.pt").write_bytes(DATA + b"!")
    return Sources(folder=str(root))


def _in_cache(root: Path) -> Sources:
    (root / "net.pt").write_bytes(DATA + b"!")
    return Sources(cache=str(root))


@pytest.mark.parametrize("put", [_in_folder, _in_cache])
def test_other_weights_are_refused_wherever_they_lie(
    tmp_path: Path, put: Callable[[Path], Sources], asked: list[str]
) -> None:
    with pytest.raises(CharacterizerError, match=f"{PIN} was asked for"):
        weights(FILE, put(tmp_path), cache=tmp_path / "cache")
    assert not asked


def test_other_weights_are_refused_from_the_network_and_not_kept(
    tmp_path: Path, asked: list[str]
) -> None:
    other = WeightsFile(url=FILE.url, sha256="0" * 64)
    with pytest.raises(CharacterizerError, match="was asked for"):
        weights(other, Sources(), cache=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pin", ["", "abc", "g" * 64])
def test_a_pin_is_required(tmp_path: Path, pin: str) -> None:
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        weights(WeightsFile(url=FILE.url, sha256=pin), Sources(), cache=tmp_path)


def test_files_of_one_name_can_be_told_apart() -> None:
    file = WeightsFile(url="https://example.org/a/embedding_model.ckpt", sha256=PIN, file="a.ckpt")
    assert file.name == "a.ckpt"
