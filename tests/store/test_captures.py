"""Captures come back as they were given, and only they open what is sealed for them."""

import hashlib

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from tests.store.people import NOW, embeddings, enrol, furnish, later, raw
from visavox.errors import BlobError, Conflict, NotFound, Sealed
from visavox.store import Store
from visavox.types import Embedding, Embeddings, Modality, Rejected


def test_embeddings_come_back_bit_for_bit(store: Store) -> None:
    furnish(store)
    enrol(store)
    given = embeddings(7, voice=False)
    with store.begin() as unit:
        made = unit.captures.add("kitchen", "zoe", embeddings=given, raw={}, at=later(9))
    with store.read() as unit:
        read = unit.captures.get("kitchen", "zoe", made.id)
    assert read == made
    assert isinstance(read.embeddings.face, Embedding)
    assert isinstance(given.face, Embedding)
    np.testing.assert_array_equal(read.embeddings.face.vector, given.face.vector)
    assert read.embeddings.face.vector.dtype == np.float32
    assert read.embeddings.face.quality == given.face.quality
    assert isinstance(read.embeddings.voice, Rejected)
    assert read.embeddings.voice == given.voice
    assert read.modalities == (Modality.FACE,)


def test_raw_parts_come_back_and_are_digested(store: Store) -> None:
    furnish(store)
    (made,) = enrol(store)
    with store.read() as unit:
        assert unit.captures.raw(made) == raw(0)
    digests = [hashlib.sha256(content).digest() for _, content in sorted(raw(0).items())]
    assert made.sha256 == hashlib.sha256(b"".join(digests)).hexdigest()
    assert all(name.startswith(f"kitchen/{made.id}/") for name in made.blob)


def test_what_it_was_embedded_by_and_where_it_comes_from_is_kept(store: Store) -> None:
    furnish(store)
    (plain,) = enrol(store)
    assert (plain.characterizer, plain.source) == (None, "enrolment")
    with store.begin() as unit:
        made = unit.captures.add(
            "kitchen", "zoe", embeddings=embeddings(), raw={}, at=later(9),
            characterizer="d" * 64, source="confirmed",
        )  # fmt: skip
    with store.read() as unit:
        assert unit.captures.of("kitchen", "zoe") == (plain, made)
    assert (made.characterizer, made.source) == ("d" * 64, "confirmed")


def test_copies_of_what_is_sealed_open_until_their_member_is_erased(store: Store) -> None:
    furnish(store)
    (made,) = enrol(store)
    enrol(store, "ben", captures=2)
    with store.read() as unit:
        ben, _, zoe = unit.captures.sealed("kitchen")
        parts = {name: store.blobs.get(name) for name in zoe.blob}
        seen = unit.captures.seal_seen("kitchen", "zoe", made.id, "e" * 64, embeddings(3))
    assert (ben.member, zoe.id, zoe.created_at, zoe.consent_at) == ("ben", made.id, NOW, NOW)
    assert (zoe.blob, zoe.modalities, zoe.source) == (made.blob, made.modalities, "enrolment")
    assert "b'" not in repr(zoe)
    with store.read() as unit:
        assert unit.captures.can_open(zoe.embeddings)
        assert _same(unit.captures.open_embeddings(zoe.id, zoe.embeddings), made.embeddings)
        opened = [unit.captures.open_part(name, sealed) for name, sealed in parts.items()]
        assert opened == [raw(0)["audio"], raw(0)["image"]]
        assert _same(unit.captures.open_seen(made.id, "e" * 64, seen), embeddings(3))
        with pytest.raises(Sealed, match="altered, or moved"):
            unit.captures.open_seen(made.id, "f" * 64, seen)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    with store.read() as unit:
        assert [s.member for s in unit.captures.sealed("kitchen")] == ["ben", "ben"]
        assert not unit.captures.can_open(zoe.embeddings)
        assert not unit.captures.can_open(seen)
        assert unit.captures.can_open(ben.embeddings)
        with pytest.raises(Sealed, match="destroyed"):
            unit.captures.open_embeddings(zoe.id, zoe.embeddings)


def test_they_are_listed_oldest_first_in_pages(store: Store) -> None:
    furnish(store)
    made = enrol(store, captures=3)
    with store.read() as unit:
        assert unit.captures.of("kitchen", "zoe") == made
        assert unit.captures.of_fridge("kitchen") == {"zoe": made}
        first = unit.captures.page("kitchen", "zoe", limit=2)
        rest = unit.captures.page("kitchen", "zoe", limit=2, cursor=first.next_cursor)
        assert first.items + rest.items == made
        with pytest.raises(NotFound):
            unit.captures.get("kitchen", "zoe", "cap_no")


def test_what_was_moved_to_another_row_does_not_open(store: Store, database_url: str) -> None:
    """An attacker with the database gives Zoe's row the template of another capture."""
    furnish(store)
    one, two = enrol(store, captures=2)
    _execute(
        database_url,
        "UPDATE captures SET embeddings_sealed ="
        f" (SELECT embeddings_sealed FROM captures WHERE id = '{two.id}') WHERE id = '{one.id}'",
    )
    with store.read() as unit:
        with pytest.raises(Sealed, match="altered, or moved"):
            unit.captures.get("kitchen", "zoe", one.id)
        assert unit.captures.get("kitchen", "zoe", two.id) == two


def test_a_raw_part_that_was_swapped_or_lost_is_noticed(store: Store) -> None:
    furnish(store)
    one, two = enrol(store, captures=2)
    store.blobs.put(one.blob[0], store.blobs.get(two.blob[0]))
    store.blobs.delete(two.blob[1])
    with store.read() as unit:
        with pytest.raises(Sealed):
            unit.captures.raw(one)
        with pytest.raises(BlobError, match="has no"):
            unit.captures.raw(two)


def test_a_capture_store_that_fails_fails_the_enrolment(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(store)
    put = store.blobs.put

    def full(name: str, content: bytes) -> None:
        if "image" in name:
            raise BlobError("No room.", next_step="Make room.")
        put(name, content)

    monkeypatch.setattr(store.blobs, "put", full)
    with pytest.raises(BlobError):
        enrol(store)
    assert list(store.blobs.names()) == []
    with store.read() as unit:
        assert unit.members.ids("kitchen") == ()


def test_a_capture_store_that_fails_to_delete_does_not_undo_the_deletion(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    furnish(store)
    enrol(store)

    def away(name: str) -> None:
        raise BlobError(f"{name} cannot be deleted.", next_step="Look.")

    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "delete", away)
        with store.begin() as unit:
            assert unit.members.delete("kitchen", "zoe").key_destroyed
    assert "left for the sweep" in caplog.text
    assert len(list(store.blobs.names())) == 2
    assert store.sweep(at=later(10**9)).blobs == 2
    assert list(store.blobs.names()) == []


def test_grants_name_compartments_that_a_member_may_open(store: Store) -> None:
    furnish(store, compartments=("top", "left", "door"))
    enrol(store)
    with store.begin() as unit:
        first = unit.grants.put("kitchen", "zoe", "top", at=NOW)
        assert unit.grants.put("kitchen", "zoe", "top", at=later(5)) == first
        unit.grants.put("kitchen", "zoe", "left", at=NOW)
    with store.begin() as unit:
        assert [c.id for c in unit.grants.compartments("kitchen", "zoe")] == ["left", "top"]
        assert unit.grants.remove("kitchen", "zoe", "top")
        assert not unit.grants.remove("kitchen", "zoe", "top")
        assert [g.compartment for g in unit.grants.page("kitchen", "zoe").items] == ["left"]
    with pytest.raises(Conflict), store.begin() as unit:
        unit.compartments.delete("kitchen", "left")


def _same(one: Embeddings, other: Embeddings) -> bool:
    pairs = ((one.face, other.face), (one.voice, other.voice))
    return all(
        isinstance(a, Embedding) and isinstance(b, Embedding) and np.array_equal(a.vector, b.vector)
        for a, b in pairs
    )


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
