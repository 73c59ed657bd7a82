"""Challenges on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.fields import ID, Body, Shown


class ChallengeWanted(Body):
    """Where somebody is about to speak."""

    fridge: Annotated[str, Field(pattern=ID, max_length=64, examples=["kitchen"])]


class Challenge(Shown):
    """Digits to speak: good once, and for a short while."""

    id: Annotated[str, Field(examples=["cha_01j9zq3v8k0000000000000000"])]
    digits: Annotated[str, Field(examples=["40912"])]
    expires_at: datetime
