"""A house with real nets, a real database and real personas; only its clock is the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.scene import ADMIN, Hands, Kitchen
from visavox.characterizer import Characterizer
from visavox.perception import Perception
from visavox.service import compartments, fridges, keys, models
from visavox.service.house import House
from visavox.service.models import Models
from visavox.store import Store
from visavox.store.records import Role
from visavox.tickets import Signer


@pytest.fixture(scope="session")
def perception(embedded: Characterizer) -> Iterator[Perception]:
    with Perception(embedded) as made:
        yield made


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def signer() -> Signer:
    return Signer.made()


@pytest.fixture
def house(
    store: Store,
    perception: Perception,
    base_bundle: Path,
    hands: Hands,
    signer: Signer,
    tmp_path: Path,
) -> House:
    """A house with a base installed and nothing else."""
    nets = perception.characterizer
    made = House(store, Models(tmp_path / "models", nets), perception, signer, hands)
    models.install_base(made, ADMIN, base_bundle)
    return made


@pytest.fixture
def kitchen(house: House) -> Kitchen:
    fridges.create(house, ADMIN, id="kitchen", name="Kitchen", risk="low")
    for name in ("left", "right"):
        compartments.create(house, ADMIN, "kitchen", id=name, name=name.title())
    issued = keys.create(house, ADMIN, role=Role.KIOSK, name="Door", fridges=["kitchen"])
    return Kitchen(house, keys.identify(house, issued.secret, request_id="req-kiosk"))
