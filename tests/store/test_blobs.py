"""A folder and a bucket keep what they are given; the bucket is a real S3 server on loopback."""

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.store.people import enrol, furnish, raw
from visavox import store as stores
from visavox.errors import BlobError, ConfigError
from visavox.store import blobs
from visavox.store.blobs import Blobs
from visavox.store.keyring import Keyring

KEYS = {"key": "testing", "secret": "testing-secret", "region": "eu-west-1"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server with a bucket `captures`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name=KEYS["region"],
        aws_access_key_id=KEYS["key"],
        aws_secret_access_key=KEYS["secret"],
    )
    client.create_bucket(
        Bucket="captures", CreateBucketConfiguration={"LocationConstraint": KEYS["region"]}
    )
    client.close()
    yield address
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """An empty capture store."""
    if request.param == "folder":
        return blobs.connect(f"file://{tmp_path}/captures")
    address = request.getfixturevalue("s3")
    return blobs.connect(f"s3://captures/{os.urandom(4).hex()}/x", endpoint=address, **KEYS)


def test_what_is_put_is_got_listed_replaced_and_deleted(kept: Blobs) -> None:
    assert list(kept.names()) == []
    before = datetime.now(UTC) - timedelta(seconds=5)
    for name, content in (("a/1/image.sealed", b"one"), ("a/2/image.sealed", os.urandom(300_000))):
        kept.put(name, content)
        assert kept.get(name) == content
    assert [name for name, _ in kept.names()] == ["a/1/image.sealed", "a/2/image.sealed"]
    assert all(before < at < before + timedelta(minutes=5) for _, at in kept.names())
    kept.put("a/1/image.sealed", b"")
    assert kept.get("a/1/image.sealed") == b""
    kept.delete("a/1/image.sealed")
    kept.delete("a/1/image.sealed")
    kept.delete("never/was/here")
    assert [name for name, _ in kept.names()] == ["a/2/image.sealed"]
    with pytest.raises(BlobError, match="has no a/1"):
        kept.get("a/1/image.sealed")


def test_what_is_fetched_stays_whatever_becomes_of_it_in_the_store(
    kept: Blobs, tmp_path: Path
) -> None:
    kept.put("a/1/image.sealed", b"one")
    kept.fetch("a/1/image.sealed", tmp_path / "mine")
    kept.put("a/1/image.sealed", b"another")
    kept.delete("a/1/image.sealed")
    assert (tmp_path / "mine").read_bytes() == b"one"
    with pytest.raises(BlobError, match="has no a/1"):
        kept.fetch("a/1/image.sealed", tmp_path / "nothing")


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b"])
def test_a_name_stays_inside(kept: Blobs, name: str) -> None:
    for use in (
        kept.get,
        kept.delete,
        lambda n: kept.put(n, b"x"),
        lambda n: kept.fetch(n, Path("never")),
    ):
        with pytest.raises(BlobError, match="cannot name"):
            use(name)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_member_is_enrolled_read_and_erased_in_either(
    database_url: str, keyring: Keyring, kept: Blobs
) -> None:
    store = stores.open(database_url, keyring=keyring, blobs=kept)
    furnish(store)
    (capture,) = enrol(store)
    with store.read() as unit:
        assert unit.captures.raw(capture) == raw(0)
    for name, _ in kept.names():
        assert b"PLAINTEXT" not in kept.get(name)
    kept.put(f"kitchen/{capture.id}/left.sealed", b"by a crash")
    assert store.sweep(at=datetime.now(UTC)).blobs == 0, "it may still be at work"
    assert store.sweep(at=datetime.now(UTC) + timedelta(hours=2)).blobs == 1
    assert {name for name, _ in kept.names()} == set(capture.blob)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    assert list(kept.names()) == []
    store.close()


def test_a_capture_store_that_cannot_be_used_says_so_without_its_secret(
    s3: str, tmp_path: Path
) -> None:
    missing = blobs.connect("s3://no-such-bucket/x", endpoint=s3, **KEYS)
    unreachable = blobs.connect("s3://captures/x", endpoint="http://127.0.0.1:9", **KEYS)
    (tmp_path / "file").write_text("in the way")
    blocked = blobs.connect(str(tmp_path / "file"))
    for bad in (missing, unreachable, blocked):
        with pytest.raises(BlobError) as caught:
            bad.put("a/b/c", b"x")
        assert KEYS["secret"] not in str(caught.value)
    with pytest.raises(ConfigError, match="'ftp'"):
        blobs.connect("ftp://host/folder")


def test_a_half_written_part_is_never_seen_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = blobs.connect(str(tmp_path))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(BlobError):
            folder.put("a/1/image", b"x" * 100)
    with pytest.raises(BlobError, match="has no"):
        folder.get("a/1/image")
    assert list(folder.names()) == []
