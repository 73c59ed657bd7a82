"""A place's bundles as a process holds them: the champion, its challenger, and the one before.

All three are in memory, so that a promotion and a roll-back change which is used, and read nothing.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from visavox.bundle import Bundle
from visavox.errors import BundleError
from visavox.service.shelf import Slot, Stamp
from visavox.service.standing import Standing

log = logging.getLogger(__name__)

_TRIES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A bundle, and since when whom it scores had been members as it was installed."""

    bundle: Bundle | None = None
    joined: Mapping[str, datetime] = field(default_factory=dict)
    problem: str | None = None

    def kept(self, roster: Mapping[str, tuple[datetime, int]]) -> NDArray[np.intp]:
        """Columns of those who are members still, and the same person as when it was installed."""
        members = () if self.bundle is None else self.bundle.discriminator.members
        return np.array(
            [
                i
                for i, member in enumerate(members)
                # An id can be given again; whoever has it now joined later.
                if member in roster and self.joined.get(member) == roster[member][0]
            ],
            dtype=np.intp,
        )


_NONE = Loaded()


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A place as it was read."""

    stamp: Stamp | None = None
    key: str | None = None
    """The id of what it is sealed with; none for the base."""
    standing: Standing | None = None
    champion: Loaded = _NONE
    challenger: Loaded = _NONE
    previous: Loaded = _NONE

    @property
    def problem(self) -> str | None:
        """Why something that should be used is not."""
        return self.champion.problem or self.challenger.problem or self.previous.problem

    def of(self, digest: str) -> Loaded | None:
        """One that is in memory already."""
        for loaded in (self.champion, self.challenger, self.previous):
            if loaded.bundle is not None and loaded.bundle.digest == digest:
                return replace(loaded, problem=None)
        return None


def renewed(
    held: Held, name: str, slot: Slot, key: str | None, load: Callable[[str], Loaded]
) -> Held:
    """A place, read again when its file or its key is another; the last good one if that cannot be.

    `load` gives the bundle of a digest, or BundleError.
    """
    for _ in range(_TRIES):
        stamp = slot.stamp()
        if (held.stamp, held.key) == (stamp, key):
            return held
        if stamp is None:
            return Held(None, key)
        found = _read(held, name, stamp, slot, key, load)
        if found.problem is None or slot.stamp() == stamp:
            break
        # It was changed meanwhile, and what was to be read may have gone.
    return found


def _read(
    held: Held,
    name: str,
    stamp: Stamp,
    slot: Slot,
    key: str | None,
    load: Callable[[str], Loaded],
) -> Held:
    def one(digest: str | None) -> Loaded:
        if digest is None:
            return _NONE
        # Under another key lies what is left of it without somebody.
        known = held.of(digest) if held.key == key else None
        return known or load(digest)

    def beside(digest: str | None) -> Loaded:
        try:
            return one(digest)
        except BundleError as error:  # nothing is decided by it
            log.warning("the bundle %s… of %r cannot be used: %s", digest, name, error.problem)
            return Loaded(problem=error.problem)

    try:
        standing = slot.standing()
        champion = one(standing.champion)
    except BundleError as error:
        # The fridge is never down: it goes on with what it had, or with the base. What was there
        # under another key may know somebody who is erased since.
        log.exception("the bundle of %r cannot be served", name)
        had = held if held.key == key else Held()
        return replace(
            had, stamp=stamp, key=key, champion=replace(had.champion, problem=error.problem)
        )
    challenge = standing.challenger
    return Held(
        stamp,
        key,
        standing,
        champion,
        beside(None if challenge is None else challenge.digest),
        beside(standing.previous),
    )
