"""The chain shows every change that is not a whole new chain."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from visavox.audit import GENESIS, AuditRecord, Head, sealed, verify

NOW = datetime(2026, 3, 1, 12, 0, 0, 123, tzinfo=UTC)


def chain(count: int = 5) -> list[AuditRecord]:
    records: list[AuditRecord] = []
    head = Head(0, GENESIS)
    for i in range(count):
        detail = {"n": i, "score": 0.1 + i, "nested": {"é": [1, None, True]}}
        records.append(
            sealed(
                head,
                at=NOW + timedelta(seconds=i),
                actor="key_a",
                action="member.erased",
                subject="kitchen/zoe",
                detail=detail,
            )
        )
        head = Head(records[-1].seq, records[-1].digest)
    return records


def test_an_untouched_log_is_valid_and_says_its_head() -> None:
    found = verify(chain())
    assert (found.valid, found.records, found.problem) == (True, 5, None)
    assert found.head == Head(5, chain()[-1].digest)
    assert verify([]).head == Head(0, GENESIS)


def test_the_same_records_give_the_same_digests_in_every_time_zone() -> None:
    elsewhere = timezone(timedelta(hours=-7))
    moved = [replace(r, at=r.at.astimezone(elsewhere)) for r in chain()]
    assert verify(moved).valid


CHANGES: dict[str, Callable[[AuditRecord], AuditRecord]] = {
    "seq": lambda r: replace(r, seq=r.seq + 1),
    "at": lambda r: replace(r, at=r.at + timedelta(microseconds=1)),
    "actor": lambda r: replace(r, actor="key_b"),
    "action": lambda r: replace(r, action="member.added"),
    "subject": lambda r: replace(r, subject="kitchen/ben"),
    "detail": lambda r: replace(r, detail={**r.detail, "n": 99}),
    "previous": lambda r: replace(r, previous=GENESIS),
    "digest": lambda r: replace(r, digest="f" * 64),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("place", [1, 3, 4])
def test_a_changed_field_is_found_where_it_is(name: str, place: int) -> None:
    records = chain()
    records[place] = CHANGES[name](records[place])
    found = verify(records)
    assert not found.valid
    assert found.head.seq == place
    assert found.problem


def test_a_record_that_is_missing_inserted_or_moved_is_found() -> None:
    records = chain()
    assert not verify([*records[:2], *records[3:]]).valid
    assert not verify(records[1:]).valid
    assert not verify([*records[:2], records[1], *records[2:]]).valid
    assert not verify([records[0], records[2], records[1], *records[3:]]).valid
    # Made anew after a change, the following record tells of it.
    forged = sealed(
        Head(1, records[0].digest), at=NOW, actor="x", action="y", subject="z", detail={}
    )
    found = verify([records[0], forged, *records[2:]])
    assert not found.valid
    assert "replaced" in str(found.problem)


def test_a_head_noted_earlier_shows_a_cut_end_and_a_new_chain() -> None:
    records = chain()
    noted = Head(4, records[3].digest)
    assert verify(records, head=noted).valid
    assert verify(records[:4], head=noted).valid
    cut = verify(records[:3], head=noted)
    assert not cut.valid
    assert "ends at record 3" in str(cut.problem)
    other = [r for r in chain(6) if r.seq < 4]
    head = Head(3, other[-1].digest)
    for _ in range(2):
        made = sealed(head, at=NOW, actor="x", action="y", subject="z", detail={})
        other.append(made)
        head = Head(made.seq, made.digest)
    assert verify(other).valid
    assert not verify(other, head=noted).valid
    assert verify(records, head=Head(0, GENESIS)).valid
