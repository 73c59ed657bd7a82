"""A champion and a challenger at a fridge, trained on its members as they are enrolled now."""

from pathlib import Path

from tests import cohort
from visavox import bundle
from visavox.service import models, rollout
from visavox.service.house import Actor, House
from visavox.service.parcel import Parcel
from visavox.service.rollout import Place

ADMIN = Actor.operator("req-test")


def trained(house: House, fridge: str, folder: Path, family: str) -> Path:
    with house.store.read() as unit:
        seen = {
            member: [c.embeddings for c in captures]
            for member, captures in unit.captures.of_fridge(fridge).items()
        }
    nets = house.perception.characterizer
    lineage = {"as_of": house.clock().isoformat()}
    return cohort.trained_bundle(
        folder / family, nets, fridge, seen, family=family, lineage=lineage
    )


def challenged(house: House, fridge: str, folder: Path) -> None:
    """A champion of the family plda, and in its shadow a challenger of the family prototype."""
    models.install(house, ADMIN, fridge, trained(house, fridge, folder, "plda"))
    challenge(house, fridge, trained(house, fridge, folder, "prototype"))


def challenge(house: House, fridge: str, path: Path) -> None:
    """In the champion's shadow, in place of whatever was there."""
    found = bundle.load(path, characterizer_digest=house.models.characterizer.digest)
    with house.store.begin() as unit:
        sealed = unit.bundles.seal(fridge, found.digest, Parcel.of(path, found).pack())
    rollout.deploy(house, ADMIN, fridge, sealed, found.digest, place=Place.CHALLENGER)
