"""The audit log in the database: in the transaction, in one chain, and altered by nobody unseen."""

import pytest
from sqlalchemy import create_engine

from tests.store.people import later
from visavox.audit import GENESIS, Head
from visavox.store import Store


def append(store: Store, count: int) -> None:
    for i in range(count):
        with store.begin() as unit:
            unit.audit.append(
                at=later(i), actor="key_a", action="done", subject=f"s{i}", detail={"n": i / 3}
            )


def test_what_was_appended_verifies_and_is_listed_newest_first(store: Store) -> None:
    append(store, 4)
    with store.read() as unit:
        found = unit.audit.verify()
        assert (found.valid, found.records, found.head) == (True, 4, unit.audit.head())
        first = unit.audit.page(limit=3)
        rest = unit.audit.page(limit=3, cursor=first.next_cursor)
        assert [r.seq for r in first.items + rest.items] == [4, 3, 2, 1]
        assert unit.audit.verify(head=Head(2, rest.items[0].previous)).valid is False
        assert unit.audit.verify(head=Head(1, rest.items[0].digest)).valid


def test_a_record_comes_and_goes_with_its_transaction(store: Store) -> None:
    def fail() -> None:
        with store.begin() as unit:
            unit.audit.append(at=later(0), actor="a", action="b", subject="c")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with store.read() as unit:
        assert unit.audit.head() == Head(0, GENESIS)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET detail = '{\"n\":0}' WHERE seq = 2",
        "UPDATE audit SET detail = 'no json' WHERE seq = 2",
        "UPDATE audit SET subject = 'another' WHERE seq = 2",
        "UPDATE audit SET actor = 'key_b' WHERE seq = 3",
        "UPDATE audit SET digest = previous WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        "UPDATE audit_head SET seq = 2",
    ],
)
def test_a_change_behind_its_back_is_found(store: Store, database_url: str, change: str) -> None:
    append(store, 3)
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(change)
    engine.dispose()
    with store.read() as unit:
        found = unit.audit.verify()
        assert not found.valid
        assert found.problem
        unit.audit.page()  # what is altered is still shown
