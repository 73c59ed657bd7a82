"""Receipts of erasures."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.deps import Caller, Home
from api.problems import may
from api.schemas.fields import ID, FridgeId
from api.schemas.pages import Page, Paging, paged
from api.schemas.traces import RECEIPT, Receipt
from visavox.service import receipts

router = APIRouter(prefix="/v1", tags=["receipts"])


@router.get("/receipts/{receipt}", responses=may(404))
def read(
    house: Home,
    who: Caller,
    receipt: Annotated[str, Path(pattern=ID, max_length=64, examples=[RECEIPT])],
) -> Receipt:
    """One receipt; signed, once what was retrained is shown to know the member no more."""
    return Receipt.of(receipts.read(house, who, receipt))


@router.get("/fridges/{fridge}/receipts")
def list_all(
    house: Home,
    who: Caller,
    fridge: FridgeId,
    wanted: Paging,
    member: Annotated[str | None, Query(pattern=ID, max_length=64)] = None,
) -> Page[Receipt]:
    """Those of one fridge, the newest first; they outlive it."""
    found = receipts.page(
        house, who, fridge, member=member, limit=wanted.limit, cursor=wanted.cursor
    )
    return paged(found, Receipt.of)
