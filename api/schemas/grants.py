"""Grants on the wire: which member may open which compartment."""

from datetime import datetime

from api.schemas.fields import Shown


class Grant(Shown):
    fridge: str
    member: str
    compartment: str
    created_at: datetime
