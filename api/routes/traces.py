"""Where a decision comes from, and whether it comes out the same again."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.deps import Caller, Home
from api.problems import may
from api.schemas.fields import ID
from api.schemas.traces import Replay, ReplayWish, Trace
from visavox.service import replay, tracing

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])
_Decision = Annotated[
    str, Path(pattern=ID, max_length=64, examples=["dec_01j9zq3v8k0000000000000000"])
]


@router.get("/{decision}/trace", responses=may(404))
def read(house: Home, who: Caller, decision: _Decision) -> Trace:
    """Scores, thresholds, models, runs, data version, commit, and the captures learned from."""
    return Trace.of(tracing.trace(house, who, decision))


@router.post("/{decision}/replay", responses=may(404, 409, 410))
def again(house: Home, who: Caller, decision: _Decision, wish: ReplayWish | None = None) -> Replay:
    """Score the kept probe again: by what judged it then, or by another bundle that is kept."""
    bundle = None if wish is None else wish.bundle
    return Replay.of(replay.replay(house, who, decision, bundle=bundle))
