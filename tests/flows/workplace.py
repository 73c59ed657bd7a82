"""A house with a kitchen full of personas, and all that `python -m flows` needs to retrain it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.training.production import ground, household
from visavox.characterizer import Characterizer
from visavox.perception import Perception
from visavox.service import models
from visavox.service.house import Actor, House, utc_now
from visavox.service.models import Models
from visavox.store import Store
from visavox.store.records import Progress, Run
from visavox.store.settings import StoreSettings
from visavox.tickets import Signer
from visavox.training.production.places import Addresses, Places
from visavox.training.production.settings import Recipe

HOME = Path(__file__).parents[2]


@dataclass(frozen=True)
class Workplace:
    """Its folders, and what the programs in it are told."""

    state: Path
    data: Path
    recipe: Path
    nets: Characterizer

    @classmethod
    def made(cls, root: Path, nets: Characterizer, base_bundle: Path) -> "Workplace":
        place = cls(root / "state", root / "data", root / "recipe.yaml", nets)
        _, rest = ground.parted(nets)
        ground.on_disk(place.data, nets, rest)
        place.recipe.write_text(yaml.safe_dump(plain(ground.recipe())), encoding="utf-8")
        with place.open() as store:
            store.migrate()
            house = place.house(store)
            models.install_base(house, Actor.operator(), base_bundle)
        return place

    @property
    def settings(self) -> StoreSettings:
        return StoreSettings(state=self.state)

    @property
    def places(self) -> Places:
        return Places.of(self.settings, Addresses())

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "VISAVOX_ENVIRONMENT": "development",
            "VISAVOX_STATE": str(self.state),
            "VISAVOX_DATA": str(self.data),
            "VISAVOX_RECIPE": str(self.recipe),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(HOME),
        }

    def open(self) -> "Open":
        return Open(self.settings.open())

    def house(self, store: Store) -> House:
        perception = Perception(self.nets, side_by_side=False)
        return House(store, Models(self.settings.models, self.nets), perception, Signer.made())

    def fill(self, store: Store, fridge: str, members: int) -> None:
        household.furnish(store, fridge, utc_now())
        for member, seen in household.people(self.nets, members).items():
            household.enrol(store, self.nets, fridge, member, seen, utc_now())

    def worker(self, log: Path) -> "subprocess.Popen[bytes]":
        """`python -m flows worker`, as an operator starts it."""
        with log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "flows", "worker"],
                cwd=HOME,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def told(self, *words: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "flows", *words],
            cwd=HOME,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


class Open:
    """A store that is closed at the end of the block."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __enter__(self) -> Store:
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.close()


def latest(store: Store) -> Run | None:
    with store.read() as unit:
        return next(iter(unit.runs.page(flow="retrain", limit=1).items), None)


def lines(store: Store, run: str) -> tuple[Progress, ...]:
    with store.read() as unit:
        return unit.progress.after(0, run=run)


def until(true: Callable[[], Any], seconds: float = 600.0) -> Any:
    """Patient: the machine may be busy with other tests."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return found


def plain(recipe: Recipe) -> Any:
    """A recipe as a file gives it."""
    return _plain(asdict(recipe))


def _plain(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {str(k): _plain(v) for k, v in values.items()}
    if isinstance(values, list | tuple):
        return [_plain(v) for v in values]
    return str(values) if isinstance(values, Path) else values
