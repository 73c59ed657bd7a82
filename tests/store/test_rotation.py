"""A new master key wraps everything, while the service runs, and from wherever it was stopped."""

from pathlib import Path

import pytest

from tests.store.people import NAME, NOW, enrol, furnish, later, raw
from visavox.errors import Sealed
from visavox.store import Store, database, rotation
from visavox.store import open as open_store
from visavox.store.keyring import Keyring, MasterKey, write


def ringed(store: Store, url: str, *keys: MasterKey) -> Store:
    return open_store(url, keyring=Keyring.of(*keys), blobs=store.blobs)


def test_after_it_the_new_key_alone_opens_everything_and_the_old_nothing(
    store: Store, database_url: str, keyring: Keyring
) -> None:
    old, new = keyring.newest, MasterKey.made()
    furnish(store)
    captures = enrol(store, captures=2)
    both = ringed(store, database_url, new, old)
    steps: list[int] = []
    assert both.rotate(at=later(1), progress=steps.append) == 3  # house, fridge, member
    assert steps == [3]
    assert both.wrapped() == {new.id: 3}
    assert both.rotate(at=later(2)) == 0

    alone = ringed(store, database_url, new)
    alone.check()
    with alone.read() as unit:
        assert unit.members.get("kitchen", "zoe").name == NAME
        assert unit.captures.of("kitchen", "zoe") == captures
        assert unit.captures.raw(captures[0]) == raw(0)
    with store.read() as unit, pytest.raises(Sealed):
        unit.members.get("kitchen", "zoe")
    both.close()
    alone.close()


def test_stopped_half_way_both_keys_open_it_and_it_goes_on(
    store: Store, database_url: str, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = keyring.newest, MasterKey.made()
    furnish(store)
    for i in range(6):
        enrol(store, f"m{i}", captures=0)
    monkeypatch.setattr(rotation, "STEP", 3)
    both = ringed(store, database_url, new, old)

    class Killed(BaseException):
        pass

    def stop(_: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        both.rotate(at=later(1), progress=stop)
    assert both.wrapped() == {new.id: 3, old.id: 5}
    with both.read() as unit:
        assert len(unit.members.page("kitchen").items) == 6
    # Who enrols now is under the new key already.
    enrol(both, "late", captures=0)
    assert both.wrapped() == {new.id: 4, old.id: 5}
    assert both.rotate(at=later(2)) == 5
    assert both.wrapped() == {new.id: 9}
    both.close()


def test_a_running_service_notices_the_new_key_in_the_file(
    store: Store, database_url: str, keyring: Keyring, tmp_path: Path
) -> None:
    """It knows the old key alone, as read at its start; the operator rotates in another process."""
    old, new = keyring.newest, MasterKey.made()
    path = tmp_path / "keys"
    write(path, [old])
    service = open_store(database_url, keyring=Keyring.file(path), blobs=store.blobs)
    furnish(service)
    enrol(service)
    write(path, [new, old])
    operator = open_store(database_url, keyring=Keyring.file(path), blobs=store.blobs)
    operator.rotate(at=NOW)
    write(path, [new])
    with service.read() as unit:
        assert unit.members.get("kitchen", "zoe").name == NAME
    enrol(service, "ben")
    assert set(service.wrapped()) == {new.id}
    service.close()
    operator.close()


def test_a_wrapping_that_was_altered_stops_it_and_spoils_nothing(
    store: Store, database_url: str, keyring: Keyring
) -> None:
    furnish(store)
    enrol(store)
    engine = database.connect(database_url)
    with database.transaction(engine, writes=True) as connection:
        connection.exec_driver_sql(
            "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE owner = 'kitchen/')"
            " WHERE owner = 'kitchen/zoe'"
        )
    engine.dispose()
    both = ringed(store, database_url, MasterKey.made(), keyring.newest)
    with pytest.raises(Sealed):
        both.rotate(at=NOW)
    assert both.wrapped()[keyring.newest.id] == 3
    both.close()
