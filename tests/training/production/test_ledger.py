"""The ledger with a real store, real git and real DVC."""

import hashlib
import json
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.store.people import NAME, NOW, embeddings, enrol, furnish, later, raw
from visavox import manifest
from visavox.errors import BlobError, LedgerError
from visavox.store import Store
from visavox.training.production.ledger import Ledger, Version
from visavox.types import Modality

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger")


def snapshot(ledger: Ledger, store: Store, *fridges: str, run: str = "run_1") -> Version:
    return ledger.snapshot(store, fridges or ("kitchen",), run=run, at=later(60))


def folder(ledger: Ledger, fridge: str = "kitchen") -> Path:
    (found,) = ledger.root.glob(f"fridges/*/{fridge}")
    return found


def git(ledger: Ledger, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ledger.root, capture_output=True, text=True, check=True
    )
    return done.stdout


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_snapshot_holds_a_fridges_captures_as_the_store_seals_them(
    ledger: Ledger, store: Store
) -> None:
    furnish(store)
    zoe, ben = enrol(store, "zoe", captures=2), enrol(store, "ben")
    made = snapshot(ledger, store)
    data = made.of("kitchen")
    assert data.members == ("ben", "zoe")
    assert data.captures == tuple(c.id for c in (*ben, *zoe))
    assert data.risk == "normal"
    assert made.as_of == later(60)
    for capture in (*zoe, *ben):
        for name in capture.blob:
            kept = folder(ledger) / "captures" / capture.id / name.rsplit("/", 1)[1]
            assert kept.read_bytes() == store.blobs.get(name)
    with store.read() as unit:
        for row in unit.captures.sealed("kitchen"):
            kept = folder(ledger) / "captures" / row.id / "embeddings.sealed"
            assert kept.read_bytes() == row.embeddings


def test_its_manifest_is_a_datasets(ledger: Ledger, store: Store) -> None:
    furnish(store)
    enrol(store, "zoe", captures=2)
    data = snapshot(ledger, store).of("kitchen")
    read = manifest.read(folder(ledger))
    assert tuple(row.capture for row in read) == data.captures
    content = (folder(ledger) / "manifest.csv").read_bytes()
    assert data.sha256 == hashlib.sha256(content).hexdigest()
    for row in read:
        assert (row.person, row.fridge, row.split) == ("zoe", "kitchen", "enrol")
        assert (row.consent, row.source) == (NOW.isoformat(), "enrolment")
        assert {f.path.rsplit("/", 1)[1] for f in row.files} == {"image.sealed", "audio.sealed"}
        for file in row.files:
            assert manifest.sha256((folder(ledger) / file.path).read_bytes()) == file.sha256
    (first, _) = ledger.entries(data)
    assert first.modalities == (Modality.FACE, Modality.VOICE)
    assert first.characterizer == ""


def test_nothing_personal_is_in_it_in_the_clear(ledger: Ledger, store: Store) -> None:
    furnish(store)
    (capture,) = enrol(store)
    snapshot(ledger, store)
    everything = [*files(ledger.root), *files(ledger.root.with_name("ledger-remote"))]
    assert len(everything) > 10
    for path in everything:
        content = path.read_bytes()
        for secret in (b"PLAINTEXT", NAME.encode(), b"Plaintext", capture.sha256.encode()):
            assert secret not in content, path


def test_equal_data_have_one_hash_and_a_run_one_version(ledger: Ledger, store: Store) -> None:
    furnish(store)
    enrol(store)
    first = snapshot(ledger, store, run="run_1")
    second = snapshot(ledger, store, run="run_2")
    assert second.of("kitchen") == first.of("kitchen")
    assert second.commit != first.commit
    assert snapshot(ledger, store, run="run_1") == first
    enrol(store, "ben")
    third = snapshot(ledger, store, run="run_1")
    assert third.of("kitchen").dvc != first.of("kitchen").dvc
    assert (first.tag, third.tag) == ("snapshot/run_1", "snapshot/run_1.2")
    assert snapshot(ledger, store, run="run_1") == third


def test_only_what_is_new_is_copied_and_no_byte_is_kept_twice_on_this_disk(
    ledger: Ledger, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(store)
    enrol(store)
    old = snapshot(ledger, store).of("kitchen")
    (capture,) = enrol(store, "ben")
    fetched = []
    fetch = store.blobs.fetch

    def watched(name: str, to: Path) -> None:
        fetched.append(name)
        fetch(name, to)

    with monkeypatch.context() as patch:
        patch.setattr(store.blobs, "fetch", watched)
        new = snapshot(ledger, store, run="run_2").of("kitchen")
    assert sorted(fetched) == sorted(capture.blob)
    assert set(new.captures) - set(old.captures) == {capture.id}
    for name in capture.blob:
        path = tmp_path / "captures" / name
        same = folder(ledger) / "captures" / capture.id / path.name
        cached = ledger.data.path(hashlib.md5(path.read_bytes()).hexdigest())
        assert path.samefile(same)
        assert path.samefile(cached)


def test_only_the_fridges_it_is_for_are_touched(ledger: Ledger, store: Store) -> None:
    for fridge in ("kitchen", "cellar"):
        furnish(store, fridge)
        enrol(store, fridge=fridge)
    both = snapshot(ledger, store, "kitchen", "cellar")
    enrol(store, "ben", fridge="cellar")
    enrol(store, "ben", fridge="kitchen")
    one = snapshot(ledger, store, "kitchen", run="run_2")
    assert tuple(one.fridges) == ("kitchen",)
    assert ledger.current(["cellar"])["cellar"] == both.of("cellar")
    changed = git(ledger, "show", "--name-only", "--format=", one.commit).split()
    assert [name.rsplit("/", 1)[1] for name in changed] == ["kitchen.dvc"]
    with pytest.raises(LedgerError, match="holds nothing of 'cellar'"):
        one.of("cellar")


def test_a_version_is_found_by_its_commit_its_tag_and_through_json(
    ledger: Ledger, store: Store
) -> None:
    furnish(store)
    enrol(store)
    made = snapshot(ledger, store)
    enrol(store, "ben")
    snapshot(ledger, store, run="run_2")
    for name in (made.commit, made.commit[:12], "snapshot/run_1"):
        assert ledger.version(name) == made
    assert Version.from_json(json.loads(json.dumps(made.to_json()))) == made
    for unknown in ("snapshot/no", "--all", "0" * 40):
        with pytest.raises(LedgerError, match="has no version"):
            ledger.version(unknown)
    with pytest.raises(LedgerError, match="no data version"):
        ledger.version(git(ledger, "rev-list", "--max-parents=0", "HEAD").strip())


def test_the_history_can_be_read(ledger: Ledger, store: Store) -> None:
    furnish(store)
    enrol(store)
    snapshot(ledger, store)
    snapshot(ledger, store, run="run_2")
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    ledger.forget("kitchen", "zoe", later(90))
    assert git(ledger, "log", "--format=%s").splitlines() == [
        "Forget a member of kitchen: -1 captures",
        "Snapshot of kitchen: nothing new",
        "Snapshot of kitchen: +1 -0 captures",
        "Set up the ledger",
    ]
    assert git(ledger, "log", "-1", "--format=%b", "snapshot/run_1").strip().splitlines() == [
        "kitchen: 1 members, 1 captures (+1 -0)",
        "",
        "Run: run_1",
        "As-Of: 2026-03-01T12:01:00+00:00",
        "Fridge: kitchen",
    ]
    assert "zoe" not in git(ledger, "log", "-p")
    assert git(ledger, "status", "--porcelain") == ""


def test_an_erased_member_leaves_the_current_version_and_no_other(
    ledger: Ledger, store: Store
) -> None:
    furnish(store)
    zoe, _ = enrol(store, "zoe", captures=2), enrol(store, "ben")
    before = snapshot(ledger, store)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    hashed = {
        path.relative_to(ledger.root).as_posix(): manifest.sha256(path.read_bytes())
        for capture in zoe
        for path in files(folder(ledger) / "captures" / capture.id)
    }
    done = ledger.forget("kitchen", "zoe", later(90))
    assert {r.name: r.sha256 for r in done.removed} == hashed
    assert len(hashed) == 6
    now = ledger.version(done.commit).of("kitchen")
    assert now.members == ("ben",)
    assert now == ledger.current(["kitchen"])["kitchen"]
    assert {p.name for p in (folder(ledger) / "captures").iterdir()} == set(now.captures)
    assert ledger.version(before.commit).of("kitchen").members == ("ben", "zoe")
    again = ledger.forget("kitchen", "zoe", later(95))
    assert again == done, "told again"
    assert snapshot(ledger, store, run="run_2").of("kitchen") == now


def test_what_a_snapshot_was_quicker_to_leave_out_is_told_of_all_the_same(
    ledger: Ledger, store: Store
) -> None:
    furnish(store)
    (zoe,), _ = enrol(store, "zoe"), enrol(store, "ben")
    snapshot(ledger, store)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    quicker = snapshot(ledger, store, run="run_2")
    enrol(store, "ada")
    snapshot(ledger, store, run="run_3")
    done = ledger.forget("kitchen", "zoe", later(59))
    assert done.commit == quicker.commit
    assert {r.name.split("/")[-2] for r in done.removed} == {zoe.id}
    assert len(done.removed) == 3
    half = folder(ledger) / "captures" / "cap_of_a_killed_snapshot"
    half.mkdir()
    assert ledger.forget("kitchen", "never", later(59)).removed == ()
    assert not half.exists()
    assert ledger.forget("cellar", "zoe", later(59)).removed == ()


def test_who_is_given_an_erased_members_id_is_not_forgotten_with_them(
    ledger: Ledger, store: Store
) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
        unit.members.add("kitchen", "zoe", name="Other", locale="en", consent_at=NOW, at=later(50))
        unit.captures.add("kitchen", "zoe", embeddings=embeddings(), raw=raw(), at=later(51))
    made = snapshot(ledger, store)
    assert ledger.forget("kitchen", "zoe", later(40)).commit == made.commit


def test_a_fridge_that_is_no_more_leaves_the_ledger(ledger: Ledger, store: Store) -> None:
    furnish(store, compartments=())
    enrol(store)
    before = snapshot(ledger, store)
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
        unit.fridges.delete("kitchen")
    made = snapshot(ledger, store, "kitchen", "never", run="run_2")
    assert made.fridges == {}
    assert list(ledger.root.glob("fridges/*/*")) == []
    assert ledger.version("snapshot/run_1") == before
    assert "kitchen: no more" in git(ledger, "log", "-1")


def test_a_fridge_without_captures_has_a_version_too(ledger: Ledger, store: Store) -> None:
    furnish(store)
    data = snapshot(ledger, store).of("kitchen")
    assert (data.members, data.captures) == ((), ())


def test_what_only_the_remote_has_is_fetched_from_there(ledger: Ledger, store: Store) -> None:
    furnish(store)
    enrol(store, captures=2)
    enrol(store, "ben")
    made = snapshot(ledger, store)
    there = {p: p.read_bytes() for p in files(folder(ledger) / "captures")}
    shutil.rmtree(ledger.root / ".dvc" / "cache")
    shutil.rmtree(folder(ledger))
    assert ledger.version(made.commit) == made
    ledger.forget("kitchen", "zoe", later(90))
    (ben,) = made.of("kitchen").captures[:1]
    assert {p: p.read_bytes() for p in files(folder(ledger) / "captures")} == {
        path: content for path, content in there.items() if path.parent.name == ben
    }
    assert ledger.current(["kitchen"])["kitchen"].members == ("ben",)


def test_a_damaged_object_is_fetched_again_and_a_lost_one_is_said(
    ledger: Ledger, store: Store
) -> None:
    furnish(store)
    enrol(store)
    made = snapshot(ledger, store)
    path = ledger.data.path(made.of("kitchen").dvc)
    good = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(good[:-1])
    assert ledger.version(made.commit) == made
    assert path.read_bytes() == good
    path.unlink()
    shutil.rmtree(ledger.root.with_name("ledger-remote"))
    with pytest.raises(LedgerError, match="has lost"):
        ledger.version(made.commit)


def test_where_a_version_is_opens(ledger: Ledger, store: Store) -> None:
    furnish(store)
    enrol(store)
    made = snapshot(ledger, store)
    found = ledger.where("snapshot/run_1", "kitchen")
    assert found == ledger.where(made, "kitchen")
    assert made.of("kitchen").captures[0] in Path(found.manifest).read_text()
    assert json.loads(Path(found.remote).read_bytes())
    pointer = git(ledger, "show", f"{found.commit}:{found.pointer}")
    assert found.dvc in pointer


def test_dvc_finds_the_ledger_in_order(ledger: Ledger, store: Store) -> None:
    from dvc.repo import Repo

    furnish(store)
    enrol(store)
    enrol(store, "ben")
    snapshot(ledger, store)
    ledger.forget("kitchen", "zoe", later(90))
    with Repo(str(ledger.root)) as repo:
        assert repo.status() == {}
        assert repo.status(cloud=True) == {}


def test_a_capture_that_the_store_lost_is_said_and_nothing_is_committed(
    ledger: Ledger, store: Store
) -> None:
    furnish(store)
    (capture,) = enrol(store)
    head = git(ledger, "rev-parse", "HEAD")
    store.blobs.delete(capture.blob[0])
    with pytest.raises(BlobError, match="has no"):
        snapshot(ledger, store)
    assert git(ledger, "rev-parse", "HEAD") == head
    enrol(store, "ben")
    with store.begin() as unit:
        unit.members.delete("kitchen", "zoe")
    assert snapshot(ledger, store).of("kitchen").members == ("ben",)


def test_who_is_erased_while_a_snapshot_is_taken_is_not_in_it(
    ledger: Ledger, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(store)
    enrol(store, "zoe")
    enrol(store, "ben")
    fetch = store.blobs.fetch

    def erased_first(name: str, to: Path) -> None:
        monkeypatch.setattr(store.blobs, "fetch", fetch)
        with store.begin() as unit:
            unit.members.delete("kitchen", "zoe")
        fetch(name, to)

    monkeypatch.setattr(store.blobs, "fetch", erased_first)
    assert snapshot(ledger, store).of("kitchen").members == ("ben",)
    assert len(list((folder(ledger) / "captures").iterdir())) == 1


def test_several_at_once_wait_for_one_another(store: Store, tmp_path: Path) -> None:
    names = [f"f{i}" for i in range(4)]
    for name in names:
        furnish(store, name)
        enrol(store, fridge=name)
    made: dict[str, Version] = {}

    def take(name: str) -> None:
        ledger = Ledger.open(tmp_path / "shared")
        made[name] = ledger.snapshot(store, [name], run=f"run_{name}", at=datetime.now(UTC))

    threads = [threading.Thread(target=take, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = Ledger.open(tmp_path / "shared")
    assert {n: v.of(n) for n, v in made.items()} == ledger.current(names)
    assert len({v.commit for v in made.values()}) == 4


def test_locks_and_half_a_commit_of_a_killed_process_are_in_nobodys_way(
    ledger: Ledger, store: Store
) -> None:
    furnish(store)
    enrol(store)
    first = snapshot(ledger, store)
    pointer = ledger.root / ledger.where(first, "kitchen").pointer
    good = pointer.read_text()
    pointer.write_text("outs: half")
    git(ledger, "add", "-A")
    for lock in (".git/index.lock", ".git/HEAD.lock", ".dvc/tmp/rwlock", ".unfinished"):
        (ledger.root / lock).write_text("")
    git(ledger, "tag", "-d", "snapshot/run_1")
    (folder(ledger) / "captures" / ".cap_x.half").mkdir()
    again = snapshot(ledger, store, run="run_2")
    assert again.of("kitchen") == first.of("kitchen")
    assert pointer.read_text() == good
    assert ledger.version("snapshot/run_1") == first
    assert git(ledger, "status", "--porcelain") == ""


def test_a_ledger_that_was_killed_at_its_birth_is_born_and_leaves_a_checkout_around_it_alone(
    store: Store, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=tmp_path, check=True)
    (tmp_path / "ledger" / ".git").mkdir(parents=True)
    (tmp_path / "ledger" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / "ledger" / ".unfinished").touch()
    furnish(store)
    enrol(store)
    ledger = Ledger.open(tmp_path / "ledger")
    assert snapshot(ledger, store) == Ledger.open(tmp_path / "ledger").version("snapshot/run_1")
    around = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", "HEAD"], cwd=tmp_path, check=False
    )
    assert around.returncode != 0, "no commit was made there"


def test_whoever_looks_at_an_old_version_is_not_in_the_way(ledger: Ledger, store: Store) -> None:
    from dvc.repo import Repo

    furnish(store)
    enrol(store)
    first = snapshot(ledger, store)
    enrol(store, "ben", captures=2)
    second = snapshot(ledger, store, run="run_2")
    git(ledger, "checkout", "-q", "snapshot/run_1")
    with Repo(str(ledger.root)) as repo:
        repo.checkout([str(ledger.root / ledger.where(first, "kitchen").pointer)], force=True)
    assert len(list((folder(ledger) / "captures").iterdir())) == 1
    assert ledger.current(["kitchen"]) == second.fridges
    enrol(store, "ada")
    third = snapshot(ledger, store, run="run_3")
    assert third.of("kitchen").members == ("ada", "ben", "zoe")
    assert git(ledger, "log", "--format=%s", "-3", "main").splitlines() == [
        "Snapshot of kitchen: +1 -0 captures",
        "Snapshot of kitchen: +2 -0 captures",
        "Snapshot of kitchen: +1 -0 captures",
    ]
    assert git(ledger, "status", "--porcelain") == ""
    assert [data.members for data in ledger.history("kitchen")] == [
        ("ada", "ben", "zoe"),
        ("ben", "zoe"),
        ("zoe",),
    ]


def test_sessions_are_what_was_taken_in_one_go(ledger: Ledger, store: Store) -> None:
    furnish(store)
    with store.begin() as unit:
        unit.members.add("kitchen", "zoe", name=NAME, locale="en", consent_at=NOW, at=NOW)
        for minutes in (0, 1, 9, 60, 60 * 24):
            at = NOW + timedelta(minutes=minutes)
            unit.captures.add("kitchen", "zoe", embeddings=embeddings(), raw=raw(), at=at)
    entries = ledger.entries(snapshot(ledger, store).of("kitchen"))
    starts = [NOW + timedelta(minutes=m) for m in (0, 0, 0, 60, 60 * 24)]
    assert [e.session for e in entries] == [at.isoformat() for at in starts]
