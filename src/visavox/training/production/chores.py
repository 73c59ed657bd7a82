"""What the worker does beside retraining: each is a use case of its own, asked now and then."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

from visavox.service.house import Actor
from visavox.training.production.following import Follower
from visavox.training.production.worker import Chore
from visavox.training.production.workshop import Workshop

FOLLOW_S = 1.0


def chores(shop: Workshop) -> Sequence[Chore]:
    """All of them, over one open house."""
    url = make_url(shop.places.tracking)
    file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    follower = Follower(shop.house, Actor.operator("follow"), lambda: shop.registry, file)
    return (Chore("follow", FOLLOW_S, follower.once),)
