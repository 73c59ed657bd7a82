"""The operator's commands, on a store with somebody in it."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from sqlalchemy import make_url
from typer.testing import CliRunner

from tests.store.people import NAME, NOW, decision, embeddings, enrol, furnish
from visavox.bundle import MANIFEST, REFERENCE, WEIGHTS
from visavox.cli import app
from visavox.errors import ConfigError, NotFound, NotMigrated, Sealed, VisavoxError
from visavox.service.parcel import Parcel
from visavox.service.sealed import SealedSlot
from visavox.store import Store, database
from visavox.store import open as open_store
from visavox.store.blobs import connect
from visavox.store.keyring import Keyring, write


@pytest.fixture
def house(
    database_url: str, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """The store that the environment names, as another process would open it."""
    write(tmp_path / "keys", [keyring.newest])
    captures = tmp_path / "captures"
    monkeypatch.setenv("VISAVOX_DATABASE_URL", database_url)
    monkeypatch.setenv("VISAVOX_MASTER_KEY_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("VISAVOX_CAPTURES_URL", str(captures))
    opened = open_store(
        database_url, keyring=Keyring.file(tmp_path / "keys"), blobs=connect(str(captures))
    )
    furnish(opened)
    enrol(opened)
    yield opened
    opened.close()


def run(*words: str) -> str:
    """What it printed; what it raised of ours, as `visavox` itself would print it."""
    done = CliRunner().invoke(app, words)
    if isinstance(done.exception, VisavoxError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_erase_says_what_went_and_writes_it_down(house: Store) -> None:
    said = json.loads(run("erase", "kitchen", "zoe"))
    receipt = said.pop("receipt")
    assert said == {"captures": 1, "blobs": 2, "key_destroyed": True, "audit_seq": 1}
    with house.read() as unit:
        (record,) = unit.audit.records()
        assert (record.actor, record.action) == ("operator", "member.erased")
        assert record.subject == "kitchen/zoe"
        assert record.detail["receipt"] == receipt
        (opened,) = unit.receipts.pending("kitchen")
        assert (opened.id, opened.member) == (receipt, "zoe")
        assert len(opened.removed["captures"]) == 1
        assert [r.reason for r in unit.retraining.pending("kitchen")] == ["member_deleted"]
        (event,) = unit.events.page(kind="member_removed").items
        assert event.detail == {"member": "zoe"}
    with pytest.raises(NotFound):
        run("erase", "kitchen", "zoe")
    house.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_erase_takes_them_out_of_the_bundles(
    house: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVOX_STATE", str(tmp_path))
    slot = SealedSlot(tmp_path / "models", "kitchen")
    former, live = (_parcel(run) for run in ("former", "live"))
    with house.begin() as unit:
        slot.keep(unit, former)
        slot.keep(unit, live)
    slot.point(live.digest)
    before = {path: path.read_bytes() for path in slot.folder.glob("*.sealed")}
    run("erase", "kitchen", "zoe")
    assert not before.keys() & set(slot.folder.glob("*.sealed"))
    with house.read() as unit:
        assert slot.digests(unit) == (former.digest, live.digest), "in the order of their age"
        for parcel in (former, live):
            kept = slot.open(unit, parcel.digest)
            assert b"zoe" not in kept.pack()
            assert b"yan" in kept.pack()
        for path, sealed in before.items():
            with pytest.raises(Sealed, match="destroyed"):
                unit.bundles.open("kitchen", path.name.split(".")[0], sealed)
    house.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sweep_removes_what_a_killed_erasure_left_among_the_bundles(
    house: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVOX_STATE", str(tmp_path))
    slot, live = SealedSlot(tmp_path / "models", "kitchen"), _parcel("live")
    with house.begin() as unit:
        slot.keep(unit, live)
    slot.point(live.digest)
    (mine,) = slot.folder.glob("*.sealed")
    left = [slot.folder / f"{live.digest}.{'0' * 32}.sealed", slot.folder / ".live.json.12ab34cd"]
    gone = tmp_path / "models" / "fridges" / "gone" / mine.name
    gone.parent.mkdir()
    for path in (*left, gone):
        path.write_bytes(b"left")
    run("sweep")
    assert sorted(p.name for p in slot.folder.iterdir()) == sorted([mine.name, "live.json"])
    assert not gone.parent.exists()
    house.close()


def _parcel(run: str) -> Parcel:
    """As much of a bundle of zoe and yan as erasing looks at."""
    ones = {"square": (2, 2), "linear": (2, 2), "constant": (2,), "enrolled": (2,)}
    ones |= {"calibration.slope": (2,), "calibration.offset": (2,)}
    arrays = {f"{m}.{k}": np.ones(shape) for m in ("face", "voice") for k, shape in ones.items()}
    files = {WEIGHTS: save(arrays), REFERENCE: b"{}"}
    manifest = {
        "discriminator": {"family": "plda", "members": ["zoe", "yan"]},
        "lineage": {"run": run},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    files[MANIFEST] = json.dumps(manifest).encode()
    digest = hashlib.sha256(files[MANIFEST]).hexdigest()
    return Parcel(digest, files, {"zoe": NOW, "yan": NOW})


def test_rotate_makes_a_key_uses_it_and_retires_the_old(house: Store, keyring: Keyring) -> None:
    assert "3 data keys are under master key" in run("keys", "rotate")
    assert keyring.newest.id in run("keys", "status")
    said = run("keys", "rotate", "--retire")
    assert keyring.newest.id in said
    assert keyring.newest.id not in run("keys", "status")
    with house.read() as unit:
        assert [r.action for r in unit.audit.records()] == ["keys.rotate", "keys.rotate"]
    # The service was not restarted.
    with house.read() as unit:
        assert unit.members.get("kitchen", "zoe").name == NAME
    house.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backup_from_before_an_erasure_is_closed_by_a_rotation(
    house: Store, tmp_path: Path
) -> None:
    house.close()
    path = make_url(house._engine.url).database
    assert path is not None
    shutil.copyfile(path, tmp_path / "backup.db")
    backup = open_store(
        f"sqlite:///{tmp_path / 'backup.db'}",
        keyring=Keyring.file(tmp_path / "keys"),
        blobs=connect(str(tmp_path / "captures")),
    )
    run("erase", "kitchen", "zoe")
    with backup.read() as unit:
        assert unit.members.get("kitchen", "zoe").name == NAME, "as the API says"
    run("keys", "rotate", "--retire")
    backup.keyring.reload()
    with backup.read() as unit, pytest.raises(Sealed):
        unit.members.get("kitchen", "zoe")
    backup.close()


def test_rotate_goes_on_with_the_key_that_was_made_before_it_was_stopped(
    house: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Store, "rotate", _killed)
        with pytest.raises(_Killed):
            CliRunner().invoke(app, ["keys", "rotate"], catch_exceptions=False)
    made = Keyring.file(tmp_path / "keys")
    assert len(made.ids) == 2
    assert made.newest.id in run("keys", "rotate")
    assert Keyring.file(tmp_path / "keys").ids == made.ids
    house.close()


class _Killed(Exception):
    pass


def _killed(*_: object, **__: object) -> int:
    raise _Killed


def test_with_keys_in_the_environment_the_operator_brings_the_new_one(
    house: Store, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISAVOX_MASTER_KEY_FILE")
    monkeypatch.setenv("VISAVOX_MASTER_KEY", keyring.newest.text())
    with pytest.raises(ConfigError, match="in use already"):
        run("keys", "rotate")
    new = run("keys", "new").strip()
    monkeypatch.setenv("VISAVOX_MASTER_KEY", f"{new} {keyring.newest.text()}")
    assert "3 data keys" in run("keys", "rotate")
    monkeypatch.setenv("VISAVOX_MASTER_KEY", new)
    assert "MISSING" not in run("keys", "status")
    house.close()


def test_audit_verify_says_the_head_and_finds_a_changed_byte(house: Store) -> None:
    for i in range(3):
        with house.begin() as unit:
            unit.audit.append(at=NOW, actor="a", action="b", subject=str(i))
    head = run("audit", "verify").split()[-1]
    assert run("audit", "verify", "--head", head).startswith("valid: 3 records")
    with pytest.raises(ConfigError, match="is no head"):
        run("audit", "verify", "--head", "3")
    with database.transaction(house._engine, writes=True) as connection:
        connection.exec_driver_sql("UPDATE audit SET subject = '9' WHERE seq = 2")
    done = CliRunner().invoke(app, ["audit", "verify"])
    assert done.exit_code == 1
    assert "Record 2 was altered" in done.output
    house.close()


def test_sweep_says_what_it_removed(house: Store) -> None:
    nothing = {"blobs": 0, "challenges": 0, "answers": 0, "probes": 0}
    assert json.loads(run("sweep")) == nothing


def test_sweep_keeps_probes_for_as_many_days_as_are_set(
    house: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    with house.begin() as unit:
        for days in (3, 40):
            unit.decisions.add(
                decision(None, at=now - timedelta(days=days)), probe=embeddings(days)
            )
    assert json.loads(run("sweep"))["probes"] == 1
    monkeypatch.setenv("VISAVOX_PROBES_DAYS", "2")
    assert json.loads(run("sweep"))["probes"] == 1
    house.close()


def test_a_new_key_goes_into_a_new_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "new"
    assert "master key" in run("keys", "new", "--file", str(path))
    key = Keyring.file(path).newest
    with pytest.raises(ConfigError, match="there already"):
        run("keys", "new", "--file", str(path))
    assert Keyring.file(path).newest == key


def test_a_store_that_was_not_migrated_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVOX_STATE", str(tmp_path))
    with pytest.raises(NotMigrated, match="migrate"):
        run("audit", "verify")
