"""Nets, base and bundles change as one: whoever starts finds one set, whole, whatever was killed."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests import cohort
from tests.other_nets import other_nets
from tests.service.scene import ADMIN, Kitchen, on_sqlite, probe
from visavox import bundle, characterizer
from visavox.characterizer import Characterizer
from visavox.errors import BundleError, CharacterizerError, Conflict, Unavailable
from visavox.perception import Perception
from visavox.service import members, models, succession
from visavox.service.house import House
from visavox.service.models import Models
from visavox.service.parcel import Parcel
from visavox.service.succession import Behind
from visavox.store import nets
from visavox.store.nets import NetSet
from visavox.store.records import DecisionOutcome
from visavox.training.production.characterizing import take_in


@dataclass
class Stage:
    """A kitchen that is served by the first nets, and others that could take over."""

    kitchen: Kitchen
    new: House
    folder: Path
    base: Path
    bundles: Callable[[House, str], Path]

    @property
    def home(self) -> Path:
        return self.kitchen.house.models.root

    def started(self) -> House:
        """The service, as a process that starts now has it."""
        found = nets.serving(self.home)
        seen = self.new.perception if found.digest else self.kitchen.house.perception
        house = self.kitchen.house
        return replace(house, models=Models(found.root, seen.characterizer), perception=seen)

    def prepare(self, fridge: str = "kitchen") -> None:
        written = self.bundles(self.new, fridge)
        found = bundle.load(written, characterizer_digest=None)
        parcel = Parcel.of(written, found)
        with self.new.store.begin() as unit:
            sealed = unit.bundles.seal(fridge, parcel.digest, parcel.pack())
        succession.prepare(self.new, ADMIN, fridge, sealed, parcel.digest)

    def serves(self) -> tuple[str, str | None, str | None, str | None]:
        live = models.read(self.started(), ADMIN, "kitchen")
        return live.characterizer, live.base, live.bundle, live.problem

    def lets_in(self, who: int) -> bool:
        asked = replace(self.kitchen, house=self.started()).ask(probe(who))
        return asked.decision.outcome is DecisionOutcome.GRANTED


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Perception]]:
    folder = other_nets(tmp_path_factory.mktemp("nets") / "other")
    with Perception(characterizer.load(folder)) as made:
        yield folder, made


@pytest.fixture
def stage(
    kitchen: Kitchen,
    others: tuple[Path, Perception],
    embedded: Characterizer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    folder, perception = others
    real = cohort.read
    monkeypatch.setattr(cohort, "read", lambda _: real(embedded))  # they see the same
    house = kitchen.house
    for who in (1, 2, 4):
        kitchen.enrol(who)

    def trained(house: House, fridge: str) -> Path:
        with house.store.read() as unit:
            own = unit.captures.of_fridge(fridge)
        ids = [c.id for captures in own.values() for c in captures]
        seen = {m: [c.embeddings for c in captures] for m, captures in own.items()}
        nets_now = house.models.characterizer
        lineage = {"captures": ids, "as_of": house.clock().isoformat()}
        root = tmp_path / f"trained-{nets_now.digest[:8]}"
        return cohort.trained_bundle(root, nets_now, fridge, seen, lineage=lineage)

    models.install(house, ADMIN, "kitchen", trained(house, "kitchen"))
    digest = take_in(house.models.root, folder)
    under = NetSet(house.models.root, digest)
    new = replace(house, models=Models(under.root, perception.characterizer), perception=perception)
    base = cohort.base_bundle(tmp_path / "base2", perception.characterizer)
    return Stage(kitchen, new, folder, base, trained)


@on_sqlite
def test_a_kill_between_any_two_steps_leaves_the_former_set_serving_whole(stage: Stage) -> None:
    before = stage.serves()
    old = stage.kitchen.house.models.characterizer.digest
    assert (before[0], before[3]) == (old, None)
    steps: list[Callable[[], Any]] = [
        lambda: succession.prepare_base(stage.new, ADMIN, stage.base),
        stage.prepare,
    ]
    for step in steps:
        with pytest.raises((Behind, Unavailable)):
            succession.succeed(stage.new, ADMIN)
        step()
        assert stage.serves() == before
        assert stage.lets_in(1)

    succession.succeed(stage.new, ADMIN)

    after = stage.serves()
    new = stage.new.models.characterizer.digest
    assert (after[0], after[3]) == (new, None)
    assert after[1] not in {None, before[1]}
    assert after[2] not in {None, before[2]}
    assert stage.lets_in(1)
    # A process that has not been restarted goes on with the former set, whole.
    still = models.read(stage.kitchen.house, ADMIN, "kitchen")
    assert (still.characterizer, still.base, still.bundle, still.problem) == before


@on_sqlite
def test_a_commit_that_fails_takes_the_change_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    succession.prepare_base(stage.new, ADMIN, stage.base)
    stage.prepare()
    before = stage.serves()
    real = succession._write

    def torn(home: Path, what: nets.Chosen) -> None:
        real(home, what)
        if what.serves:
            raise OSError("the database went away")

    monkeypatch.setattr(succession, "_write", torn)
    with pytest.raises(OSError, match="went away"):
        succession.succeed(stage.new, ADMIN)
    assert stage.serves() == before


@on_sqlite
def test_a_kill_after_the_pointer_and_before_the_commit_leaves_the_new_set_whole(
    stage: Stage,
) -> None:
    succession.prepare_base(stage.new, ADMIN, stage.base)
    stage.prepare()
    chosen = nets.chosen(stage.home).succeeded(stage.new.models.characterizer.digest)
    succession._write(stage.home, chosen)
    found = stage.serves()
    assert (found[0], found[3]) == (stage.new.models.characterizer.digest, None)
    assert found[2] is not None
    assert stage.lets_in(2)


@on_sqlite
def test_a_fridge_that_changed_meanwhile_holds_everything_back(stage: Stage) -> None:
    succession.prepare_base(stage.new, ADMIN, stage.base)
    stage.prepare()
    stage.kitchen.enrol(5)
    with pytest.raises(Behind) as behind:
        succession.succeed(stage.new, ADMIN)
    assert behind.value.fridges == ("kitchen",)
    stage.prepare()
    members.remove(stage.kitchen.house, ADMIN, "kitchen", "p2")
    with pytest.raises(Behind):
        succession.succeed(stage.new, ADMIN)
    stage.prepare()
    succession.succeed(stage.new, ADMIN)
    assert stage.lets_in(5)
    assert not stage.lets_in(2)


@on_sqlite
def test_going_back_is_the_former_set_and_a_retraining_of_everything(stage: Stage) -> None:
    before = stage.serves()
    with pytest.raises(Conflict):
        succession.back(stage.kitchen.house, ADMIN)
    succession.prepare_base(stage.new, ADMIN, stage.base)
    stage.prepare()
    succession.succeed(stage.new, ADMIN)
    succession.back(stage.new, ADMIN)
    assert stage.serves() == before
    assert stage.lets_in(1)
    with stage.new.store.read() as unit:
        assert "characterizer_back" in {r.reason for r in unit.retraining.pending("kitchen")}


@on_sqlite
def test_no_bundle_and_no_capture_of_other_nets_is_ever_used(stage: Stage) -> None:
    old = stage.kitchen.house
    wrong = old.models.slot("kitchen").now()
    assert wrong is not None
    # Somebody copies the former bundle, and names it, where the new ones are.
    slot = stage.new.models.slot("kitchen")
    shutil.copytree(old.models.slot("kitchen").folder, slot.folder)
    live = models.read(stage.new, ADMIN, "kitchen")
    assert live.bundle is None
    assert "Characterizer" in str(live.problem)
    succession.prepare_base(stage.new, ADMIN, stage.base)
    with pytest.raises(Behind):
        succession.succeed(stage.new, ADMIN)
    with pytest.raises(BundleError):
        succession.prepare_base(old, ADMIN, stage.base)
    # Nobody is scored by captures that the former nets have seen.
    live = models.read(stage.new, ADMIN, "kitchen")
    assert (live.members, live.provisional, live.unscored) == (0, 0, 3)


@on_sqlite
def test_a_member_who_is_erased_leaves_the_bundles_of_all_nets(stage: Stage) -> None:
    succession.prepare_base(stage.new, ADMIN, stage.base)
    stage.prepare()
    members.remove(stage.kitchen.house, ADMIN, "kitchen", "p1")
    for house in (stage.kitchen.house, stage.new):
        slot = house.models.slot("kitchen")
        with house.store.read() as unit:
            parcels = [slot.open(unit, digest) for digest in slot.digests(unit)]
        assert parcels
        for parcel in parcels:
            assert "p1" not in parcel.joined
            assert b'"p1"' not in parcel.pack()


def test_a_pointer_that_names_nothing_is_said(tmp_path: Path) -> None:
    assert nets.serving(tmp_path).root == tmp_path
    for said in ("nothing", json.dumps({"serves": "../elsewhere", "previous": None}), "[]"):
        (tmp_path / nets.POINTER).write_text(said, encoding="utf-8")
        with pytest.raises(CharacterizerError):
            nets.serving(tmp_path)


@on_sqlite
def test_damaged_nets_are_not_taken_in(stage: Stage, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(stage.folder, bad)
    (bad / "voice.onnx").write_bytes(b"no net")
    with pytest.raises(CharacterizerError):
        take_in(tmp_path / "house", bad)
    assert not list((tmp_path / "house").rglob("characterizer.json"))
