"""Versions in a bucket: a real S3 server on loopback."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from tests.store.people import enrol, furnish, later
from visavox.errors import LedgerError
from visavox.store import Store
from visavox.store.settings import StoreSettings
from visavox.training.production.ledger import Ledger, Remote
from visavox.training.production.ledger_dvc import key

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SECRET = "testing-secret"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server with a bucket `versions`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1",
        aws_access_key_id="testing", aws_secret_access_key=SECRET,
    )  # fmt: skip
    client.create_bucket(Bucket="versions")
    client.close()
    yield address
    server.stop()


def bucket(address: str, name: str = "versions") -> Remote:
    prefix = os.urandom(4).hex()
    return Remote(f"s3://{name}/{prefix}", address, "us-east-1", "testing", SECRET)


@on_sqlite
def test_a_version_is_pushed_to_a_bucket_and_read_from_it(
    s3: str, store: Store, tmp_path: Path
) -> None:
    remote = bucket(s3)
    ledger = Ledger.open(tmp_path / "ledger", remote=remote)
    furnish(store)
    enrol(store, captures=2)
    made = ledger.snapshot(store, ["kitchen"], run="run_1", at=later(60))
    enrol(store, "ben")
    second = ledger.snapshot(store, ["kitchen"], run="run_2", at=later(70))
    there = {name for name, _ in remote.blobs().names()}
    for data in (made.of("kitchen"), second.of("kitchen")):
        assert {key(m) for m in (data.dvc, *ledger.data.files(data.dvc).values())} <= there
    shutil.rmtree(ledger.root / ".dvc" / "cache")
    assert Ledger.open(tmp_path / "ledger", remote=remote).version(made.commit) == made
    assert ledger.where(made, "kitchen").remote.startswith(f"{remote.url}/files/md5/")


def test_a_bucket_is_reached_as_the_capture_store_is(tmp_path: Path) -> None:
    settings = StoreSettings(
        captures_endpoint="http://s3.example", captures_region="eu-west-1",
        captures_key=SecretStr("me"), captures_secret=SecretStr(SECRET),
    )  # fmt: skip
    made = Remote.of("s3://versions/x", settings)
    assert made == Remote("s3://versions/x", "http://s3.example", "eu-west-1", "me", SECRET)
    assert Remote.of(str(tmp_path), settings) == Remote(str(tmp_path))


@on_sqlite
def test_the_secret_is_in_no_file_and_no_repr(s3: str, store: Store, tmp_path: Path) -> None:
    remote = bucket(s3)
    ledger = Ledger.open(tmp_path / "ledger", remote=remote)
    furnish(store)
    enrol(store)
    ledger.snapshot(store, ["kitchen"], run="run_1", at=later(60))
    assert SECRET not in repr(remote)
    for path in ledger.root.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


@on_sqlite
def test_a_remote_that_is_away_is_said_and_the_version_comes_when_it_is_back(
    s3: str, store: Store, tmp_path: Path
) -> None:
    away = bucket(s3, "no-such-bucket")
    furnish(store)
    enrol(store)
    ledger = Ledger.open(tmp_path / "ledger", remote=away)
    with pytest.raises(LedgerError, match="remote did not take a snapshot") as caught:
        ledger.snapshot(store, ["kitchen"], run="run_1", at=later(60))
    assert SECRET not in str(caught.value)
    with pytest.raises(LedgerError, match="has no version"):
        ledger.version("snapshot/run_1")
    back = Ledger.open(tmp_path / "ledger", remote=bucket(s3))
    made = back.snapshot(store, ["kitchen"], run="run_1", at=later(60))
    assert made.of("kitchen").members == ("zoe",)
