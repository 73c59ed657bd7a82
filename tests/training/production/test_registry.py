"""Versions of a fridge's model: registered once, asked for by tags, followed, and emptied."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests import cohort
from tests.training.production import ground, household
from visavox import bundle
from visavox.characterizer import Characterizer
from visavox.errors import DataError
from visavox.perception import Perception
from visavox.service import members, models, rollout
from visavox.service.house import Actor, House
from visavox.service.models import Models
from visavox.store import Store
from visavox.store.settings import StoreSettings
from visavox.tickets import Signer
from visavox.training.production import fridge_fit, registry_retire
from visavox.training.production import rollout as rolling
from visavox.training.production.backgrounds import Ground
from visavox.training.production.following import Follower
from visavox.training.production.fridge_canaries import sealed_as
from visavox.training.production.fridge_fit import Candidate
from visavox.training.production.fridge_proof import Enrolled
from visavox.training.production.places import Addresses, Places
from visavox.training.production.registry import (
    CHALLENGER,
    CHAMPION,
    PREVIOUS,
    Registry,
    Version,
    model_of,
)
from visavox.training.production.rollout import State
from visavox.training.production.settings import Recipe, Rollout

ACTOR = Actor.operator("run-1")
VERDICT = {"passed": True, "reasons": []}
PROMOTE, SHADOW = Rollout(mode="promote"), Rollout(mode="shadow")
EPOCH = timedelta(seconds=1)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Site:
    """A house with a fridge `kitchen` of twelve, and a registry of its own."""

    house: House
    registry: Registry
    places: Places
    enrolled: Enrolled
    ground: Ground
    recipe: Recipe
    folder: Path

    def candidate(self, run: str, as_of: int = 0) -> Path:
        """One more training of the same members, and where it was kept."""
        moment = self.house.clock() + as_of * EPOCH
        lineage = {
            "run": run,
            "as_of": moment.isoformat(),
            "captures": list(self.enrolled.table.captures),
            "characterizer": self.ground.characterizer,
        }
        made: Candidate = fridge_fit.train(self.ground, self.enrolled, self.recipe, lineage)
        folder = self.places.candidate(run, "kitchen", made.family)
        with self.house.store.begin() as unit:
            fridge_fit.keep(made, unit, folder, as_of=moment)
        return folder

    def register(self, folder: Path, run: str = "run-1") -> Version:
        return self.registry.register(folder, VERDICT, run=run, page="<p>a page</p>")

    def deploy(self, folder: Path, policy: Rollout = PROMOTE) -> None:
        rolling.deploy(self.house, ACTOR, folder, policy)
        self.mirror()

    def mirror(self) -> None:
        self.registry.mirror("kitchen", self.house.models.slot("kitchen").now())

    def live(self) -> str | None:
        return models.read(self.house, ACTOR, "kitchen").bundle

    def aliases(self) -> dict[str, str]:
        by_version = {v.version: v.digest for v in self.registry.versions("kitchen")}
        found = self.registry.model("kitchen").aliases
        return {alias: by_version[str(version)] for alias, version in found.items()}

    def move(self, to: Version) -> None:
        """As somebody does it in MLflow's own pages."""
        self.registry.client.set_registered_model_alias(model_of("kitchen"), CHAMPION, to.version)

    def follower(self) -> Follower:
        database = Path(self.places.tracking.removeprefix("sqlite:///"))
        return Follower(self.house, ACTOR, lambda: self.registry, database)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, Registry]:
    """One for all tests here: making its tables takes seconds. Each test has its own models."""
    places = _places(tmp_path_factory.mktemp("registry"))
    return places, Registry.open(places)


@pytest.fixture
def site(
    registry: tuple[Places, Registry], store: Store, embedded: Characterizer, tmp_path: Path
) -> Iterator[Site]:
    places, opened = registry
    for found in opened.client.search_registered_models():
        opened.client.delete_registered_model(found.name)
    enrolled, rest = ground.parted(embedded)
    recipe = ground.recipe()
    with Perception(embedded, side_by_side=False) as perception:
        house = House(store, Models(tmp_path / "models", embedded), perception, Signer.made())
        household.furnish(store, "kitchen", house.clock())
        for member in enrolled.members:
            rows = [i for i, who in enumerate(enrolled.people) if who == member]
            seen = [household.of(enrolled.table, i) for i in rows]
            household.enrol(store, embedded, "kitchen", member, seen, house.clock())
        base = bundle.find(_base(tmp_path, embedded))
        models.install_base(house, ACTOR, base)
        yield Site(
            house, opened, places, enrolled, ground.grounds(rest, recipe, ["plda"])["plda"],
            recipe, tmp_path,
        )  # fmt: skip


def test_a_version_says_what_it_is_and_holds_nothing_that_opens(site: Site) -> None:
    folder = site.candidate("r1")
    made = site.register(folder)
    said = fridge_fit.read(folder)
    assert (made.model, made.version, made.digest) == ("fridge-kitchen", "1", said.digest)
    assert made.tags["family"] == "plda"
    assert made.tags["members"] == str(ground.MEMBERS)
    assert made.tags["lineage.run"] == "r1"
    assert 0 <= float(made.tags["figure.served.fpir"]) <= 1
    files = _files(site, made)
    assert set(files) == {
        "parcel.sealed", "figures.json", "verdict.json", "captures.json", "card.html",
    }  # fmt: skip
    captures = json.loads(files["captures.json"])["captures"]
    assert captures == list(site.enrolled.table.captures)
    assert site.registry.fetch(made) == (folder / fridge_fit.PARCEL).read_bytes()
    with site.house.store.read() as unit:
        packed = fridge_fit.open_parcel(unit, folder).pack()
        assert made.key == unit.bundles.key("kitchen")
    lying = b"".join(files.values())
    assert not any(packed[i : i + 64] in lying for i in range(0, len(packed) - 64, 4096))


def test_the_same_bundle_is_the_same_version(site: Site) -> None:
    folder = site.candidate("r1")
    assert site.register(folder).version == site.register(folder, run="again").version
    assert site.register(site.candidate("r2")).version == "2"
    assert [v.version for v in site.registry.versions("kitchen")] == ["2", "1"]


def test_the_aliases_tell_how_the_slot_stands(site: Site) -> None:
    folders = [site.candidate(f"r{i}", i) for i in range(3)]
    digests = [site.register(folder).digest for folder in folders]
    assert site.aliases() == {CHALLENGER: digests[2]}, "the last one, until it is deployed"
    site.deploy(folders[0])
    site.deploy(folders[1])
    site.deploy(folders[2], SHADOW)
    assert site.aliases() == {
        CHAMPION: digests[1], PREVIOUS: digests[0], CHALLENGER: digests[2],
    }  # fmt: skip
    rollout.rollback(site.house, ACTOR, "kitchen")
    site.mirror()
    assert site.aliases() == {CHAMPION: digests[0], PREVIOUS: digests[1]}
    models.remove(site.house, ACTOR, "kitchen")
    site.mirror()
    assert site.aliases() == {}


def test_what_is_deployed_is_verified_by_its_canaries(site: Site) -> None:
    first, second = (site.candidate(f"r{i}", i) for i in range(2))
    site.deploy(first)
    assert rolling.verify(site.house, ACTOR, first).state is State.PASSED
    site.deploy(second, SHADOW)
    assert rolling.verify(site.house, ACTOR, second).state is State.PASSED
    rollout.promote_challenger(site.house, ACTOR, "kitchen")
    assert rolling.verify(site.house, ACTOR, second).state is State.PASSED
    # What was replaced meanwhile is not judged, and nothing is rolled back for it.
    assert rolling.verify(site.house, ACTOR, first).state is State.SUPERSEDED


@pytest.mark.parametrize("policy", [PROMOTE, SHADOW])
def test_what_answers_otherwise_than_in_training_is_taken_back(site: Site, policy: Rollout) -> None:
    """A bundle of other weights under the candidate's place: one seed further."""
    first, second = site.candidate("r1"), site.candidate("r2", 1)
    site.deploy(first)
    other = site.candidate("r3", 2)
    site.deploy(second, policy)
    # The canaries of another training: what is served does not give their scores.
    _swap_canaries(site, second, other)
    told = rolling.verify(site.house, ACTOR, second)
    assert told.state is State.FAILED
    assert "other scores" in told.reasons[0]
    standing = site.house.models.slot("kitchen").standing()
    assert standing.champion == fridge_fit.read(first).digest
    assert standing.challenger is None


def test_a_first_bundle_that_fails_leaves_the_base(site: Site) -> None:
    first, other = site.candidate("r1"), site.candidate("r2", 1)
    site.deploy(first)
    _swap_canaries(site, first, other)
    assert rolling.verify(site.house, ACTOR, first).state is State.FAILED
    assert site.live() is None


def test_an_alias_that_is_moved_by_hand_is_followed(site: Site) -> None:
    folders = [site.candidate(f"r{i}", i) for i in range(4)]
    versions = [site.register(folder) for folder in folders]
    for folder in folders[:3]:
        site.deploy(folder)
    site.deploy(folders[3], SHADOW)
    follower = site.follower()
    assert follower.once() == []
    # The challenger, the one before, and one that is in no place any more.
    for to in (versions[3], versions[2], versions[0]):
        site.move(to)
        started = time.perf_counter()
        assert [f.digest for f in follower.once()] == [to.digest]
        assert time.perf_counter() - started < 5
        assert site.live() == to.digest
        assert site.aliases()[CHAMPION] == to.digest
        assert follower.once() == []
    assert follower.once() == [], "and nothing is looked at until something changes"


def test_a_slot_that_was_changed_is_told_and_not_changed_back(site: Site) -> None:
    folders = [site.candidate(f"r{i}", i) for i in range(2)]
    digests = [site.register(folder).digest for folder in folders]
    for folder in folders:
        site.deploy(folder)
    follower = site.follower()
    rollout.rollback(site.house, ACTOR, "kitchen")
    assert follower.once() == []
    assert site.live() == digests[0]
    assert site.aliases() == {CHAMPION: digests[0], PREVIOUS: digests[1]}


def test_what_cannot_serve_is_not_followed_and_the_alias_says_so(site: Site) -> None:
    folders = [site.candidate(f"r{i}", i) for i in range(2)]
    versions = [site.register(folder) for folder in folders]
    site.deploy(folders[0])
    Path(versions[1].source.removeprefix("file://"), fridge_fit.PARCEL).unlink()
    site.move(versions[1])
    (told,) = site.follower().once()
    assert told.problem is not None
    assert site.live() == versions[0].digest
    assert site.aliases() == {CHAMPION: versions[0].digest}
    assert "refused" in site.registry.versions("kitchen")[0].tags


def test_after_an_erasure_what_nobody_can_open_is_emptied(site: Site) -> None:
    first, second = site.candidate("r1"), site.candidate("r2", 1)
    versions = [site.register(folder) for folder in (first, second)]
    site.deploy(first)
    before = {name for v in versions for name in _files(site, v)}
    gone = site.enrolled.members[0]
    members.remove(site.house, ACTOR, "kitchen", gone)
    with site.house.store.read() as unit:
        key = unit.bundles.key("kitchen")
    at = site.house.clock()
    told = registry_retire.retire(site.registry, "kitchen", key=key, reason="erasure", at=at)
    assert set(told.digests) == {v.digest for v in versions}
    assert {f.name for f in told.removed} == before
    assert all(len(f.sha256) == 64 for f in told.removed)
    for version in site.registry.versions("kitchen"):
        assert version.retired
        assert set(version.tags) == {"digest", "family", "lineage.run", "retired", "retired_at"}
        assert _files(site, version) == {}
        with pytest.raises(DataError, match="no parcel"):
            site.registry.fetch(version)
    assert site.aliases() == {}
    # Neither is the slot changed for that, nor a version emptied twice.
    assert site.follower().once() == []
    assert site.live() == versions[0].digest
    again = registry_retire.retire(site.registry, "kitchen", key=key, reason="erasure", at=at)
    assert again.versions == ()


def test_two_processes_register_side_by_side(site: Site) -> None:
    """Two open registries over one file: neither fails, and no version is made twice."""
    folder = site.candidate("r1")
    other = Registry.open(site.places)
    assert other.register(folder, VERDICT, run="r9").version == site.register(folder, "r9").version
    assert other.run("r9") == site.registry.run("r9")


def _files(site: Site, version: Version) -> dict[str, bytes]:
    folder = Path(version.source.removeprefix("file://"))
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.is_dir() else {}


def _swap_canaries(site: Site, of: Path, by: Path) -> None:
    """Seal another candidate's canaries as this one's, with scores that are a little off."""
    with site.house.store.begin() as unit:
        unit.fridges.lock("kitchen")
        found = fridge_fit.open_canaries(unit, by)
        found.scores.fused[0, 0] += 1e-9
        digest = fridge_fit.read(of).digest
        what = sealed_as(digest)
        sealed = unit.bundles.seal("kitchen", what, found.pack())
    (of / fridge_fit.CANARIES).write_bytes(sealed)


def _places(state: Path) -> Places:
    return Places.of(StoreSettings(state=state), Addresses())


def _base(folder: Path, nets: Characterizer) -> Path:
    return cohort.base_bundle(folder / "base", nets)
