"""Compartments on the wire."""

from datetime import datetime

from api.schemas.fields import Body, ChosenId, Name, Shown, Version


class CompartmentMade(Body):
    """A compartment to be. Its id is unique within the fridge."""

    id: ChosenId | None = None
    name: Name


class CompartmentChange(Body):
    """What is to be another way."""

    name: Name


class Compartment(Shown):
    id: str
    fridge: str
    name: str
    created_at: datetime
    version: Version
