"""What lies on disk of a trained bundle: sealed, and of members alone."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as tensors_from

from tests import cohort
from tests.service.scene import Hands, Kitchen, on_sqlite, probe
from visavox import bundle
from visavox.discriminator import Discriminator
from visavox.discriminator.model import FAMILIES
from visavox.errors import BundleError, NotFound, Stale
from visavox.parts import Array
from visavox.service import fridges, members, models
from visavox.service.models import Models
from visavox.service.parcel import Parcel
from visavox.service.sealed import SealedSlot
from visavox.service.snapshot import Snapshot
from visavox.store import Store
from visavox.store import open as open_store
from visavox.store.keyring import Keyring, MasterKey
from visavox.store.records import DecisionOutcome


def trained(kitchen: Kitchen, folder: Path, run: str = "0", family: str = "plda") -> Path:
    with kitchen.house.store.read() as unit:
        found = unit.captures.of_fridge("kitchen")
    seen = {m: [c.embeddings for c in captures] for m, captures in found.items()}
    nets = kitchen.house.perception.characterizer
    return cohort.trained_bundle(
        folder / "trained", nets, "kitchen", seen, family=family, lineage={"run": run}
    )


def install(kitchen: Kitchen, path: Path) -> models.Live:
    return models.install(kitchen.house, kitchen.admin, "kitchen", path)


def snapshot(kitchen: Kitchen, held: Models | None = None) -> Snapshot:
    with kitchen.house.store.read() as unit:
        return (held or kitchen.house.models).snapshot(unit, unit.fridges.get("kitchen"))


def fresh(kitchen: Kitchen, tmp_path: Path) -> Models:
    """The models of a process that has just been started."""
    return Models(tmp_path / "models", kitchen.house.perception.characterizer)


def columns(tensors: dict[str, Array], member: int) -> Iterator[bytes]:
    """What a bundle's arrays hold of one member, as bytes of either precision."""
    for modality in ("face", "voice"):
        for name in ("square", "linear"):
            column = tensors[f"{modality}.{name}"][:, member]
            for kind in (np.float64, np.float32):
                yield np.ascontiguousarray(column, dtype=kind).tobytes()


def lying(folder: Path) -> bytes:
    return b"\0".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def opened(kitchen: Kitchen, path: Path) -> Parcel:
    """A sealed file, with the master key and the database at hand."""
    with kitchen.house.store.read() as unit:
        digest = path.name.split(".")[0]
        return Parcel.unpack(digest, unit.bundles.open("kitchen", digest, path.read_bytes()))


def sealed_files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "models" / "fridges" / "kitchen").glob("*.sealed"))


@pytest.fixture
def path(kitchen: Kitchen, tmp_path: Path) -> Path:
    """A bundle of p0, p1 and p2."""
    for who in (0, 1, 2):
        kitchen.enrol(who)
    return trained(kitchen, tmp_path)


def test_nothing_of_a_member_lies_open_on_the_disk(
    kitchen: Kitchen, tmp_path: Path, path: Path
) -> None:
    install(kitchen, path)
    disk = lying(tmp_path / "models" / "fridges")
    tensors = tensors_from((path / bundle.WEIGHTS).read_bytes())
    for member in range(3):
        for found in columns(tensors, member):
            assert found not in disk
            assert found[: len(found) // 2] not in disk
    for name in (b'"p0"', b'"p1"', b"Persona", b"members", b"safetensors", b"threshold"):
        assert name not in disk
    (file,) = sealed_files(tmp_path)
    assert file.stat().st_mode & 0o077 == 0


@on_sqlite
def test_what_is_erased_is_gone_from_the_disk_with_the_master_key_at_hand(
    kitchen: Kitchen, tmp_path: Path, path: Path, hands: Hands
) -> None:
    install(kitchen, path)
    (before,) = sealed_files(tmp_path)
    copied = tmp_path / "backup" / before.name
    copied.parent.mkdir()
    shutil.copyfile(before, copied)
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p1")
    (after,) = sealed_files(tmp_path)
    assert not before.exists()
    left = opened(kitchen, after)
    whole = tensors_from((path / bundle.WEIGHTS).read_bytes())
    disk = b"".join(left.files.values())
    for found in columns(whole, 1):
        assert found not in disk
    kept = tensors_from(left.files[bundle.WEIGHTS])
    assert list(columns(kept, 0)) == list(columns(whole, 0)), "the others stay as they were"
    assert b'"p1"' not in left.pack()
    now = left.bundle(kitchen.house.perception.characterizer.digest)
    assert now.digest == path.name
    assert now.discriminator.members == ("p0", "p2")
    assert now.lineage["reduced"] == {
        "from": path.name,
        "at": hands.now.isoformat(),
        "steps": [{"columns": 3, "gone": [1]}],
    }
    # Not even from a copy that was made before: its key is destroyed.
    with kitchen.house.store.read() as unit, pytest.raises(Exception, match="destroyed"):
        unit.bundles.open("kitchen", path.name, copied.read_bytes())


def test_who_is_left_is_scored_as_before_and_decisions_name_the_trained_bundle(
    kitchen: Kitchen, tmp_path: Path, path: Path
) -> None:
    install(kitchen, path)
    other = fresh(kitchen, tmp_path)
    before = snapshot(kitchen, other)
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p1")
    for held in (other, kitchen.house.models, fresh(kitchen, tmp_path)):
        now = snapshot(kitchen, held)
        assert now.bundle is not None
        assert now.bundle.discriminator.members == ("p0", "p2"), "another worker, or a restart"
    with kitchen.house.store.read() as unit:
        seen = unit.captures.of("kitchen", "p0")
        table = kitchen.house.models.table([c.id for c in seen], [c.embeddings for c in seen])
    np.testing.assert_allclose(
        now.score(table).fused, before.score(table).fused[:, [0, 2]], rtol=1e-9
    )
    decision = kitchen.ask(probe(0)).decision
    assert (decision.outcome, decision.member) == (DecisionOutcome.GRANTED, "p0")
    assert decision.bundle == path.name
    refused = kitchen.ask(probe(1)).decision
    assert refused.outcome is DecisionOutcome.REFUSED
    for who in ("p0", "p2"):
        members.remove(kitchen.house, kitchen.admin, "kitchen", who)
    assert models.read(kitchen.house, kitchen.admin, "kitchen").bundle == path.name
    assert snapshot(kitchen).trained == ()


@on_sqlite
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_member_can_be_taken_out_of_any_family(
    kitchen: Kitchen, tmp_path: Path, path: Path, family: str, hands: Hands
) -> None:
    path = trained(kitchen, tmp_path, family=family)
    nets = kitchen.house.perception.characterizer.digest
    whole = bundle.load(path, characterizer_digest=nets)
    parcel = Parcel.of(path, whole).only({"p0", "p2"}, hands.now)
    left = Parcel.unpack(path.name, parcel.pack()).bundle(nets)
    with kitchen.house.store.read() as unit:
        seen = unit.captures.of("kitchen", "p0")
    table = kitchen.house.models.table([c.id for c in seen], [c.embeddings for c in seen])
    for kind in ("face", "voice", "fused"):
        before = getattr(whole.discriminator.score(table), kind)[:, [0, 2]]
        np.testing.assert_allclose(getattr(left.discriminator.score(table), kind), before)
    widths = _widths(whole.discriminator), _widths(left.discriminator)
    assert widths == ({3}, {2})


def _widths(found: Discriminator) -> set[int]:
    return {found.face.scorer.width, found.voice.scorer.width}


@on_sqlite
def test_an_erasure_that_is_not_committed_changes_nothing(
    kitchen: Kitchen, tmp_path: Path, path: Path
) -> None:
    install(kitchen, path)
    (before,) = sealed_files(tmp_path)
    with pytest.raises(Stale):
        members.remove(kitchen.house, kitchen.admin, "kitchen", "p1", expected_version=99)
    with pytest.raises(NotFound):
        members.remove(kitchen.house, kitchen.admin, "kitchen", "nobody")
    assert sealed_files(tmp_path) == [before]
    assert snapshot(kitchen, fresh(kitchen, tmp_path)).trained == ("p0", "p1", "p2")


@on_sqlite
@pytest.mark.parametrize("committed", [False, True])
def test_killed_while_erasing_the_next_start_serves_and_a_sweep_tidies(
    kitchen: Kitchen, tmp_path: Path, path: Path, *, committed: bool
) -> None:
    install(kitchen, path)
    (before,) = sealed_files(tmp_path)
    if (child := os.fork()) == 0:  # a process that dies before, or right after, its commit
        try:
            with kitchen.house.store.begin() as unit:
                slot = SealedSlot(tmp_path / "models", "kitchen")
                slot.forget(unit, "p1", kitchen.house.clock())
                unit.members.delete("kitchen", "p1")
                if not committed:
                    os._exit(9)
                unit._afterwards[:] = [lambda: os._exit(9)]
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert len(sealed_files(tmp_path)) == 2
    expected = ("p0", "p2") if committed else ("p0", "p1", "p2")
    found = snapshot(kitchen, fresh(kitchen, tmp_path))
    assert found.trained == expected
    assert found.bundle is not None
    assert found.bundle.discriminator.members == expected
    if committed:
        with pytest.raises(Exception, match="destroyed"):
            opened(kitchen, before)
    kitchen.house.models.sweep(kitchen.house.store)
    assert len(sealed_files(tmp_path)) == 1
    assert (before in sealed_files(tmp_path)) is not committed
    assert snapshot(kitchen, fresh(kitchen, tmp_path)).trained == expected


@on_sqlite
def test_a_changed_byte_is_told_and_not_served(
    kitchen: Kitchen, tmp_path: Path, path: Path
) -> None:
    install(kitchen, path)
    (file,) = sealed_files(tmp_path)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    held = fresh(kitchen, tmp_path)
    assert snapshot(kitchen, held).bundle is None
    with kitchen.house.store.read() as unit:
        problem = held.describe(unit, unit.fridges.get("kitchen")).problem
        with pytest.raises(BundleError, match="model install"):
            held.slot("kitchen").open(unit, path.name)
    assert problem is not None
    assert "was altered" in problem
    # Nor does that stand in the way of an erasure.
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p1")
    assert sealed_files(tmp_path) == []
    assert install(kitchen, path).members == 2


@on_sqlite
def test_a_sealed_bundle_opens_as_what_it_is_alone(
    kitchen: Kitchen, tmp_path: Path, path: Path
) -> None:
    """Neither another bundle's name nor another fridge's folder makes it serve."""
    second = trained(kitchen, tmp_path, "1")
    install(kitchen, path)
    install(kitchen, second)
    first, live = sorted(sealed_files(tmp_path), key=lambda p: not p.name.startswith(path.name))
    shutil.copyfile(first, live)
    with pytest.raises(Exception, match="altered, or moved"):
        opened(kitchen, live)
    assert snapshot(kitchen, fresh(kitchen, tmp_path)).bundle is None
    with kitchen.house.store.read() as unit, pytest.raises(Exception, match="altered, or moved"):
        unit.bundles.open("cellar", path.name, first.read_bytes())


def test_the_master_key_can_be_changed_under_it(
    kitchen: Kitchen, tmp_path: Path, path: Path, database_url: str, keyring: Keyring
) -> None:
    install(kitchen, path)
    new = MasterKey.made()
    both = open_store(
        database_url, keyring=Keyring.of(new, *keyring.keys), blobs=kitchen.house.store.blobs
    )
    both.rotate(at=kitchen.house.clock())
    both.close()
    after: Store = open_store(
        database_url, keyring=Keyring.of(new), blobs=kitchen.house.store.blobs
    )
    with after.read() as unit:
        held = fresh(kitchen, tmp_path)
        found = held.snapshot(unit, unit.fridges.get("kitchen"))
    assert found.trained == ("p0", "p1", "p2")
    after.close()


@on_sqlite
def test_the_former_bundle_is_gone_back_to_as_it_lies_there(
    kitchen: Kitchen, tmp_path: Path, path: Path
) -> None:
    second = trained(kitchen, tmp_path, "1")
    install(kitchen, path)
    install(kitchen, second)
    shutil.rmtree(path)
    (former,) = [p for p in sealed_files(tmp_path) if p.name.startswith(path.name)]
    assert models.meant_for(former) == "kitchen"
    assert install(kitchen, former).bundle == path.name
    assert snapshot(kitchen, fresh(kitchen, tmp_path)).trained == ("p0", "p1", "p2")
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    assert install(kitchen, former.with_name(second.name)).members == 2
    models.remove(kitchen.house, kitchen.admin, "kitchen")
    with pytest.raises(BundleError, match="not kept here"):
        install(kitchen, former.with_name(second.name))


@on_sqlite
def test_who_was_erased_before_the_installation_is_not_kept(
    kitchen: Kitchen, tmp_path: Path, path: Path
) -> None:
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    assert install(kitchen, path).members == 2
    (file,) = sealed_files(tmp_path)
    assert b'"p0"' not in opened(kitchen, file).pack()


@on_sqlite
def test_what_a_former_version_kept_unsealed_is_refused_until_it_is_installed_again(
    kitchen: Kitchen, tmp_path: Path, path: Path
) -> None:
    slot = kitchen.house.models.slot("kitchen")
    shutil.copytree(path, slot.folder / path.name)
    slot.point(path.name)
    live = models.read(kitchen.house, kitchen.admin, "kitchen")
    assert (live.bundle, live.provisional) == (None, 3)
    assert live.problem is not None
    assert "unsealed" in live.problem
    kitchen.house.models.sweep(kitchen.house.store)
    assert install(kitchen, slot.folder / path.name).bundle == path.name
    assert not (slot.folder / path.name).exists()
    assert models.read(kitchen.house, kitchen.admin, "kitchen").problem is None


@on_sqlite
def test_what_is_removed_opens_never_again(kitchen: Kitchen, tmp_path: Path, path: Path) -> None:
    install(kitchen, path)
    (file,) = sealed_files(tmp_path)
    copied = tmp_path / file.name
    shutil.copyfile(file, copied)
    models.remove(kitchen.house, kitchen.admin, "kitchen")
    assert sealed_files(tmp_path) == []
    with pytest.raises(Exception, match="destroyed"):
        opened(kitchen, copied)
    assert install(kitchen, path).members == 3
    (file,) = sealed_files(tmp_path)
    shutil.copyfile(file, copied)
    for who in range(3):
        members.remove(kitchen.house, kitchen.admin, "kitchen", f"p{who}")
    fridges.remove(kitchen.house, kitchen.admin, "kitchen")
    kitchen.house.models.sweep(kitchen.house.store)
    assert sealed_files(tmp_path) == []
    with kitchen.house.store.read() as unit:
        assert unit.bundles.key("kitchen") is None
