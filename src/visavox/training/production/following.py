"""Slots and the registry's aliases tell the same: whichever was changed last is followed.

A model's tag `slot` says what was champion when the two last agreed. Where the alias differs from
it, somebody has moved that by hand, and the slot follows; where the slot differs, the alias does.
If both do, the slot counts: its change stands in the audit log.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visavox.errors import VisavoxError
from visavox.service import rollout
from visavox.service.house import Actor, House
from visavox.service.rollout import Place
from visavox.service.shelf import Stamp
from visavox.service.standing import Standing
from visavox.training.production.registry import (
    CHAMPION,
    PREFIX,
    SYNCED,
    Registry,
    Version,
    model_of,
)

log = logging.getLogger(__name__)

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Followed:
    """A slot that was changed because the alias was; `problem` says why it could not be."""

    fridge: str
    digest: str
    problem: str | None = None


@dataclass(slots=True)
class Follower:
    """Looks when it is told to. Where nothing has changed that costs a stat per fridge."""

    house: House
    who: Actor
    open: Callable[[], Registry]
    """Called once something is to be looked at: importing MLflow takes seconds."""
    database: Path | None = None
    """The registry's own file, where it is one: what tells that something was changed."""
    _seen: tuple[Any, ...] | None = None
    _registry: Registry | None = None
    _mirrored: dict[str, Stamp | None] = field(default_factory=dict)
    _digests: dict[tuple[str, str], Version] = field(default_factory=dict)

    def once(self) -> list[Followed]:
        """Let every slot and its aliases agree."""
        before = self._state()
        if self.database is not None and before == self._seen:
            return []
        if self.database is not None and not self.database.exists():
            self._seen = before
            return []  # nothing was ever registered
        if self._registry is None:
            self._registry = self.open()
        done = [
            found
            for model in self._models(self._registry)
            if (found := self._agree(self._registry, model)) is not None
        ]
        self._seen = before  # what this look changed is looked at once more, and then no more
        return done

    def _agree(self, registry: Registry, model: Any) -> Followed | None:
        fridge = str(model.name).removeprefix(PREFIX)
        slot = self.house.models.slot(fridge)
        stamp, standing = slot.stamp(), slot.now()
        live = "" if standing is None else standing.champion
        version = model.aliases.get(CHAMPION)
        asked = None if version is None else self._version(registry, model.name, str(version))
        as_before = model.tags.get(SYNCED, "") == live
        if asked is not None and asked.digest != live and as_before:
            return self._follow(registry, asked, standing)
        if not as_before or asked is None or self._mirrored.get(fridge) != stamp:
            registry.mirror(fridge, standing)
            self._mirrored[fridge] = stamp
        return None

    def _follow(self, registry: Registry, to: Version, standing: Standing | None) -> Followed:
        try:
            self._serve(registry, to, standing)
        except VisavoxError as error:
            log.warning("%s cannot be %s: %s", to.digest[:12], CHAMPION, error.problem)
            registry.mark(to, refused=error.problem[:500])
            registry.mirror(to.fridge, self.house.models.slot(to.fridge).now())
            return Followed(to.fridge, to.digest, error.problem)
        registry.mirror(to.fridge, self.house.models.slot(to.fridge).now())
        return Followed(to.fridge, to.digest)

    def _serve(self, registry: Registry, to: Version, standing: Standing | None) -> None:
        why = f"{model_of(to.fridge)} {to.version} was made {CHAMPION} in the registry"
        tried = None if standing is None else standing.challenger
        if standing is not None and standing.previous == to.digest:
            rollout.rollback(self.house, self.who, to.fridge, leave=standing.champion, why=why)
        elif tried is not None and tried.digest == to.digest:
            rollout.promote_challenger(self.house, self.who, to.fridge, digest=to.digest)
        else:
            rollout.deploy(
                self.house,
                self.who,
                to.fridge,
                registry.fetch(to),
                to.digest,
                place=Place.CHAMPION,
                older=True,
            )

    def _version(self, registry: Registry, model: str, version: str) -> Version | None:
        known = self._digests.get((model, version))
        if known is None:
            found = {v.version: v for v in registry.versions(model.removeprefix(PREFIX))}
            self._digests |= {(model, v): one for v, one in found.items()}
            known = found.get(version)
        return known

    def _models(self, registry: Registry) -> Iterator[Any]:
        token = None
        while True:
            page = registry.client.search_registered_models(
                f"name LIKE '{PREFIX}%'", max_results=_PAGE, page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def _state(self) -> tuple[Stamp | None, tuple[tuple[str, Stamp | None], ...]]:
        """What shows that the registry or a slot was changed."""
        root = self.house.models.slots
        names = sorted(p.name for p in root.iterdir()) if root.is_dir() else []
        slots = tuple((name, self.house.models.slot(name).stamp()) for name in names)
        return _stamp(self.database), slots


def _stamp(path: Path | None) -> Stamp | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
