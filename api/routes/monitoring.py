"""What production shows."""

from fastapi import APIRouter

from api.deps import Caller, Home
from api.problems import may
from api.schemas.fields import FridgeId
from api.schemas.monitoring import Watched
from visavox.service import monitoring

router = APIRouter(prefix="/v1/fridges", tags=["models"])


@router.get("/{fridge}/monitoring", responses=may(404))
def read(house: Home, who: Caller, fridge: FridgeId) -> Watched:
    """Drift, shares, accuracy and what is due, as the latest look has found them."""
    return Watched.model_validate(monitoring.read(house, who, fridge))
