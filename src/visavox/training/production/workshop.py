"""What the steps of a flow work with: the house, and the places where a retraining keeps things.

A step is a process of its own, so each part is opened when it is first asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field

from visavox import characterizer
from visavox.environment import Environment
from visavox.perception import Perception
from visavox.service.house import Actor, Clock, House, utc_now
from visavox.service.models import Models
from visavox.service.settings import ServiceSettings
from visavox.store import Store
from visavox.store.nets import NetSet
from visavox.store.settings import StoreSettings
from visavox.training.production import settings as recipes
from visavox.training.production.ledger import Ledger, Remote
from visavox.training.production.places import Places
from visavox.training.production.registry import Registry
from visavox.training.production.settings import Recipe


class WorkshopSettings(Environment):
    """What a retraining is told, beside the store and its places."""

    characterizer: str = "embedded"
    """`embedded`, or a Characterizer's folder; the one that the service uses."""
    recipe: Path | None = None
    """What to retrain by; configs/retrain.yaml unless said."""
    data: Path | None = None
    """The folder of the datasets; the recipe's own unless said."""
    service: ServiceSettings = Field(default_factory=ServiceSettings)
    """The service's own rules: what a challenger must show is among them."""


@dataclass(eq=False)
class Workshop:
    """Open parts, for one process."""

    settings: StoreSettings
    own: WorkshopSettings
    places: Places
    store: Store
    clock: Clock = utc_now
    nets: NetSet | None = None
    """Those that are prepared, in place of those that serve."""

    @cached_property
    def net_set(self) -> NetSet:
        return self.nets or self.settings.net_set

    @cached_property
    def recipe(self) -> Recipe:
        data = self.own.data
        return recipes.read(
            self.own.recipe, changed=None if data is None else {"data": str(data.absolute())}
        )

    @cached_property
    def perception(self) -> Perception:
        return Perception(
            characterizer.load(self.net_set.nets or self.own.characterizer), side_by_side=False
        )

    @cached_property
    def house(self) -> House:
        """The service's own use cases, for whoever may do everything."""
        return House(
            store=self.store,
            models=Models(self.net_set.root, self.perception.characterizer),
            perception=self.perception,
            signer=self.settings.signer(),
            clock=self.clock,
            settings=self.own.service,
        )

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger.open(self.places.ledger, remote=Remote.of(self.places.remote, self.settings))

    @cached_property
    def registry(self) -> Registry:
        """Importing MLflow takes seconds: ask for it only where something is registered."""
        return Registry.open(self.places)

    def actor(self, run: str) -> Actor:
        """Who does what a run does, as the audit log tells it."""
        return Actor.operator(run)

    def close(self) -> None:
        if "perception" in self.__dict__:
            self.perception.close()
        self.store.close()


@contextmanager
def opened(under: str | None = None) -> Iterator[Workshop]:
    """As the environment says; `under` the nets of that digest, where such are prepared."""
    settings = StoreSettings.read()
    shop = Workshop(settings, WorkshopSettings.read(), Places.of(settings), settings.open())
    if under:
        shop.nets = NetSet(settings.net_set.home, under)
    try:
        yield shop
    finally:
        shop.close()
