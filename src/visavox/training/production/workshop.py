"""What the steps of a flow work with: the house, and the places where a retraining keeps things.

A step is a process of its own, so each part is opened when it is first asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from visavox import characterizer
from visavox.errors import ConfigError
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


class WorkshopSettings(BaseSettings):
    """Each is the environment's VISAVOX_ and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="VISAVOX_",
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    characterizer: str = "embedded"
    """`embedded`, or a Characterizer's folder; the one that the service uses."""
    recipe: Path | None = None
    """What to retrain by; configs/retrain.yaml unless said."""
    data: Path | None = None
    """The folder of the datasets; the recipe's own unless said."""
    service: ServiceSettings = Field(default_factory=ServiceSettings)
    """The service's own rules: what a challenger must show is among them."""

    @classmethod
    def read(cls) -> "WorkshopSettings":
        """From the environment; ConfigError names what is wrong."""
        try:
            return cls()
        except ValidationError as error:
            names = ", ".join(
                f"VISAVOX_{'__'.join(map(str, e['loc'])).upper()}" for e in error.errors()
            )
            raise ConfigError(
                f"The environment does not fit: {names}.", next_step="Correct these variables."
            ) from None


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
