"""The audit log."""

from fastapi import APIRouter

from api.deps import Caller, Home
from api.schemas.audit import AuditRecord, Verification
from api.schemas.pages import Page, Paging, paged
from visavox.service import audit

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("")
def list_all(house: Home, who: Caller, wanted: Paging) -> Page[AuditRecord]:
    """Who did what, the newest first."""
    found = audit.page(house, who, limit=wanted.limit, cursor=wanted.cursor)
    return paged(found, AuditRecord.model_validate)


@router.get("/verification")
def verification(house: Home, who: Caller) -> Verification:
    """Walk the whole chain, and say whether it was altered."""
    return Verification.model_validate(audit.verification(house, who))
