"""The same request twice is done once."""

import pytest

from tests.store.people import NAME, enrol, furnish, later
from visavox.errors import IdempotencyInFlight, IdempotencyMismatch, Sealed
from visavox.store import Store
from visavox.store.idempotency import LEASE, LIFE


def begin(store: Store, *, fingerprint: str = "f", second: float = 0) -> object:
    with store.begin() as unit:
        return unit.idempotency.begin("key_a", "token", fingerprint, at=later(second))


def finish(store: Store, member: tuple[str, str] | None = None) -> None:
    with store.begin() as unit:
        unit.idempotency.finish(
            "key_a", "token", status=201, headers={"ETag": '"1"'}, body=NAME.encode(), member=member
        )


def test_the_first_answer_is_given_again(store: Store) -> None:
    assert begin(store) is None
    finish(store)
    with store.begin() as unit:
        again = unit.idempotency.begin("key_a", "token", "f", at=later(5))
        assert again is not None
        assert (again.status, again.headers, again.body) == (201, {"ETag": '"1"'}, NAME.encode())
        assert NAME not in repr(again)
        # Another client's token is another token.
        assert unit.idempotency.begin("key_b", "token", "f", at=later(5)) is None


def test_another_request_under_the_same_token_is_refused(store: Store) -> None:
    begin(store)
    for done in (False, True):
        if done:
            finish(store)
        with pytest.raises(IdempotencyMismatch):
            begin(store, fingerprint="other")


def test_while_the_first_is_at_work_the_second_is_told_to_wait(store: Store) -> None:
    begin(store)
    with pytest.raises(IdempotencyInFlight) as caught:
        begin(store, second=1)
    assert caught.value.retry_after_s


def test_one_that_was_cut_off_may_be_done_by_the_next(store: Store) -> None:
    begin(store)
    assert begin(store, second=LEASE.total_seconds()) is None
    with pytest.raises(IdempotencyInFlight):
        begin(store, second=LEASE.total_seconds() + 1)


def test_one_that_came_to_nothing_may_be_tried_again(store: Store) -> None:
    begin(store)
    with store.begin() as unit:
        unit.idempotency.abandon("key_a", "token")
    assert begin(store, fingerprint="other") is None
    finish(store)
    with store.begin() as unit:  # what is done stays done
        unit.idempotency.abandon("key_a", "token")
    assert begin(store, fingerprint="other", second=1) is not None


def test_after_a_day_it_is_forgotten(store: Store) -> None:
    begin(store)
    finish(store)
    assert begin(store, fingerprint="other", second=LIFE.total_seconds()) is None
    assert store.sweep(at=later(3 * LIFE.total_seconds())).answers == 1


def test_an_answer_about_a_member_goes_with_the_member(store: Store) -> None:
    furnish(store)
    enrol(store)
    begin(store)
    finish(store, ("kitchen", "zoe"))
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    with pytest.raises(Sealed):
        begin(store, second=1)


def test_an_answer_about_a_member_deleted_meanwhile_is_not_kept(store: Store) -> None:
    furnish(store)
    begin(store)
    finish(store, ("kitchen", "zoe"))
    assert begin(store, second=1) is None
