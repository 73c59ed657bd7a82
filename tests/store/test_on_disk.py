"""Whoever takes the disks reads nobody's name, PIN, template, picture or voice."""

from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select

from tests.postgres import Server
from tests.store.people import NAME, decision, embeddings, enrol, furnish, raw
from visavox.store import Store, database
from visavox.store.keyring import Keyring
from visavox.store.tables import data_keys, metadata
from visavox.types import Embedding

SEARCHED = 48
"""Bytes of each secret that are searched for: long enough to be nothing else."""


def secrets(seed: int) -> dict[str, bytes]:
    """What must not be found, as it would look if it were there."""
    found = {"name": NAME.encode(), "surname": b"Fenwick", "pin": b"$argon2id$"}
    for kind, cell in (("face", embeddings(seed).face), ("voice", embeddings(seed).voice)):
        assert isinstance(cell, Embedding)
        found[kind] = cell.vector.tobytes()[:SEARCHED]
        found[f"{kind} as json"] = str(float(cell.vector[0])).encode()[:10]
    for part, content in raw(seed).items():
        found[part] = content[:SEARCHED]
    return found


def files(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> dict[str, bytes]:
    """Every byte that is kept, by file: database, write-ahead log, capture store."""
    folders = [tmp_path]
    if not url.startswith("sqlite"):
        server: Server = request.getfixturevalue("postgres")
        server.run("CHECKPOINT")
        folders.append(server.folder / "data")
    found: dict[str, bytes] = {}
    for folder in folders:
        found |= {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return found


def test_no_file_holds_anything_personal_in_the_clear(
    store: Store,
    database_url: str,
    keyring: Keyring,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    furnish(store)
    enrol(store, captures=2)
    with store.begin() as unit:
        unit.decisions.add(decision(), probe=embeddings(1))
        unit.idempotency.begin("key_a", "token", "f", at=decision().at)
        unit.idempotency.finish("key_a", "token", status=201, headers={}, body=NAME.encode())
        shown = repr(unit.members.get("kitchen", "zoe")) + repr(unit.captures.of("kitchen", "zoe"))
    kept = files(request, database_url, tmp_path)
    assert any(b"kitchen" in content for content in kept.values()), "nothing was searched"
    wanted = {"master key": keyring.newest.secret, "as text": keyring.newest.text().encode()}
    for what, secret in (secrets(0) | secrets(1) | wanted).items():
        for name, content in kept.items():
            assert secret not in content, f"{what} in {name}"
        assert secret.decode("latin-1") not in shown, what
        assert secret.decode("latin-1") not in caplog.text, what


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_deleted_members_key_is_in_no_file_any_more(
    store: Store, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    furnish(store)
    enrol(store)
    enrol(store, "ben")
    with database.transaction(store._engine, writes=False) as connection:
        asked = select(data_keys.c.wrapped).where(data_keys.c.owner == "kitchen/zoe")
        wrapped = connection.scalar(asked)
        assert wrapped
        sealed = connection.exec_driver_sql("SELECT name_sealed FROM members WHERE id='zoe'")
        name = sealed.scalar()
        assert isinstance(name, bytes)
    kept = files(request, database_url, tmp_path)
    assert any(wrapped in content for content in kept.values())
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    for file, content in files(request, database_url, tmp_path).items():
        assert wrapped not in content, file
        assert name not in content, file


def test_a_deleted_members_key_is_in_no_row_any_more(store: Store) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    with database.transaction(store._engine, writes=False) as connection:
        owners = connection.scalars(select(data_keys.c.owner)).all()
    assert sorted(owners) == ["/", "kitchen/"]


def test_every_binary_column_is_ciphertext_and_says_so() -> None:
    """A new column of bytes must be sealed, and named for it."""
    names = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert all(n.endswith("_sealed") or n == "data_keys.wrapped" for n in names)
