"""What the worker does beside retraining: each is a use case of its own, asked now and then."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

from visavox.service import experiment
from visavox.service.house import Actor
from visavox.training.production import erasure, watching_steps
from visavox.training.production.following import Follower
from visavox.training.production.worker import Chore
from visavox.training.production.workshop import Workshop

FOLLOW_S, ERASE_S, SETTLE_S, WATCH_S = 1.0, 2.0, 30.0, 900.0


def chores(shop: Workshop) -> Sequence[Chore]:
    """All of them, over one open house."""
    url = make_url(shop.places.tracking)
    file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    follower = Follower(shop.house, Actor.operator("follow"), lambda: shop.registry, file)
    return (
        Chore("follow", FOLLOW_S, follower.once),
        Chore("settle", SETTLE_S, lambda: settle(shop)),
        # Before a run's own snapshot, which would leave them out without telling.
        Chore("erasures", ERASE_S, lambda: erasure.settle(shop), first=True),
        # Later: whoever starts the worker waits for what has changed.
        Chore("watch", WATCH_S, watching_steps.Aside().begin, after_s=60.0),
    )


def settle(shop: Workshop) -> None:
    """Promote or reject what is tried, wherever it is known well enough."""
    for fridge in watching_steps.every(shop.store):
        now = shop.house.models.slot(fridge).now()
        if now is not None and now.challenger is not None:
            experiment.settle(shop.house, fridge)
