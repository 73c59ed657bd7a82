"""The steps one after the other, in this process: each may be repeated, and each fridge is its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.flows.workplace import Workplace
from tests.training.production import household
from visavox.characterizer import Characterizer
from visavox.errors import Superseded
from visavox.service import members, models
from visavox.service.house import Actor, utc_now
from visavox.service.models import Live
from visavox.store import Store
from visavox.store.records import Progress, RunState
from visavox.store.retraining import Patience
from visavox.training.production import fridge_fit, outbox, steps, steps_rollout

AT_ONCE = Patience(settle=Patience().settle * 0, first=Patience().settle * 0)
MEMBERS = 12


@dataclass(frozen=True)
class Site:
    place: Workplace
    store: Store

    def begin(self) -> str:
        with self.store.begin() as unit:
            run = outbox.begin(unit, at=utc_now(), patience=AT_ONCE, owner={}, limit=99)
        assert run is not None
        return run.id

    def live(self, fridge: str) -> Live:
        return models.read(self.place.house(self.store), Actor.operator(), fridge)

    def erase(self, fridge: str, member: str) -> None:
        house = self.place.house(self.store)
        members.remove(house, Actor.operator(), fridge, member)

    def told(self, run: str, fridge: str) -> list[Progress]:
        with self.store.read() as unit:
            return [line for line in unit.progress.after(0, run=run) if line.fridge == fridge]

    def audited(self, action: str) -> int:
        with self.store.read() as unit:
            return sum(record.action == action for record in unit.audit.page(limit=200).items)


@pytest.fixture
def site(
    tmp_path: Path,
    embedded: Characterizer,
    base_bundle: Path,
    prepared: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    place = Workplace.made(tmp_path, embedded, base_bundle)
    place.places.backgrounds.symlink_to(prepared)
    for name, value in place.environment.items():
        if name.startswith("VISAVOX_"):
            monkeypatch.setenv(name, value)
    with place.open() as store:
        yield Site(place, store)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the cohort teaches, once for all tests of this file."""
    return tmp_path_factory.mktemp("backgrounds")


def judged(run: str, between: Callable[[], object] = lambda: None) -> tuple[Any, list[Any]]:
    plan = steps.snapshot(run, "RetrainFlow/1")
    found = []
    for fridges in plan["groups"]:
        group = steps.features(plan, fridges)
        trained = [steps.train(plan, group, family) for family in plan["families"]]
        found.append(steps.judge(plan, trained))
    between()
    return plan, found


def rolled_out(plan: Mapping[str, Any], found: list[Any]) -> dict[str, Any]:
    registered = steps_rollout.register(plan, found)
    deployed = steps_rollout.deploy(plan, registered)
    return steps_rollout.conclude(plan, steps_rollout.verify(plan, deployed))


def test_a_run_that_is_done_twice_has_one_effect(site: Site) -> None:
    site.place.fill(site.store, "kitchen", MEMBERS)
    run = site.begin()
    plan, found = judged(run)
    registered = [steps_rollout.register(plan, found) for _ in range(2)]
    assert registered[0] == registered[1]
    deployed = [steps_rollout.deploy(plan, registered[0]) for _ in range(2)]
    assert deployed[0] == deployed[1]
    verified = [steps_rollout.verify(plan, deployed[0]) for _ in range(2)]
    fates = steps_rollout.conclude(plan, verified[1])
    assert fates["errors"] == {}
    assert fates["fates"]["kitchen"]["state"] == "champion"
    assert site.audited("model.install") == 1
    assert site.live("kitchen").members == MEMBERS
    with site.store.read() as unit:
        assert unit.runs.get(run).state is RunState.DONE
        assert unit.retraining.pending() == ()
    # Whoever still goes on with it touches nothing any more.
    with pytest.raises(Superseded):
        steps.snapshot(run, "RetrainFlow/2")
    with pytest.raises(Superseded):
        steps_rollout.deploy(plan, registered[0])
    with pytest.raises(Superseded):
        steps_rollout.conclude(plan, verified[0])


def test_a_fridge_that_cannot_be_trained_leaves_the_others_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fridge in ("kitchen", "hall"):
        site.place.fill(site.store, fridge, MEMBERS)
    household.furnish(site.store, "attic", utc_now())
    with site.store.begin() as unit:
        unit.retraining.request("attic", reason="by_hand", at=utc_now())
        unit.retraining.request("gone", reason="member_deleted", at=utc_now())
    train = fridge_fit.train

    def fails(ground: Any, enrolled: Any, *rest: Any, **more: Any) -> Any:
        if enrolled.fridge == "hall":
            raise ZeroDivisionError("what was worked on")
        return train(ground, enrolled, *rest, **more)

    monkeypatch.setattr(fridge_fit, "train", fails)
    run = site.begin()
    plan, found = judged(run)
    assert sorted(plan["emptied"]) == ["attic", "gone"]
    done = rolled_out(plan, found)
    assert done["errors"] == {"hall": "ZeroDivisionError in the step train."}
    assert {f: fate["state"] for f, fate in done["fates"].items()} == {
        "kitchen": "champion",
        "attic": "base",
        "gone": "base",
    }
    assert site.live("hall").bundle is None
    assert "what was worked on" not in str(site.told(run, "hall"))
    with site.store.read() as unit:
        assert {request.fridge for request in unit.retraining.pending()} == {"hall"}
        assert unit.runs.get(run).state is RunState.FAILED


def test_what_its_gate_refuses_does_not_serve_and_is_told_of(site: Site) -> None:
    recipe = yaml.safe_load(site.place.recipe.read_text(encoding="utf-8"))
    recipe["gate"]["limits"] = [{"metric": "served.fpir", "at_most": 1e-9, "refuse": "unproved"}]
    site.place.recipe.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    site.place.fill(site.store, "kitchen", MEMBERS)
    run = site.begin()
    done = rolled_out(*judged(run))
    assert (done["fates"]["kitchen"]["state"], done["errors"]) == ("refused", {})
    live = site.live("kitchen")
    assert (live.bundle, live.provisional) == (None, MEMBERS)
    with site.store.read() as unit:
        assert unit.retraining.pending() == ()  # the same data would be refused again
        (event,) = unit.events.page(kind="retraining_refused").items
    assert event.detail["run"] == run
    assert "served.fpir" in str(event.detail["reasons"])


def test_a_fridge_with_one_member_and_one_capture_is_trained_too(site: Site) -> None:
    household.furnish(site.store, "kitchen", utc_now())
    (seen,) = household.people(site.place.nets, 1).values()
    household.enrol(site.store, site.place.nets, "kitchen", "ada", seen[:1], utc_now())
    done = rolled_out(*judged(site.begin()))
    assert done["errors"] == {}
    assert done["fates"]["kitchen"]["state"] in ("champion", "refused")


def test_whoever_is_erased_while_a_run_is_at_work_is_not_in_what_serves(site: Site) -> None:
    site.place.fill(site.store, "kitchen", MEMBERS)
    run = site.begin()
    plan, found = judged(run, lambda: site.erase("kitchen", "m3"))
    first = rolled_out(plan, found)
    # The first of all runs may deploy what is left, or nothing: never the one who was erased.
    assert "m3" not in str(first["fates"])
    again = site.begin()
    done = rolled_out(*judged(again))
    assert done["errors"] == {}
    live = site.live("kitchen")
    assert (live.members, live.provisional) == (MEMBERS - 1, 0)
    with site.store.read() as unit:
        assert unit.retraining.pending() == ()


def test_a_fridge_whose_last_member_is_erased_is_served_by_the_base_again(site: Site) -> None:
    site.place.fill(site.store, "kitchen", MEMBERS)
    rolled_out(*judged(site.begin()))
    assert site.live("kitchen").bundle is not None
    for i in range(MEMBERS):
        site.erase("kitchen", f"m{i}")
    done = rolled_out(*judged(site.begin()))
    assert done["fates"] == {"kitchen": {"state": "base"}}
    assert site.live("kitchen").bundle is None
