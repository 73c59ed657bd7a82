"""What decides at a fridge: the base, a trained bundle, and the change from one to the other."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import cohort
from tests.service.scene import Hands, Kitchen, on_sqlite, probe
from visavox.errors import BundleError, Conflict, Forbidden, NotFound
from visavox.service import admission, events, fridges, members, models
from visavox.service.models import Models
from visavox.service.snapshot import Snapshot
from visavox.store.members import touch
from visavox.store.records import DecisionOutcome

pytestmark = on_sqlite

GRANTED = DecisionOutcome.GRANTED


def trained(kitchen: Kitchen, folder: Path, **more: Any) -> Path:
    """A bundle of the kitchen's members as they are enrolled now."""
    with kitchen.house.store.read() as unit:
        seen = {
            member: [c.embeddings for c in captures]
            for member, captures in unit.captures.of_fridge("kitchen").items()
        }
    nets = kitchen.house.perception.characterizer
    return cohort.trained_bundle(folder / "trained", nets, "kitchen", seen, **more)


def snapshot(kitchen: Kitchen) -> Snapshot:
    with kitchen.house.store.read() as unit:
        return kitchen.house.models.snapshot(unit, unit.fridges.get("kitchen"))


def install(kitchen: Kitchen, folder: Path) -> models.Live:
    return models.install(kitchen.house, kitchen.admin, "kitchen", folder)


def test_a_trained_bundle_takes_over_from_the_provisional_templates(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    for who in (0, 1):
        kitchen.enrol(who)
    before = models.read(kitchen.house, kitchen.admin, "kitchen")
    assert (before.bundle, before.members, before.provisional) == (None, 0, 2)
    assert before.provisional_threshold is not None
    assert before.threshold is not None
    assert before.provisional_threshold > before.threshold
    path = trained(kitchen, tmp_path)
    live = install(kitchen, path)
    assert (live.bundle, live.members, live.provisional) == (path.name, 2, 0)
    assert live.family == "plda"
    assert live.population == "personas"
    answer = kitchen.ask(probe(0))
    assert (answer.decision.outcome, answer.decision.member) == (GRANTED, "p0")
    assert (answer.decision.bundle, answer.decision.provisional) == (path.name, False)
    assert events.page(kitchen.house, kitchen.admin, kind="model_installed").items


def test_members_of_both_kinds_are_granted_side_by_side(kitchen: Kitchen, tmp_path: Path) -> None:
    kitchen.enrol(0)
    kitchen.enrol(1)
    install(kitchen, trained(kitchen, tmp_path))
    enrolled = kitchen.enrol(2)
    assert enrolled.provisional
    found = snapshot(kitchen)
    assert (found.trained, found.provisional) == (("p0", "p1"), frozenset({"p2"}))
    for who, provisional in ((0, False), (1, False), (2, True)):
        decision = kitchen.ask(probe(who)).decision
        assert (decision.outcome, decision.member) == (GRANTED, f"p{who}")
        assert decision.provisional is provisional
    assert kitchen.ask(probe(5)).decision.outcome is DecisionOutcome.REFUSED


def test_an_erased_member_leaves_the_scores_before_any_retraining(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    for who in (0, 1):
        kitchen.enrol(who)
    install(kitchen, trained(kitchen, tmp_path))
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is DecisionOutcome.REFUSED
    assert {c.member for c in answer.decision.candidates} == {"p1"}
    assert models.read(kitchen.house, kitchen.admin, "kitchen").members == 1


def test_an_id_given_again_is_not_the_person_that_the_bundle_remembers(
    kitchen: Kitchen, tmp_path: Path, hands: Hands
) -> None:
    for who in (0, 1):
        kitchen.enrol(who)
    install(kitchen, trained(kitchen, tmp_path))
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    hands.pass_by(1)
    kitchen.enrol(5, id="p0")
    assert kitchen.ask(probe(0)).decision.outcome is DecisionOutcome.REFUSED
    decision = kitchen.ask(probe(5)).decision
    assert (decision.outcome, decision.member, decision.provisional) == (GRANTED, "p0", True)


def test_who_joined_after_the_training_began_is_not_taken_for_whom_it_saw(
    kitchen: Kitchen, tmp_path: Path, hands: Hands
) -> None:
    """Trained, then erased and the id given again, and only then installed."""
    kitchen.enrol(0)
    kitchen.enrol(1)
    path = trained(kitchen, tmp_path, lineage={"as_of": hands.now.isoformat()})
    hands.pass_by(60)
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    kitchen.enrol(5, id="p0")
    assert install(kitchen, path).members == 1
    assert kitchen.ask(probe(0)).decision.outcome is DecisionOutcome.REFUSED
    assert kitchen.ask(probe(5)).decision.outcome is GRANTED


def test_without_that_moment_the_captures_tell_whom_it_saw(
    kitchen: Kitchen, tmp_path: Path, hands: Hands
) -> None:
    """No training is obliged to say as_of: an id that was given again must not open to both."""
    kitchen.enrol(0)
    kitchen.enrol(1)
    path = trained(kitchen, tmp_path)
    hands.pass_by(60)
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    kitchen.enrol(5, id="p0")
    live = install(kitchen, path)
    assert (live.members, live.provisional) == (1, 1)
    assert kitchen.ask(probe(0)).decision.outcome is DecisionOutcome.REFUSED
    assert kitchen.ask(probe(5)).decision.outcome is GRANTED


def test_a_bundle_on_its_way_in_does_not_need_its_source_any_more(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in (0, 1, 2):
        kitchen.enrol(who)
    first, second = (trained(kitchen, tmp_path, lineage={"run": str(i)}) for i in range(2))
    install(kitchen, first)
    serves = admission.serves

    def meanwhile(*found: Any, **risk: Any) -> None:
        monkeypatch.undo()
        shutil.rmtree(second)
        serves(*found, **risk)

    monkeypatch.setattr(admission, "serves", meanwhile)
    live = install(kitchen, second)
    assert (live.bundle, live.problem) == (second.name, None)


def test_a_member_is_erased_although_nobody_knows_which_bundle_is_live(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    for who in (0, 1):
        kitchen.enrol(who)
    install(kitchen, trained(kitchen, tmp_path))
    (tmp_path / "models" / "fridges" / "kitchen" / "live.json").write_text("{")
    assert members.remove(kitchen.house, kitchen.admin, "kitchen", "p0").erased.key_destroyed
    with pytest.raises(NotFound):
        members.read(kitchen.house, kitchen.admin, "kitchen", "p0")


def test_another_process_notices_a_new_bundle_and_a_new_member(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    kitchen.enrol(0)
    kitchen.enrol(1)
    nets = kitchen.house.perception.characterizer
    other = Models(tmp_path / "models", nets)
    with kitchen.house.store.read() as unit:
        assert other.snapshot(unit, unit.fridges.get("kitchen")).bundle is None
    path = trained(kitchen, tmp_path)
    install(kitchen, path)
    kitchen.enrol(2)
    with kitchen.house.store.read() as unit:
        found = other.snapshot(unit, unit.fridges.get("kitchen"))
    assert found.bundle is not None
    assert found.bundle.digest == path.name
    assert found.provisional == {"p2"}


def test_a_snapshot_is_kept_until_something_changes(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    first = snapshot(kitchen)
    assert snapshot(kitchen) is first
    fridges.change(kitchen.house, kitchen.admin, "kitchen", risk="high")
    second = snapshot(kitchen)
    assert second is not first
    assert second.risk == "high"
    kitchen.enrol(1)
    assert set(snapshot(kitchen).members) == {"p0", "p1"}


def test_a_process_that_knew_a_former_fridge_of_that_id_keeps_the_new_ones_snapshot(
    kitchen: Kitchen, tmp_path: Path, hands: Hands
) -> None:
    house, admin = kitchen.house, kitchen.admin
    other = Models(tmp_path / "models", house.perception.characterizer)

    def seen() -> Snapshot:
        with house.store.read() as unit:
            return other.snapshot(unit, unit.fridges.get("cellar"))

    fridges.create(house, admin, id="cellar", name="Cellar")
    with house.store.begin() as unit:
        for _ in range(3):
            touch(unit.fridges._connection, "cellar")
    former = seen()
    fridges.remove(house, admin, "cellar")
    hands.pass_by(1)
    fridges.create(house, admin, id="cellar", name="Cellar")
    assert seen().revision < former.revision
    assert seen() is seen()


@pytest.mark.parametrize("family", ["prototype", "logistic"])
def test_newcomers_stand_beside_members_of_any_family(
    kitchen: Kitchen, tmp_path: Path, family: str
) -> None:
    kitchen.enrol(0)
    kitchen.enrol(1)
    install(kitchen, trained(kitchen, tmp_path, family=family))
    kitchen.enrol(2)
    for who in (0, 2):
        assert kitchen.ask(probe(who)).decision.member == f"p{who}"


def test_a_damaged_bundle_does_not_stop_the_fridge(kitchen: Kitchen, tmp_path: Path) -> None:
    kitchen.enrol(0)
    kitchen.enrol(1)
    path = trained(kitchen, tmp_path)
    install(kitchen, path)
    live = tmp_path / "models" / "fridges" / "kitchen"
    for file in live.glob("*.sealed"):
        file.write_bytes(b"")
    pointer = live / "live.json"
    pointer.write_text(pointer.read_text() + " ")  # as if it were replaced
    fresh = Models(tmp_path / "models", kitchen.house.perception.characterizer)
    with kitchen.house.store.read() as unit:
        told = fresh.describe(unit, unit.fridges.get("kitchen"))
    assert told.problem is not None
    assert kitchen.ask(probe(0)).decision.outcome is GRANTED  # from memory
    with kitchen.house.store.read() as unit:
        found = fresh.snapshot(unit, unit.fridges.get("kitchen"))
    assert found.provisional == {"p0", "p1"}


def test_what_cannot_be_served_is_not_installed(
    kitchen: Kitchen, tmp_path: Path, base_bundle: Path
) -> None:
    kitchen.enrol(0)
    kitchen.enrol(1)
    path = trained(kitchen, tmp_path)
    fridges.create(kitchen.house, kitchen.admin, id="cellar", name="Cellar")
    with pytest.raises(BundleError, match="trained for the fridge 'kitchen'"):
        models.install(kitchen.house, kitchen.admin, "cellar", path)
    with pytest.raises(BundleError, match="no base"):
        models.install_base(kitchen.house, kitchen.admin, path)
    with pytest.raises(BundleError, match="base"):
        install(kitchen, base_bundle)
    with pytest.raises(NotFound):
        models.install(kitchen.house, kitchen.admin, "../kitchen", path)
    altered = tmp_path / "altered" / path.name
    shutil.copytree(path, altered)
    (altered / "reference.json").write_text("{ }")
    with pytest.raises(BundleError, match="damaged"):
        install(kitchen, altered)
    with pytest.raises(Forbidden):
        models.install(kitchen.house, kitchen.kiosk, "kitchen", path)
    assert models.read(kitchen.house, kitchen.admin, "kitchen").bundle is None
    assert kitchen.ask(probe(0)).decision.outcome is GRANTED


def test_former_bundles_are_kept_to_go_back_to_and_to_replay_with_up_to_a_number(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visavox.service.sealed.FORMER", 1)
    kitchen.enrol(0)
    kitchen.enrol(1)
    made = [trained(kitchen, tmp_path, lineage={"run": str(i)}) for i in range(4)]
    for path in made:
        install(kitchen, path)
    live = tmp_path / "models" / "fridges" / "kitchen"
    kept = {p.name.split(".")[0] for p in live.glob("*.sealed")}
    assert kept == {p.name for p in made[1:]}
    assert install(kitchen, live / made[1].name).bundle == made[1].name
    assert {p.name.split(".")[0] for p in live.glob("*.sealed")} == kept
    members.remove(kitchen.house, kitchen.admin, "kitchen", "p0")
    left = {p.name.split(".")[0] for p in live.iterdir() if p.name != "live.json"}
    assert left == {p.name for p in made[1:]}, "all, without whoever is erased"


def test_without_its_bundle_a_fridge_falls_back_to_the_base(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    kitchen.enrol(0)
    kitchen.enrol(1)
    install(kitchen, trained(kitchen, tmp_path))
    live = models.remove(kitchen.house, kitchen.admin, "kitchen")
    assert (live.bundle, live.provisional) == (None, 2)
    assert kitchen.ask(probe(0)).decision.provisional


def test_models_are_listed_for_the_fridges_of_the_key(kitchen: Kitchen) -> None:
    fridges.create(kitchen.house, kitchen.admin, id="cellar", name="Cellar")
    assert [m.fridge for m in models.page(kitchen.house, kitchen.admin).items] == [
        "cellar",
        "kitchen",
    ]
    card = models.characterizer(kitchen.house, kitchen.admin)
    assert card["digest"] == kitchen.house.perception.characterizer.digest
    with pytest.raises(Forbidden):
        models.page(kitchen.house, kitchen.kiosk)


def test_where_no_base_is_installed_a_newcomer_waits_for_the_training(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    """Without a base nobody can be scored before the training: the answer says so."""
    shutil.rmtree(tmp_path / "models" / "base")
    for who in (0, 1):
        enrolled = kitchen.enrol(who)
        assert not enrolled.usable_at_once
        assert enrolled.warnings == ()
    assert models.read(kitchen.house, kitchen.admin, "kitchen").unscored == 2


@pytest.mark.parametrize("as_of", ["yesterday", "2026-01-05T12:00:00"])
def test_a_lineage_whose_moment_is_none_is_refused(
    kitchen: Kitchen, tmp_path: Path, as_of: str
) -> None:
    kitchen.enrol(0)
    with pytest.raises(BundleError, match="as_of"):
        install(kitchen, trained(kitchen, tmp_path, lineage={"as_of": as_of}))


def test_a_bundle_without_the_fridges_risk_setting_is_refused(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    kitchen.enrol(0)
    path = trained(kitchen, tmp_path, risks={"normal": 0.003})
    with pytest.raises(BundleError, match="'low'"):
        install(kitchen, path)
    assert models.read(kitchen.house, kitchen.admin, "kitchen").bundle is None


@pytest.mark.parametrize("lacking", ["bundle", "base"])
def test_a_fridge_keeps_to_the_risk_settings_that_its_models_know(
    kitchen: Kitchen, tmp_path: Path, lacking: str
) -> None:
    """Else every decision after the change would be a fault."""
    kitchen.enrol(0)
    risks = {"low": 0.01, "normal": 0.003}
    if lacking == "bundle":
        install(kitchen, trained(kitchen, tmp_path, risks=risks))
    else:
        nets = kitchen.house.perception.characterizer
        narrow = cohort.base_bundle(tmp_path / "narrow", nets, risks=risks)
        models.install_base(kitchen.house, kitchen.admin, narrow)
    with pytest.raises(Conflict, match="'high'") as refusal:
        fridges.change(kitchen.house, kitchen.admin, "kitchen", risk="high", name="Other")
    assert "(low, normal)" in refusal.value.next_step
    kept = fridges.read(kitchen.house, kitchen.admin, "kitchen")
    assert (kept.risk, kept.name) == ("low", "Kitchen")
    fridges.change(kitchen.house, kitchen.admin, "kitchen", risk="normal")
    assert kitchen.ask(probe(0)).decision.member in {"p0", None}
