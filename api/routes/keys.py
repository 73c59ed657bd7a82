"""API keys."""

from typing import Annotated

from fastapi import APIRouter, Path, Response, status

from api.deps import Caller, Home
from api.problems import may
from api.schemas.fields import ID
from api.schemas.keys import Issued, Key, KeyMade
from api.schemas.pages import Page, Paging, paged
from visavox.service import keys

router = APIRouter(prefix="/v1/keys", tags=["keys"])
_KeyId = Annotated[
    str, Path(pattern=ID, max_length=64, examples=["key_01j9zq3v8k0000000000000000"])
]


@router.post("", status_code=status.HTTP_201_CREATED, responses=may(404, 409, 413, 415))
def create(house: Home, who: Caller, made: KeyMade, response: Response) -> Issued:
    """Make a key, which may neither outlive yours nor reach further.

    Its secret is in this answer and nowhere else. Sent again with the same Idempotency-Key, it
    makes no second key, and the answer is without the secret: `note` says so.
    """
    issued = keys.create(
        house, who, role=made.role, name=made.name, fridges=made.fridges, expires_at=made.expires_at
    )
    response.headers["Location"] = f"/v1/keys/{issued.key.id}"
    shown = Key.model_validate(issued.key)
    return Issued(**shown.model_dump(), secret=issued.secret, note=None)


@router.get("")
def list_all(house: Home, who: Caller, wanted: Paging) -> Page[Key]:
    """Keys, revoked ones too, by id."""
    found = keys.page(house, who, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, Key.model_validate)


@router.get("/{key}", responses=may(404))
def read(house: Home, who: Caller, key: _KeyId) -> Key:
    """One key."""
    return Key.model_validate(keys.read(house, who, key))


@router.delete("/{key}", responses=may(404))
def revoke(house: Home, who: Caller, key: _KeyId) -> Key:
    """Revoke a key: it is worth nothing from the next request on. It stays in the list."""
    return Key.model_validate(keys.revoke(house, who, key))
