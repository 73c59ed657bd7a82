"""Other nets take over through the whole flow: every capture seen anew from its raw parts."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.flows.workplace import Workplace
from tests.other_nets import other_nets
from tests.service.scene import picture, speech
from tests.training.production import ground, household
from visavox import characterizer
from visavox.characterizer import Characterizer
from visavox.perception import Perception
from visavox.service import models
from visavox.service.house import Actor, House, utc_now
from visavox.service.models import Models
from visavox.store import Store, nets
from visavox.store.records import RunState
from visavox.tickets import Signer
from visavox.training import feature_table
from visavox.training.feature_table import Features
from visavox.training.production.backgrounds import Cohort

MEMBERS, CAPTURES = 6, 3


def fill(store: Store, seen_by: Characterizer, fridge: str) -> None:
    """Members with real raw captures, as the service would have kept them."""
    at = utc_now()
    household.furnish(store, fridge, at)
    with Perception(seen_by, side_by_side=False) as perception:
        for who in range(1, MEMBERS + 1):
            with store.begin() as unit:
                unit.fridges.lock(fridge)
                unit.members.add(
                    fridge, f"m{who}", name=f"m{who}", locale="en", consent_at=at, at=at
                )
                for i in range(CAPTURES):
                    image, audio = picture(who, i, 0), speech(who, i, 0)
                    unit.captures.add(
                        fridge,
                        f"m{who}",
                        embeddings=perception.perceive(
                            perception.take(images=(image,), audio=audio)
                        ),
                        raw={"image-0": image, "audio": audio},
                        at=at - timedelta(days=i),
                        characterizer=seen_by.digest,
                    )


def as_seen_by(other: Characterizer, cohort: Cohort, path: Path) -> None:
    """The cohort as the other nets see it, which is as the first do."""
    made = Features(cohort.table, other.name, other.digest, cohort.population)
    feature_table.write(path, made)


@pytest.mark.timeout(1200)
def test_other_nets_take_over_with_all_that_goes_with_them(
    tmp_path: Path, embedded: Characterizer, base_bundle: Path
) -> None:
    place = Workplace.made(tmp_path, embedded, base_bundle)
    folder = other_nets(tmp_path / "other")
    other = characterizer.load(folder)
    home = place.settings.state.absolute() / "models"
    _, rest = ground.parted(embedded)
    under = nets.NetSet(home, other.digest)
    assert under.cohort is not None
    with place.open() as store:
        fill(store, embedded, "kitchen")
        as_seen_by(other, rest, under.cohort)

        told = place.told("characterize", str(folder))

        assert "done: restart the service" in told
        with store.read() as unit:
            run = unit.runs.page(flow="characterize").items[0]
            went = {p.step for p in unit.progress.after(0, run=run.id) if p.state == "done"}
        assert run.state is RunState.DONE
        assert {"snapshot", "features", "train", "judge", "end"} <= went
        assert nets.chosen(home) == nets.Chosen(other.digest, nets.OF_SETTING)
        assert place.settings.models == under.root

        with Perception(other, side_by_side=False) as perception:
            house = House(store, Models(under.root, other), perception, Signer.made())
            live = models.read(house, Actor.operator(), "kitchen")
        assert (live.characterizer, live.members, live.problem) == (other.digest, MEMBERS, None)
        assert live.base is not None
        assert live.lineage["characterizer"] == other.digest
        before = models.read(place.house(store), Actor.operator(), "kitchen")
        assert before.bundle != live.bundle

        assert "the setting" in place.told("characterize", "--back")
        assert nets.serving(home).root == home
        with store.read() as unit:
            assert "characterizer_back" in {r.reason for r in unit.retraining.pending()}
        shutil.rmtree(folder)  # what serves is a copy
        assert (under.root / "nets" / "characterizer.json").is_file()
