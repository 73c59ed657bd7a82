"""The whole way, as people go it: members enrolled and erased over HTTP come to be in the model that
serves, and in the registry, though the API, the worker and the flow are killed meanwhile."""

from pathlib import Path

import pytest

from tests.flows.siege import FRIDGE, Siege
from tests.flows.workplace import HOME, latest, until
from visavox.characterizer import Characterizer
from visavox.service import models
from visavox.service.house import Actor
from visavox.store import Store
from visavox.store.records import RunState
from visavox.training.production.registry import CHAMPION, Registry


@pytest.mark.timeout(1800)
def test_every_acknowledged_change_is_in_the_model_that_serves_whatever_is_killed(
    tmp_path: Path, embedded: Characterizer, base_bundle: Path
) -> None:
    siege = Siege(tmp_path, embedded, base_bundle, seed=2)
    place = siege.place

    def look(store: Store) -> None:
        live = models.read(place.house(store), Actor.operator(), FRIDGE)
        with store.read() as unit:
            run = unit.runs.get(str(live.lineage["run"]))
        assert run.state is RunState.DONE
        assert str(live.lineage["metaflow"]).startswith("RetrainFlow/")
        assert str(live.lineage["ledger_tag"]) == run.data_version
        assert run.data_version is not None
        assert run.data_version.startswith(f"snapshot/{run.id}")

        registry = Registry.open(place.places)
        version = registry.find(FRIDGE, str(live.bundle))
        assert version is not None
        assert live.lineage["mlflow"] == version.run
        # The worker lets the alias follow what serves.
        until(lambda: str(registry.model(FRIDGE).aliases.get(CHAMPION)) == version.version)

        page = place.places.run(run.id) / FRIDGE / "card.html"
        assert FRIDGE in page.read_text(encoding="utf-8")
        cards = place.places.metaflow.glob(".metaflow/RetrainFlow/**/cards/*.html")
        assert any(str(live.bundle)[:12] in card.read_text(encoding="utf-8") for card in cards)

        newest = latest(store)
        assert newest is not None
        assert newest.id in place.told("status", "--runs", "20")

    seen = siege.run(kills=3, changes=4, inside=look)
    assert seen.enrolled + seen.erased == 4
    assert sum(seen.kills.values()) == 3
    assert {"worker", "api"} < set(seen.kills)
    assert (seen.lost, seen.foreign, seen.given_up) == (0, 0, 0)
    assert not (HOME / ".metaflow").exists()
