"""What a version's captures look like to the nets, opened in memory."""

import hashlib
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.service.scene import sample
from tests.store.people import NAME, NOW, furnish, later
from visavox.characterizer import Characterizer
from visavox.errors import DataError, LedgerError
from visavox.perception import Perception
from visavox.store import Store
from visavox.training.production.ledger import Ledger
from visavox.training.production.ledger_collect import collect
from visavox.training.production.sightings import Sightings, sightings
from visavox.types import FACE_QUALITY, VOICE_QUALITY, Embedding, Embeddings

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger")


def seen(nets: Characterizer, seed: int) -> Embeddings:
    rng = np.random.default_rng(seed)
    vectors = [rng.normal(size=d).astype(np.float32) for d in (nets.face_dim, nets.voice_dim)]
    face, voice = (v / np.linalg.norm(v) for v in vectors)
    return Embeddings(
        Embedding(face, dict.fromkeys(FACE_QUALITY, 0.5)),
        Embedding(voice, dict.fromkeys(VOICE_QUALITY, 2.0)),
    )


def enrolled(
    store: Store,
    nets: Characterizer,
    member: str,
    seeds: tuple[int, ...],
    *,
    by: str | None = None,
    raw: dict[str, bytes] | None = None,
) -> None:
    with store.begin() as unit:
        unit.members.add("kitchen", member, name=NAME, locale="en", consent_at=NOW, at=NOW)
        for i, seed in enumerate(seeds):
            unit.captures.add(
                "kitchen",
                member,
                embeddings=seen(nets, seed),
                raw=raw or {"image-0": b"never opened"},
                at=NOW + timedelta(hours=i),
                characterizer=by or nets.digest,
            )


def look(store: Store, ledger: Ledger, nets: Characterizer, run: str = "run_1") -> Sightings:
    version = ledger.snapshot(store, ["kitchen"], run=run, at=later(60))
    return sightings(store, ledger, version, "kitchen", nets)


def test_embeddings_of_the_same_nets_come_back_bit_for_bit(
    store: Store, ledger: Ledger, embedded: Characterizer
) -> None:
    furnish(store)
    enrolled(store, embedded, "zoe", (1, 2))
    enrolled(store, embedded, "ben", (3,))
    found = look(store, ledger, embedded)
    assert found.people == ["ben", "zoe", "zoe"]
    assert found.sessions == [later(s).isoformat() for s in (0, 0, 3600)]
    assert tuple(found.captures) == found.table.captures
    for row, seed in enumerate((3, 1, 2)):
        face = seen(embedded, seed).face
        assert isinstance(face, Embedding)
        np.testing.assert_array_equal(found.table.face.vectors[row], face.vector)
    assert (found.gone, found.anew) == ((), 0)


def test_whoever_was_erased_is_absent_from_every_version(
    store: Store, ledger: Ledger, embedded: Characterizer
) -> None:
    furnish(store)
    enrolled(store, embedded, "zoe", (1, 2))
    enrolled(store, embedded, "ben", (3,))
    version = ledger.snapshot(store, ["kitchen"], run="run_1", at=later(60))
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    enrolled(store, embedded, "zoe", (4,))  # somebody else, by the same id
    found = sightings(store, ledger, version, "kitchen", embedded)
    assert (found.people, found.gone) == (["ben"], ("zoe",))
    assert len(found.table) == 1
    now = look(store, ledger, embedded, "run_2")
    assert (now.people, now.gone) == (["ben", "zoe"], ())


def test_a_fridge_that_nobody_is_left_in_has_an_empty_table(
    store: Store, ledger: Ledger, embedded: Characterizer
) -> None:
    furnish(store)
    found = look(store, ledger, embedded)
    assert len(found.table) == 0
    assert found.table.face.vectors.shape == (0, embedded.face_dim)


@pytest.mark.parametrize("by", ["o" * 64, None])
def test_embeddings_of_other_nets_are_made_anew_once_and_kept_sealed(
    store: Store, ledger: Ledger, embedded: Characterizer, by: str | None
) -> None:
    furnish(store)
    raw = sample(3).parts()
    with store.begin() as unit:
        unit.members.add("kitchen", "zoe", name=NAME, locale="en", consent_at=NOW, at=NOW)
        unit.captures.add(
            "kitchen", "zoe", embeddings=seen(embedded, 1), raw=raw, at=NOW, characterizer=by
        )
    first = look(store, ledger, embedded)
    with Perception(embedded) as perception:
        given = perception.take(images=[raw["image-0"]], audio=raw["audio"])
        expected = perception.perceive(given)
    assert isinstance(expected.face, Embedding)
    np.testing.assert_array_equal(first.table.face.vectors[0], expected.face.vector)
    assert first.anew == 1
    again = look(store, ledger, embedded)
    assert again.anew == 0
    np.testing.assert_array_equal(again.table.voice.vectors, first.table.voice.vectors)
    (kept,) = ledger.seen_at(embedded.digest, "kitchen", "zoe").iterdir()
    assert b"vector" not in kept.read_bytes(), "as it would be there in the clear"
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    done = ledger.forget("kitchen", "zoe", later(90))
    assert kept.relative_to(ledger.root).as_posix() in {r.name for r in done.removed}
    assert not kept.exists()


def test_a_capture_that_cannot_be_embedded_anew_is_named(
    store: Store, ledger: Ledger, embedded: Characterizer
) -> None:
    furnish(store)
    enrolled(store, embedded, "zoe", (1,), by="o" * 64, raw={"image-0": b"no picture"})
    with pytest.raises(DataError, match=r"cap_.* of kitchen cannot be embedded"):
        look(store, ledger, embedded)


def test_collecting_removes_an_erased_members_ciphertext_from_every_version(
    store: Store, ledger: Ledger, embedded: Characterizer
) -> None:
    furnish(store)
    enrolled(store, embedded, "zoe", (1, 2))
    enrolled(store, embedded, "ben", (3,))
    version = ledger.snapshot(store, ["kitchen"], run="run_1", at=later(60))
    assert collect(store, ledger, "kitchen") == ()
    with store.begin() as unit:
        sealed = {r.embeddings for r in unit.captures.sealed("kitchen") if r.member == "zoe"}
        unit.members.delete("kitchen", "zoe")
    assert len(sealed) == 2
    assert _holding(ledger, sealed) == 4, "in the cache and the remote"
    ledger.snapshot(store, ["kitchen"], run="run_2", at=later(70))
    removed = collect(store, ledger, "kitchen")
    assert len(removed) == 4, "of two captures, a picture and embeddings"
    assert {r.sha256 for r in removed} > {hashlib.sha256(s).hexdigest() for s in sealed}
    assert _holding(ledger, sealed) == 0
    assert collect(store, ledger, "kitchen") == ()
    found = sightings(store, ledger, version, "kitchen", embedded)
    assert (found.people, found.gone) == (["ben"], ("zoe",))


def test_lost_ciphertext_of_somebody_who_is_a_member_is_said(
    store: Store, ledger: Ledger, embedded: Characterizer
) -> None:
    furnish(store)
    enrolled(store, embedded, "zoe", (1,))
    version = ledger.snapshot(store, ["kitchen"], run="run_1", at=later(60))
    for name, md5 in ledger.data.files(version.of("kitchen").dvc).items():
        if name.endswith("embeddings.sealed"):
            ledger.data.drop(md5)
    with pytest.raises(LedgerError, match="has lost"):
        sightings(store, ledger, version, "kitchen", embedded)


def _holding(ledger: Ledger, contents: set[bytes]) -> int:
    """Files in the ledger and its remote that hold one of these, each counted by its bytes."""
    roots = (ledger.root / ".dvc" / "cache", ledger.root.with_name("ledger-remote"))
    found = [p for root in roots for p in root.rglob("*") if p.is_file()]
    return sum(p.read_bytes() in contents for p in found)
