"""How a trained bundle comes to decide: tried, promoted, undone, and without whoever left."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import cohort
from tests.service.scene import Hands, Kitchen, on_sqlite, probe
from visavox import bundle
from visavox.errors import BundleError, Conflict, Forbidden
from visavox.service import events, fridges, members, models, rollout
from visavox.service.house import Actor
from visavox.service.live import Live, Models
from visavox.service.parcel import Parcel
from visavox.service.rollout import Place
from visavox.service.snapshot import Snapshot
from visavox.service.standing import Mode
from visavox.store.records import DecisionOutcome, Role

pytestmark = on_sqlite

CHAMPION, CHALLENGER = Place.CHAMPION, Place.CHALLENGER


def trained(kitchen: Kitchen, folder: Path, run: str = "0", **more: Any) -> Path:
    with kitchen.house.store.read() as unit:
        found = unit.captures.of_fridge("kitchen")
    seen = {m: [c.embeddings for c in captures] for m, captures in found.items()}
    nets = kitchen.house.perception.characterizer
    lineage = {"run": run, "as_of": kitchen.house.clock().isoformat()} | more.pop("lineage", {})
    return cohort.trained_bundle(folder / "trained", nets, "kitchen", seen, lineage=lineage, **more)


def sealed(kitchen: Kitchen, path: Path) -> tuple[bytes, str]:
    """As a training leaves it: under the fridge's key."""
    found = bundle.load(path, characterizer_digest=None)
    with kitchen.house.store.begin() as unit:
        unit.fridges.lock("kitchen")
        packed = Parcel.of(path, found).pack()
        return unit.bundles.seal("kitchen", found.digest, packed), found.digest


def deploy(kitchen: Kitchen, path: Path, place: Place = CHAMPION, **more: Any) -> Live:
    return rollout.deploy(
        kitchen.house, kitchen.admin, "kitchen", *sealed(kitchen, path), place=place, **more
    )


def snapshot(kitchen: Kitchen, held: Models | None = None) -> Snapshot:
    with kitchen.house.store.read() as unit:
        return (held or kitchen.house.models).snapshot(unit, unit.fridges.get("kitchen"))


def kinds(kitchen: Kitchen) -> Counter[str]:
    page = events.page(kitchen.house, kitchen.admin, fridge="kitchen")
    return Counter(e.kind for e in page.items if e.kind.startswith("model_"))


@pytest.fixture
def made(kitchen: Kitchen, tmp_path: Path) -> list[Path]:
    """Three bundles of p0, p1 and p2."""
    for who in (0, 1, 2):
        kitchen.enrol(who)
    return [trained(kitchen, tmp_path, str(i)) for i in range(3)]


def test_a_challenger_scores_beside_the_champion_and_decides_nothing(
    kitchen: Kitchen, made: list[Path], hands: Hands
) -> None:
    deploy(kitchen, made[0])
    hands.pass_by(5)
    live = deploy(kitchen, made[1], CHALLENGER)
    assert live.bundle == made[0].name
    assert live.challenger is not None
    assert (live.challenger.digest, live.challenger.mode) == (made[1].name, Mode.SHADOW)
    assert live.challenger.since == hands.now
    now = snapshot(kitchen)
    assert now.challenger is not None
    assert (now.challenger.digest, now.trial) == (made[1].name, live.challenger)
    rival = now.challenged
    assert rival is not None
    assert rival.trained == ("p0", "p1", "p2")
    decision = kitchen.ask(probe(0)).decision
    assert (decision.bundle, decision.member) == (made[0].name, "p0")
    assert kinds(kitchen) == {"model_challenger": 1, "model_installed": 1}


def test_a_challenger_scores_newcomers_whom_the_champion_does_not_know(
    kitchen: Kitchen, tmp_path: Path, hands: Hands
) -> None:
    kitchen.enrol(0)
    kitchen.enrol(1)
    deploy(kitchen, trained(kitchen, tmp_path))
    hands.pass_by(5)
    kitchen.enrol(2)
    deploy(kitchen, trained(kitchen, tmp_path, "1"), CHALLENGER)
    kitchen.enrol(3)
    now = snapshot(kitchen)
    assert now.trained == ("p0", "p1")
    assert now.provisional == {"p2", "p3"}
    rival = now.challenged
    assert rival is not None
    assert rival.trained == ("p0", "p1", "p2")
    assert rival.provisional == {"p3"}


def test_a_promotion_and_a_roll_back_read_nothing_that_is_in_memory(
    kitchen: Kitchen, made: list[Path], tmp_path: Path
) -> None:
    deploy(kitchen, made[0])
    deploy(kitchen, made[1], CHALLENGER, mode=Mode.SPLIT, share=0.2)
    before = snapshot(kitchen)
    live = rollout.promote_challenger(kitchen.house, kitchen.admin, "kitchen")
    assert (live.bundle, live.previous, live.challenger) == (made[1].name, made[0].name, None)
    assert snapshot(kitchen).bundle is before.challenger
    assert kitchen.ask(probe(1)).decision.bundle == made[1].name
    back = rollout.rollback(kitchen.house, kitchen.admin, "kitchen", why="it was worse")
    assert (back.bundle, back.previous) == (made[0].name, made[1].name)
    assert snapshot(kitchen).bundle is before.bundle
    assert kitchen.ask(probe(1)).decision.bundle == made[0].name
    assert {"model_rolled_back", "model_promoted"} <= kinds(kitchen).keys()
    with kitchen.house.store.read() as unit:
        last = unit.audit.page(limit=500).items
    assert any(r.action == "model.rollback" and r.detail["why"] == "it was worse" for r in last)
    # Another process starts with the same three.
    fresh = snapshot(kitchen, Models(tmp_path / "models", kitchen.house.models.characterizer))
    assert fresh.bundle is not None
    assert fresh.bundle.digest == made[0].name


def test_a_roll_back_that_is_asked_for_twice_is_done_once(
    kitchen: Kitchen, made: list[Path]
) -> None:
    deploy(kitchen, made[0])
    with pytest.raises(Conflict, match="former champion"):
        rollout.rollback(kitchen.house, kitchen.admin, "kitchen")
    deploy(kitchen, made[1])
    leave = made[1].name
    rollout.rollback(kitchen.house, kitchen.admin, "kitchen", leave=leave)
    with pytest.raises(Conflict, match="changed meanwhile"):
        rollout.rollback(kitchen.house, kitchen.admin, "kitchen", leave=leave)
    assert models.read(kitchen.house, kitchen.admin, "kitchen").bundle == made[0].name


def test_what_is_deployed_again_changes_nothing(kitchen: Kitchen, made: list[Path]) -> None:
    parcel = sealed(kitchen, made[0])
    for _ in range(2):
        rollout.deploy(kitchen.house, kitchen.admin, "kitchen", *parcel, place=CHAMPION)
    other = sealed(kitchen, made[1])
    stamps = set()
    for _ in range(2):
        rollout.deploy(kitchen.house, kitchen.admin, "kitchen", *other, place=CHALLENGER)
        stamps.add(kitchen.house.models.slot("kitchen").stamp())
    assert len(stamps) == 1
    assert kinds(kitchen) == {"model_challenger": 1, "model_installed": 1}


def test_a_trial_can_be_ended(kitchen: Kitchen, made: list[Path]) -> None:
    deploy(kitchen, made[0])
    deploy(kitchen, made[1], CHALLENGER)
    with pytest.raises(Conflict, match="changed meanwhile"):
        rollout.withdraw_challenger(kitchen.house, kitchen.admin, "kitchen", digest=made[2].name)
    for _ in range(2):
        live = rollout.withdraw_challenger(kitchen.house, kitchen.admin, "kitchen", why="worse")
    assert (live.bundle, live.challenger) == (made[0].name, None)
    assert kinds(kitchen)["model_withdrawn"] == 1
    with pytest.raises(Conflict, match="no challenger"):
        rollout.promote_challenger(kitchen.house, kitchen.admin, "kitchen")


def test_an_erasure_takes_the_member_out_of_all_three(
    kitchen: Kitchen, made: list[Path], tmp_path: Path
) -> None:
    deploy(kitchen, made[0])
    deploy(kitchen, made[1])
    deploy(kitchen, made[2], CHALLENGER)
    before = snapshot(kitchen)
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p1")
    fresh = Models(tmp_path / "models", kitchen.house.models.characterizer)
    for held in (kitchen.house.models, fresh):
        now = snapshot(kitchen, held)
        assert now.bundle is not None
        assert now.challenger is not None
        assert (now.bundle.digest, now.challenger.digest) == (made[1].name, made[2].name)
        assert now.bundle.discriminator.members == ("p0", "p2")
        assert now.challenger.discriminator.members == ("p0", "p2")
    slot = kitchen.house.models.slot("kitchen")
    with kitchen.house.store.read() as unit:
        for path in made:
            assert b'"p1"' not in slot.open(unit, path.name).pack()
        seen = unit.captures.of("kitchen", "p0")
    table = kitchen.house.models.table([c.id for c in seen], [c.embeddings for c in seen])
    np.testing.assert_allclose(
        now.score(table).fused, before.score(table).fused[:, [0, 2]], rtol=1e-9
    )
    back = rollout.rollback(kitchen.house, kitchen.admin, "kitchen")
    assert (back.bundle, back.members) == (made[0].name, 2)
    assert kitchen.ask(probe(1)).decision.outcome is DecisionOutcome.REFUSED


def test_what_learned_from_a_member_who_was_erased_since_is_never_deployed(
    kitchen: Kitchen, made: list[Path]
) -> None:
    deploy(kitchen, made[0])
    parcel = sealed(kitchen, made[1])
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p1")
    for place in Place:
        with pytest.raises(BundleError, match="erased since"):
            rollout.deploy(kitchen.house, kitchen.admin, "kitchen", *parcel, place=place)
    assert models.read(kitchen.house, kitchen.admin, "kitchen").bundle == made[0].name


def test_the_training_that_saw_less_is_not_the_last_word(
    kitchen: Kitchen, made: list[Path], tmp_path: Path, hands: Hands
) -> None:
    hands.pass_by(60)
    newer = trained(kitchen, tmp_path, "newer")
    deploy(kitchen, newer)
    for place in Place:
        with pytest.raises(Conflict, match="newer data"):
            deploy(kitchen, made[0], place)
    assert models.read(kitchen.house, kitchen.admin, "kitchen").bundle == newer.name


def test_what_cannot_serve_is_not_deployed(
    kitchen: Kitchen, made: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(Conflict, match="could challenge"):
        deploy(kitchen, made[0], CHALLENGER)
    narrow = trained(kitchen, tmp_path, "narrow", risks={"normal": 0.003})
    with pytest.raises(BundleError, match="'low'"):
        deploy(kitchen, narrow)
    content, digest = sealed(kitchen, made[0])
    with pytest.raises(BundleError, match="does not open"):
        rollout.deploy(
            kitchen.house, kitchen.admin, "kitchen", content[:-1], digest, place=CHAMPION
        )
    deploy(kitchen, made[0])
    with pytest.raises(BundleError, match="share"):
        deploy(kitchen, made[1], CHALLENGER, mode=Mode.SPLIT, share=2.0)
    with pytest.raises(Conflict, match="is the champion"):
        deploy(kitchen, made[0], CHALLENGER)
    auditor = Actor("reader", Role.AUDITOR)
    with pytest.raises(Forbidden):
        rollout.rollback(kitchen.house, auditor, "kitchen")
    standing = rollout.standing(kitchen.house, auditor, "kitchen")
    assert standing is not None
    assert standing.digests == (made[0].name,)


def test_a_challenger_that_does_not_know_the_risk_setting_rests(
    kitchen: Kitchen, made: list[Path], tmp_path: Path
) -> None:
    deploy(kitchen, made[0])
    narrow = trained(kitchen, tmp_path, "narrow", risks={"low": 0.01, "normal": 0.003})
    deploy(kitchen, narrow, CHALLENGER)
    fridges.change(kitchen.house, kitchen.admin, "kitchen", risk="high")
    now = snapshot(kitchen)
    assert (now.challenged, now.trial) == (None, None)
    with pytest.raises(Conflict, match="'high'"):
        rollout.promote_challenger(kitchen.house, kitchen.admin, "kitchen")


def test_a_change_that_is_not_committed_leaves_all_as_it_was(
    kitchen: Kitchen, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is written before the commit: where that fails, it is put back."""
    deploy(kitchen, made[0])
    deploy(kitchen, made[1])
    slot = kitchen.house.models.slot("kitchen")
    before, change = slot.standing(), type(slot).change

    def and_fail(*given: Any) -> None:
        change(*given)
        raise OSError("the database is gone")

    monkeypatch.setattr(type(slot), "change", and_fail)
    with pytest.raises(OSError, match="gone"):
        deploy(kitchen, made[2], CHALLENGER)
    with pytest.raises(OSError, match="gone"):
        rollout.rollback(kitchen.house, kitchen.admin, "kitchen")
    monkeypatch.undo()
    assert slot.standing() == before
    assert kitchen.ask(probe(0)).decision.bundle == made[1].name
    assert rollout.rollback(kitchen.house, kitchen.admin, "kitchen").bundle == made[0].name
