"""API keys: `vx_<id>_<secret>`. The secret is shown once, and kept as its digest."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from visavox.errors import Forbidden, NotFound, Unauthenticated
from visavox.service import values
from visavox.service.house import Actor, House
from visavox.store.records import Key, Page, Role

_PREFIX = "vx_"
_NOBODY = hashlib.sha256(b"").hexdigest()
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key, with the only copy of its secret there will ever be."""

    key: Key
    secret: str = field(repr=False)
    """All of `vx_<id>_<secret>`, as it goes into the Authorization header."""


def create(
    house: House,
    who: Actor,
    *,
    role: Role,
    name: str,
    fridges: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> Issued:
    """A key for some fridges, or for all; nobody gives away more than they have, nor for longer."""
    who.need(Role.ADMIN)
    if fridges is None:
        who.everywhere()
    else:
        fridges = tuple(dict.fromkeys(fridges))
        if not fridges:
            values.refuse("fridges", "The list of fridges is empty.", "Name one, or leave it out.")
        for fridge in fridges:
            who.reach(fridge)
    at = house.clock()
    if expires_at is not None and expires_at <= at:
        values.refuse("expires_at", "The key would have expired already.", "Choose a later time.")
    if who.expires_at is not None and (expires_at is None or expires_at > who.expires_at):
        raise Forbidden(
            "The new key would outlive the one that makes it.",
            next_step=f"Let it expire at {who.expires_at.isoformat()} at the latest, or use a key"
            " that lasts longer.",
        )
    secret = secrets.token_hex(32)  # no underscore: what follows the last one is the secret
    with house.store.begin() as unit:
        for fridge in sorted(fridges or ()):
            unit.fridges.lock(fridge)  # so that none of them is removed before the key is there
        made = unit.keys.add(
            name=values.name(name),
            role=role,
            fridges=fridges,
            digest=_digest(secret),
            at=at,
            expires_at=expires_at,
        )
        who.note(unit, at, "key.create", made.id, role=role.value, fridges=made.fridges)
    return Issued(made, f"{_PREFIX}{made.id}_{secret}")


def identify(house: House, bearer: str, *, request_id: str = "") -> Actor:
    """The actor behind what stands in the Authorization header after `Bearer `."""
    key_id, _, secret = bearer.removeprefix(_PREFIX).rpartition("_")
    key: Key | None = None
    if bearer.startswith(_PREFIX) and 0 < len(bearer) <= _LONGEST and bearer.isascii():
        try:
            with house.store.read() as unit:
                key = unit.keys.get(key_id)
        except NotFound:
            key = None
    # Compared in any case, so that the time taken tells nothing of which ids exist.
    right = hmac.compare_digest(_digest(secret), _NOBODY if key is None else key.digest)
    if key is None or not right:
        raise Unauthenticated(
            "The key is missing or wrong.",
            next_step="Send `Authorization: Bearer vx_…`, as it was shown when the key was made.",
        )
    if key.revoked_at is not None or (
        key.expires_at is not None and key.expires_at <= house.clock()
    ):
        raise Unauthenticated(
            "The key was revoked, or has expired.", next_step="Ask an admin for a new one."
        )
    return Actor(key.id, key.role, key.fridges, request_id, key.name, key.expires_at)


def read(house: House, who: Actor, key: str) -> Key:
    """Any key for an admin; its own for anybody."""
    with house.store.read() as unit:
        if key != who.key_id:
            who.need(Role.ADMIN)
        found = unit.keys.get(key)
    _within(who, found)
    return found


def page(house: House, who: Actor, *, limit: int = 50, cursor: str | None = None) -> Page[Key]:
    """Keys, revoked ones too; an admin of some fridges sees those that reach no further."""
    who.need(Role.ADMIN)
    with house.store.read() as unit:
        return unit.keys.page(within=who.fridges, own=who.key_id, limit=limit, cursor=cursor)


def revoke(house: House, who: Actor, key: str) -> Key:
    """It is worth nothing from the next request on; again is no error."""
    who.need(Role.ADMIN)
    at = house.clock()
    with house.store.begin() as unit:
        _within(who, unit.keys.get(key))
        kept = unit.keys.revoke(key, at=at)
        who.note(unit, at, "key.revoke", key)
    return kept


def _digest(secret: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(secret.encode()).hexdigest()


def _reaches(who: Actor, key: Key) -> bool:
    if who.fridges is None or key.id == who.key_id:
        return True
    return key.fridges is not None and set(key.fridges) <= set(who.fridges)


def _within(who: Actor, key: Key) -> None:
    if not _reaches(who, key):
        raise Forbidden(
            f"The key {key.id!r} reaches further than yours.",
            next_step="Use a key without a list of fridges.",
        )
