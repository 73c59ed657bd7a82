"""What a lock needs to check tickets by itself."""

from fastapi import APIRouter

from api.deps import Home
from api.problems import may
from api.schemas.tickets import TicketKey, TicketKeys

router = APIRouter(prefix="/v1/tickets", tags=["tickets"])


@router.get("/keys", responses=may(500))
async def public_keys(house: Home) -> TicketKeys:
    """The public keys that tickets are signed with. Needs no key: they are no secret."""
    known = house.signer.public_keys
    return TicketKeys(keys=tuple(TicketKey.model_validate(k.to_json()) for k in known))
